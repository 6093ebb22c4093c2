"""The admin's page that switches parts of the site off: two steps, and only for owners."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from staff.models import AuditEntry
from staff.roles import EDITOR, OWNER, PUBLISHER, SIGNATURE_MANAGER
from staff.site_state import Notice, State, stored, switch
from tests.admin_forms import client_of
from tests.factories import NOW, make_staff

pytestmark = pytest.mark.django_db
PAGE = "/admin/site-state/"
PAUSE = {"state": "signing-paused", "message": "Back at <noon>", "reason": "Flood", "was": "full"}


def client_in(role: str) -> Client:
    user = make_staff(password="a-long-password-here")
    user.groups.add(Group.objects.get(name=role))
    return client_of(user)


@pytest.fixture
def owner() -> Client:
    return client_in(OWNER)


def test_page_says_what_each_state_does(owner: Client) -> None:
    page = owner.get(PAGE).content.decode()

    assert "Everything is on" in page
    assert "The worker rests" in page
    assert "Nobody so far." in page


def test_first_asks_whether_it_is_meant(owner: Client) -> None:
    page = owner.post(PAGE, PAUSE).content.decode()

    assert stored() is None
    assert "Switch to “Signing is paused”?" in page
    assert "Back at &lt;noon&gt;" in page


def test_then_switches_and_remembers_who_and_why(owner: Client) -> None:
    response = owner.post(PAGE, PAUSE | {"_confirmed": "1"}, follow=True)

    page = response.content.decode()
    assert stored().state is State.SIGNING_PAUSED
    assert "Switched: Signing is paused." in page
    assert "Flood" in page
    assert AuditEntry.objects.get().actor_name in page


def test_who_has_an_old_page_open_is_asked_again(owner: Client) -> None:
    switch(State.MAINTENANCE, actor=None, at=NOW)

    page = owner.post(PAGE, PAUSE | {"_confirmed": "1"}).content.decode()

    assert stored().state is State.MAINTENANCE
    assert "Somebody else switched the site" in page


@pytest.mark.parametrize(
    "changes",
    [{"reason": ""}, {"state": "asleep"}, {"state": ""}, {"message": "x" * 501}, {"reason": "\x00"}],
)
def test_mistakes_are_told(owner: Client, changes: dict[str, str]) -> None:
    response = owner.post(PAGE, PAUSE | changes | {"_confirmed": "1"})

    assert response.status_code == 422
    assert stored() is None


def test_switching_back_needs_no_reason(owner: Client) -> None:
    switch(State.READ_ONLY, actor=None, at=NOW)

    owner.post(PAGE, {"state": "full", "was": "read-only", "_confirmed": "1"})

    assert stored() == Notice(State.FULL, "", stored().since)


@pytest.mark.parametrize("role", [EDITOR, PUBLISHER, SIGNATURE_MANAGER])
def test_only_owners_may(role: str) -> None:
    client = client_in(role)

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, PAUSE | {"_confirmed": "1"}).status_code == 403
    assert PAGE not in client.get("/admin/").content.decode()


def test_a_get_never_switches(owner: Client) -> None:
    owner.get(PAGE, PAUSE | {"_confirmed": "1"})

    assert stored() is None


def test_every_page_of_the_admin_says_what_is_off(owner: Client) -> None:
    assert "Switch parts of the site off" in owner.get("/admin/").content.decode()
    switch(State.SIGNING_PAUSED, actor=None, at=NOW)

    for address in ("/admin/", "/admin/campaigns/campaign/"):
        assert "<strong>Signing is paused</strong>" in owner.get(address).content.decode()


def test_other_sites_cannot_switch() -> None:
    user = make_staff(is_superuser=True)
    strict: Any = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert strict.post(PAGE, PAUSE | {"_confirmed": "1"}).status_code == 403
    assert stored() is None
