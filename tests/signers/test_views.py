"""The sign post and what follows it, from outside."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from petitions.closing import close, unpublish
from petitions.models import Petition
from signers import tokens, views
from signers.confirming import confirm, disown
from signers.models import CountChange, Signature, Submission
from signers.removing import remove
from tests import factories

pytestmark = pytest.mark.django_db

TYPED = {"first_name": "Connie", "last_name": "Rivera", "email": "connie@people.example", "updates": "no"}
OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def petition() -> Petition:
    return factories.make_petition()


def post(client: Client, petition: Petition, *, headers: dict[str, str] | None = None, **changes: str) -> Any:
    data = {name: value for name, value in (TYPED | changes).items() if value is not None}
    return client.post(
        f"/petitions/{petition.slug}/sign/", data, headers=OURS if headers is None else headers
    )


def test_signing_is_one_insert_and_a_redirect(client: Client, petition: Petition) -> None:
    response = post(client, petition)

    assert response.status_code == 303
    assert re.fullmatch(rf"/petitions/{petition.slug}/signed/[a-z0-9]{{10}}/", response["Location"])
    typed = Submission.objects.get()
    assert (typed.first_name, typed.last_name, typed.email) == ("Connie", "Rivera", "connie@people.example")
    assert typed.updates is False
    assert "updates by e-mail" in typed.wording
    assert typed.version_id == petition.current_version_id


def test_signing_takes_two_reads_and_one_insert(
    client: Client, petition: Petition, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(3) as queries:
        post(client, petition)

    inserts = [query for query in queries.captured_queries if query["sql"].startswith("INSERT")]
    assert len(inserts) == 1


def test_signing_sets_no_cookie_and_is_never_stored(client: Client, petition: Petition) -> None:
    response = post(client, petition)

    assert not response.cookies
    assert "no-store" in response["Cache-Control"]


def test_mistakes_are_told_beside_their_fields_and_nothing_typed_is_lost(
    client: Client, petition: Petition
) -> None:
    response = post(client, petition, last_name="", email="connie@", updates="")

    page = response.content.decode()
    assert response.status_code == 422
    assert Submission.objects.count() == 0
    assert 'value="Connie"' in page
    assert 'value="connie@"' in page
    assert 'aria-invalid="true"' in page
    assert "Choose yes or no. Your signature counts either way." in page


@pytest.mark.parametrize("name", ["http://spam.example", "www.spam.example", "<b>x</b>", "12345", "a" * 81])
def test_names_that_are_none_are_refused(client: Client, petition: Petition, name: str) -> None:
    assert post(client, petition, first_name=name).status_code == 422


@pytest.mark.parametrize("name", ["李", "بن علي", "O’Neill", "Nguyễn Thị", "J.R.", "Ðórr"])
def test_names_in_any_script_are_welcome(client: Client, petition: Petition, name: str) -> None:
    assert post(client, petition, last_name=name).status_code == 303


def test_typo_in_the_address_never_blocks_and_is_asked_about(client: Client, petition: Petition) -> None:
    response = post(client, petition, email="connie@gmial.com")

    assert response.status_code == 303
    assert response["Location"].endswith("?mail=gmial.com")
    page = client.get(response["Location"]).content.decode()
    assert "gmial.com" in page
    assert "gmail.com" in page


@pytest.mark.parametrize("hint", ["gmail.com", "<script>", "a@b", "x" * 5000, "\x00"])
def test_hint_in_the_address_bar_shows_known_typos_only(
    client: Client, petition: Petition, hint: str
) -> None:
    response = client.get(f"/petitions/{petition.slug}/signed/abcdefghjk/", {"mail": hint})

    assert response.status_code == 200
    assert "<script>" not in response.content.decode()


def test_honeypot_is_evidence_and_no_refusal(client: Client, petition: Petition) -> None:
    response = post(client, petition, website="https://spam.example")

    assert response.status_code == 303
    assert "honeypot" in Submission.objects.get().evidence


def test_page_that_was_open_too_briefly_is_evidence(client: Client, petition: Petition) -> None:
    post(client, petition, elapsed="350")

    assert "too-fast" in Submission.objects.get().evidence


def test_forged_stamp_is_evidence(client: Client, petition: Petition) -> None:
    post(client, petition, stamp="made-up")

    assert "forged-form" in Submission.objects.get().evidence


def test_referral_code_comes_from_the_address_of_the_page(client: Client, petition: Petition) -> None:
    referer = f"http://testserver/petitions/{petition.slug}/?utm_source=x&r=abc234defg"

    post(client, petition, headers=OURS | {"referer": referer})

    assert Submission.objects.get().referral == "abc234defg"


@pytest.mark.parametrize(
    "referer", ["http://[bad", "http://x/?r=<script>", "http://x/?r=" + "a" * 999, "\x00"]
)
def test_odd_referers_are_ignored(client: Client, petition: Petition, referer: str) -> None:
    assert post(client, petition, headers=OURS | {"referer": referer}).status_code == 303
    assert Submission.objects.get().referral == ""


def test_fields_not_asked_for_are_not_taken(client: Client, petition: Petition) -> None:
    post(client, petition, postal_code="94301", comment="Because.")

    typed = Submission.objects.get()
    assert (typed.postal_code, typed.comment) == ("", "")


def test_fields_asked_for_are_taken_and_checked(client: Client, petition: Petition) -> None:
    Campaign.objects.update(asks_postal_code=True, asks_country=True, asks_comment=True)

    refused = post(client, petition, postal_code="", country="XX")
    taken = post(client, petition, postal_code="94301", country="US", comment="Because.")

    assert refused.status_code == 422
    assert taken.status_code == 303
    typed = Submission.objects.get()
    assert (typed.postal_code, typed.country, typed.comment) == ("94301", "US", "Because.")


class TestOrigin:
    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "same-origin"},
            {"origin": "http://testserver"},
            {"sec-fetch-site": "none", "origin": "http://testserver"},
            {"origin": settings.SITE_URL},
        ],
    )
    def test_our_own_page_may_post(self, petition: Petition, headers: dict[str, str]) -> None:
        assert post(Client(enforce_csrf_checks=True), petition, headers=headers).status_code == 303

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site", "origin": "https://evil.example"},
            {"sec-fetch-site": "cross-site", "origin": "https://testserver.evil.example"},
        ],
    )
    def test_other_sites_may_not(self, petition: Petition, headers: dict[str, str]) -> None:
        response = post(Client(enforce_csrf_checks=True), petition, headers=headers)

        assert response.status_code == 403
        assert Submission.objects.count() == 0

    def test_a_silent_browser_is_asked_for_one_more_click(self, petition: Petition) -> None:
        client = Client(enforce_csrf_checks=True)

        asked = post(client, petition, headers={})
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', asked.content.decode())

        assert asked.status_code == 403
        assert token is not None
        assert 'value="connie@people.example"' in asked.content.decode()
        assert "no-store" in asked["Cache-Control"]
        assert post(client, petition, headers={}, csrfmiddlewaretoken=token[1]).status_code == 303

    def test_token_without_its_cookie_is_worth_nothing(self, petition: Petition) -> None:
        response = post(Client(enforce_csrf_checks=True), petition, headers={}, csrfmiddlewaretoken="x" * 64)

        assert response.status_code == 403
        assert Submission.objects.count() == 0


def test_reading_the_sign_address_is_refused(client: Client, petition: Petition) -> None:
    assert client.get(f"/petitions/{petition.slug}/sign/").status_code == 405


def test_closed_petition_takes_no_signature(client: Client, petition: Petition) -> None:
    close(petition=petition, actor=None, at=timezone.now())

    response = post(client, petition)

    assert response.status_code == 409
    assert Submission.objects.count() == 0


def test_unknown_petition_is_not_found(client: Client) -> None:
    assert client.post("/petitions/nowhere/sign/", TYPED, headers=OURS).status_code == 404


def test_database_away_keeps_what_was_typed(
    client: Client, petition: Petition, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(views, "submit", fail)

    response = post(client, petition)

    assert response.status_code == 503
    assert 'value="connie@people.example"' in response.content.decode()
    assert response["Retry-After"] == "10"


class TestConfirming:
    @pytest.fixture
    def signature(self, petition: Petition) -> Signature:
        return factories.make_signature(petition=petition, first_name="Connie")

    @pytest.fixture
    def address(self, signature: Signature) -> str:
        return urlsplit(tokens.confirm_link(signature, timezone.now())).path

    def test_opening_the_link_changes_nothing(
        self, client: Client, signature: Signature, address: str
    ) -> None:
        response = client.get(address)

        signature.refresh_from_db()
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
        assert signature.confirmed_at is None

    def test_pressing_the_button_counts_once_however_often(
        self, client: Client, signature: Signature, address: str
    ) -> None:
        answers = [client.post(address).status_code for _ in range(3)]

        signature.refresh_from_db()
        assert answers == [200, 200, 200]
        assert signature.confirmed_at is not None
        assert CountChange.objects.count() == 1

    def test_pages_with_a_person_on_them_show_no_address(
        self, client: Client, signature: Signature, address: str
    ) -> None:
        for response in (client.get(address), client.post(address), client.get(address)):
            assert signature.email not in response.content.decode()

    def test_owner_sees_what_the_click_makes_true(
        self, client: Client, signature: Signature, address: str
    ) -> None:
        """Whoever knows an address can sign up with it again, under another name and another choice."""
        before = client.get(address).content.decode()
        after = client.post(address).content.decode()

        assert f"{signature.first_name} {signature.last_name}" in before
        assert "Updates by e-mail" in before
        assert signature.last_name not in after

    @pytest.mark.parametrize("token", ["x", "A" * 38, "é", "..", "a" * 5000])
    def test_forged_links_are_told_apart_from_nothing(self, client: Client, token: str) -> None:
        for purpose in ("confirm", "not-me"):
            for answer in (client.get(f"/{purpose}/{token}/"), client.post(f"/{purpose}/{token}/")):
                assert answer.status_code == 404

    def test_token_of_another_purpose_is_forged(self, client: Client, signature: Signature) -> None:
        token = urlsplit(tokens.not_me_link(signature, timezone.now())).path.split("/")[2]

        assert client.post(f"/confirm/{token}/").status_code == 404

    def test_expired_link_leads_back_to_the_petition(
        self, client: Client, signature: Signature, petition: Petition
    ) -> None:
        old = urlsplit(tokens.confirm_link(signature, timezone.now() - timedelta(days=31))).path

        for response in (client.get(old), client.post(old)):
            assert response.status_code == 410
            assert f"/petitions/{petition.slug}/" in response.content.decode()
        signature.refresh_from_db()
        assert signature.confirmed_at is None

    def test_petition_closed_in_between(
        self, client: Client, petition: Petition, signature: Signature, address: str
    ) -> None:
        close(petition=petition, actor=None, at=timezone.now())

        assert client.get(address).status_code == 410
        assert client.post(address).status_code == 410
        assert CountChange.objects.count() == 0

    def test_confirmed_before_closing_stays_confirmed(
        self, client: Client, petition: Petition, signature: Signature, address: str
    ) -> None:
        confirm(signature_id=signature.pk, at=timezone.now())
        close(petition=petition, actor=None, at=timezone.now())

        assert client.get(address).status_code == 200

    def test_unpublished_petition_is_no_error(
        self, client: Client, petition: Petition, signature: Signature, address: str
    ) -> None:
        unpublish(petition=petition, actor=None, at=timezone.now(), reason="Wrong name.")

        for response in (client.get(address), client.post(address)):
            assert response.status_code == 410
            assert "not on our site at the moment" in response.content.decode()

    def test_confirmed_signature_under_an_unpublished_petition_is_no_broken_link(
        self, client: Client, petition: Petition, signature: Signature, address: str
    ) -> None:
        confirm(signature_id=signature.pk, at=timezone.now())
        unpublish(petition=petition, actor=None, at=timezone.now(), reason="Wrong name.")

        for response in (client.get(address), client.post(address)):
            assert response.status_code == 410
            assert "not on our site at the moment" in response.content.decode()

    def test_expired_link_of_a_confirmed_signature_says_that_it_stands(
        self, client: Client, signature: Signature
    ) -> None:
        confirm(signature_id=signature.pk, at=timezone.now())
        old = urlsplit(tokens.confirm_link(signature, timezone.now() - timedelta(days=31))).path

        for response in (client.get(old), client.post(old)):
            assert response.status_code == 200
            assert "It stands, and it counts once." in response.content.decode()

    def test_who_was_removed_by_staff_is_not_told_to_sign_again(
        self, client: Client, signature: Signature, address: str
    ) -> None:
        remove(signature=signature, actor=None, at=timezone.now(), reason="Invented.")

        assert "sign again" not in client.get(address).content.decode()

    def test_removed_signature_cannot_be_confirmed(
        self, client: Client, signature: Signature, address: str
    ) -> None:
        disown(signature_id=signature.pk, at=timezone.now(), block=False)

        assert client.get(address).status_code == 410
        assert client.post(address).status_code == 410


class TestNotMe:
    @pytest.fixture
    def signature(self, petition: Petition) -> Signature:
        return factories.make_signature(petition=petition)

    @pytest.fixture
    def address(self, signature: Signature) -> str:
        return urlsplit(tokens.not_me_link(signature, timezone.now())).path

    def test_opening_the_link_changes_nothing(
        self, client: Client, signature: Signature, address: str
    ) -> None:
        assert client.get(address).status_code == 200

        signature.refresh_from_db()
        assert signature.removed_at is None

    def test_pressing_the_button_removes_it(self, client: Client, signature: Signature, address: str) -> None:
        assert client.post(address).status_code == 200
        assert client.post(address).status_code == 200
        assert client.get(address).status_code == 200

        signature.refresh_from_db()
        assert signature.removal == Signature.Removal.NOT_ME
        assert signature.supporter.blocked_at is None

    def test_expired_link_says_how_else_to_have_it_removed(
        self, client: Client, signature: Signature
    ) -> None:
        old = urlsplit(tokens.not_me_link(signature, timezone.now() - timedelta(days=91))).path

        for response in (client.get(old), client.post(old)):
            assert response.status_code == 410
            assert "Answer the e-mail" in response.content.decode()
            assert "ign again" not in response.content.decode()

    def test_the_address_can_be_blocked_too(self, client: Client, signature: Signature, address: str) -> None:
        client.post(address, {"block": "yes"})

        signature.supporter.refresh_from_db()
        assert signature.supporter.blocked_at is not None
