"""What each state of the site lets through, and that what is refused keeps everything typed."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from petitions.models import Petition
from signers import tokens
from signers.models import Signature, Submission
from staff import site_state
from staff.models import SiteState
from staff.site_state import Notice, State, switch
from tests.admin_forms import client_of
from tests.factories import NOW, make_petition, make_signature, make_staff

pytestmark = pytest.mark.django_db
OURS = {"sec-fetch-site": "same-origin"}
TYPED = {"first_name": "Connie", "last_name": "O’Neill", "email": "connie@people.example", "updates": "no"}
SAID = "Back at <noon>"
CLOSED = [State.SIGNING_PAUSED, State.READ_ONLY, State.MAINTENANCE]


@pytest.fixture
def petition() -> Petition:
    return make_petition()


def off(state: State, message: str = SAID) -> None:
    switch(state, actor=None, at=NOW, message=message)
    # Nobody asks again within this test.
    site_state.remember(site_state.stored() or Notice(), for_seconds=600)


def sign(client: Client, petition: Petition, **headers: str) -> Any:
    return client.post(f"/petitions/{petition.slug}/sign/", TYPED, headers=headers or OURS)


@pytest.mark.parametrize("state", CLOSED)
def test_a_signature_is_not_taken_and_everything_typed_is_kept(
    client: Client, petition: Petition, state: State
) -> None:
    off(state)

    response = sign(client, petition)

    page = response.content.decode()
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert "no-store" in response["Cache-Control"]
    assert not Submission.objects.exists()
    assert f'action="/petitions/{petition.slug}/sign/"' in page
    for name, value in TYPED.items():
        assert f'name="{name}" value="{value}"' in page
    assert "Your signature is not in yet." in page
    assert "Back at &lt;noon&gt;" in page


@pytest.mark.parametrize("state", CLOSED)
def test_a_reader_of_a_mailing_signs_later_too(client: Client, petition: Petition, state: State) -> None:
    off(state)

    response = client.post(f"/petitions/{petition.slug}/you/sign/", {"last_name": "Reed"}, headers=OURS)

    assert response.status_code == 503
    assert 'name="last_name" value="Reed"' in response.content.decode()


@pytest.mark.parametrize("state", CLOSED)
def test_another_site_cannot_put_its_fields_onto_our_page(
    client: Client, petition: Petition, state: State
) -> None:
    off(state)

    response = sign(client, petition, origin="https://elsewhere.example")

    assert response.status_code == 403
    assert "O’Neill" not in response.content.decode()


def test_pages_say_that_signing_is_paused(client: Client, petition: Petition) -> None:
    before = client.get(petition.get_absolute_url())
    off(State.SIGNING_PAUSED)

    response = client.get(petition.get_absolute_url())

    page = response.content.decode()
    assert response.status_code == 200
    assert "Signing is paused for a moment" in page
    assert "Back at &lt;noon&gt;" in page
    assert 'name="first_name"' not in page
    assert 'data-module="sign-bar"' not in page
    assert response["ETag"] != before["ETag"]


def test_while_signing_is_paused_people_still_confirm(client: Client, petition: Petition) -> None:
    signature = make_signature(petition)
    off(State.SIGNING_PAUSED)

    response = client.post(urlsplit(tokens.confirm_link(signature, timezone.now())).path)

    assert response.status_code == 200
    signature.refresh_from_db()
    assert signature.confirmed_at is not None


@pytest.mark.parametrize("state", [State.READ_ONLY, State.MAINTENANCE])
@pytest.mark.parametrize("name", ["confirm", "not-me"])
def test_what_mailed_links_do_waits(client: Client, petition: Petition, state: State, name: str) -> None:
    signature = make_signature(petition)
    off(state)

    response = client.post(f"/{name}/some-token/", {"block": "yes"}, headers={"origin": "null"})

    assert response.status_code == 503
    assert 'name="block" value="yes"' in response.content.decode()
    assert Signature.objects.get() == signature


def test_read_only_pages_can_be_read(client: Client, petition: Petition) -> None:
    off(State.READ_ONLY)

    for address in ("/", petition.get_absolute_url(), petition.get_absolute_url() + "count.json", "/me/"):
        assert client.get(address).status_code == 200


def test_read_only_cities_can_be_looked_for(client: Client, petition: Petition) -> None:
    off(State.READ_ONLY)

    response = client.post(f"/campaigns/{petition.campaign.slug}/find/", {"city": "Nowhere"})

    assert response.status_code == 200


def test_read_only_refuses_only_addresses_that_exist(client: Client) -> None:
    off(State.READ_ONLY)

    assert client.post("/nothing-here/").status_code == 404


def test_maintenance_answers_every_page_without_the_database(
    client: Client, petition: Petition, django_assert_num_queries: Any
) -> None:
    off(State.MAINTENANCE)

    with django_assert_num_queries(0):
        for address in ("/", petition.get_absolute_url(), "/me/", "/nothing-here/", "/admin/", "/s/abc2345"):
            response = client.get(address)
            assert response.status_code == 503
            assert response["Retry-After"] == "60"
            assert "no-store" in response["Cache-Control"]
            assert "default-src" in response["Content-Security-Policy"]
            assert "Back in a moment" in response.content.decode()


def test_maintenance_is_json_for_the_count(client: Client, petition: Petition) -> None:
    off(State.MAINTENANCE)

    response = client.get(petition.get_absolute_url() + "count.json")

    assert response.status_code == 503
    assert response.json() == {"state": "maintenance", "message": SAID}


def test_maintenance_leaves_health_and_logging_in(client: Client) -> None:
    off(State.MAINTENANCE)

    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json()["state"] == "maintenance"
    assert client.get("/admin/login/").status_code == 200


@pytest.mark.parametrize("state", [State.READ_ONLY, State.MAINTENANCE])
def test_staff_log_in_and_switch_back(state: State) -> None:
    make_staff(username="ada", password="a-long-password-here", is_superuser=True)
    client = Client()
    off(state)

    arrived = client.post(
        "/admin/login/?next=/admin/site-state/", {"username": "ada", "password": "a-long-password-here"}
    )
    client.post(arrived["Location"], {"state": "full", "was": state, "_confirmed": "1"})

    assert site_state.stored().state is State.FULL
    assert client.get("/").status_code == 200


def test_read_only_refuses_what_staff_change_and_keeps_it() -> None:
    client = client_of(make_staff(is_superuser=True))
    off(State.READ_ONLY)

    assert client.get("/admin/campaigns/campaign/add/").status_code == 200
    response = client.post("/admin/campaigns/campaign/add/", {"title": "Long text", "x": ["1", "2"]})

    page = response.content.decode()
    assert response.status_code == 503
    assert 'name="title" value="Long text"' in page
    assert page.count('name="x"') == 2
    assert "/admin/site-state/" in page


def test_passwords_are_not_kept() -> None:
    client = client_of(make_staff(is_superuser=True))
    off(State.READ_ONLY)

    response = client.post("/admin/password_change/", {"old_password": "old-one", "new_password1": "new-one"})

    assert response.status_code == 503
    assert "-one" not in response.content.decode()


@pytest.mark.parametrize("body", [b"\x00=\xff&a=%00%ff", b"=" * 5000, b"first_name=" + b"9" * 5000, b""])
def test_odd_posts_are_refused_as_kindly(client: Client, petition: Petition, body: bytes) -> None:
    off(State.MAINTENANCE, "\u202eאבג")

    response = client.post(
        f"/petitions/{petition.slug}/sign/",
        body,
        content_type="application/x-www-form-urlencoded",
        headers=OURS,
    )

    assert response.status_code == 503


def test_broken_uploads_are_bad_requests(client: Client) -> None:
    off(State.MAINTENANCE)

    response = client.post("/me/", b"--x\r\nnonsense", content_type="multipart/form-data", headers=OURS)

    assert response.status_code == 400


class TestDatabaseAway:
    @pytest.fixture(autouse=True)
    def away(self, monkeypatch: Any, petition: Petition) -> None:
        def fail(**_: Any) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(SiteState.objects, "filter", fail)

    def test_who_asked_in_vain_is_answered_at_once(self, client: Client, petition: Petition) -> None:
        site_state.remember(Notice(), for_seconds=-1)

        page = client.get(petition.get_absolute_url())

        assert page.status_code == 503
        assert "One moment, please" in page.content.decode()

    def test_a_signature_is_kept(self, client: Client, petition: Petition) -> None:
        site_state.remember(Notice(), for_seconds=-1)

        page = sign(client, petition)

        assert page.status_code == 503
        assert 'name="last_name" value="O’Neill"' in page.content.decode()

    def test_maintenance_stays_maintenance(self, client: Client, petition: Petition) -> None:
        site_state.remember(Notice(State.MAINTENANCE), for_seconds=-1)

        assert "Back in a moment" in client.get("/").content.decode()
