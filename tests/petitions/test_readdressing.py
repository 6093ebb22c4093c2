"""Addresses that change: the former ones lead to the new ones for ever, and nobody else gets them."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from petitions.campaign_files.tables import BrokenFile
from petitions.forms.addresses import clean_petition_slug, free_slug
from petitions.models import FormerAddress, Petition
from petitions.readdressing import AddressTaken, move_to
from signers.models import Submission
from staff.models import AuditEntry
from tests.admin_forms import client_of, stored_campaign_form
from tests.factories import make_petition, make_staff
from tests.people import Person, path_of
from tests.petitions.test_campaign_files import load_text

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def moved(petition: Petition, slug: str) -> Petition:
    move_to(petition=petition, slug=slug, actor=None, at=NOW)
    petition.refresh_from_db()
    return petition


def editor() -> Client:
    user = make_staff()
    user.groups.add(Group.objects.get(name="editor"))
    return client_of(user)


def test_a_published_petition_keeps_the_address_it_leaves():
    petition = make_petition(slug="old")

    moved(petition, "new")

    assert petition.slug == "new"
    assert FormerAddress.objects.get().slug == "old"
    assert AuditEntry.objects.get().details == {"former": "old", "now": "new"}


def test_a_draft_just_moves():
    moved(make_petition(slug="old", live=False), "new")

    assert not FormerAddress.objects.exists()


def test_an_address_that_somebody_takes_in_the_very_same_moment_is_refused(monkeypatch):
    petition, _other = make_petition(slug="old"), make_petition(slug="wanted")
    monkeypatch.setattr("petitions.readdressing.owners_of", lambda slugs: {})

    with pytest.raises(AddressTaken):
        move_to(petition=petition, slug="wanted", actor=None, at=NOW)

    assert petition.slug == "old"
    assert not FormerAddress.objects.exists()


def test_an_address_of_another_petition_is_refused_whether_it_has_or_had_it():
    moved(make_petition(slug="old"), "new")
    other = make_petition(slug="other")

    for slug in ("old", "new"):
        with pytest.raises(AddressTaken):
            moved(other, slug)
        with pytest.raises(ValidationError, match="Another petition"):
            clean_petition_slug(slug, other)

    other.refresh_from_db()
    assert other.slug == "other"


def test_moving_back_swaps_the_two():
    petition = moved(moved(make_petition(slug="old"), "new"), "old")

    assert petition.slug == "old"
    assert [former.slug for former in petition.former_addresses.all()] == ["new"]


def test_a_made_up_address_is_never_a_former_one():
    petition = make_petition()
    campaign = petition.campaign
    first = free_slug(campaign, "Hillford")
    moved(moved(petition, first), "elsewhere")

    assert free_slug(campaign, "Hillford") != first


# --- What visitors meet ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "count.json", "versions/"])
def test_an_old_link_leads_to_the_new_address_with_all_it_said(client, ending):
    moved(make_petition(slug="old"), "new")

    response = client.get(f"/petitions/old/{ending}?r=abc&utm_source=poster%20one")

    assert response.status_code == 301
    assert response["Location"] == f"/petitions/new/{ending}?r=abc&utm_source=poster%20one"
    # A browser that never asked again would run in a circle once the petition moves back.
    assert "max-age=0" in response["Cache-Control"]
    assert not response.cookies


def test_every_address_it_ever_had_leads_to_the_one_it_has(client):
    moved(moved(make_petition(slug="first"), "second"), "third")

    for slug in ("first", "second"):
        assert path_of(client.get(f"/petitions/{slug}/")) == "/petitions/third/"


def test_the_old_address_of_a_page_off_the_site_is_not_found(client):
    petition = moved(make_petition(slug="old"), "new")
    Petition.objects.filter(pk=petition.pk).update(live_at=None)

    assert client.get("/petitions/old/").status_code == 404


def test_a_page_costs_one_query_and_one_that_moved_two(client, django_assert_num_queries):
    moved(make_petition(slug="old"), "new")

    with django_assert_num_queries(1):
        client.get("/petitions/new/")
    with django_assert_num_queries(2):
        client.get("/petitions/old/")


def test_a_form_opened_before_the_move_is_not_lost():
    petition = make_petition(slug="old")
    as_opened = Petition.objects.get(pk=petition.pk)
    moved(petition, "new")

    response = Person().signs(as_opened)

    assert response.status_code == 303
    assert path_of(response).startswith("/petitions/new/signed/")
    assert Submission.objects.get().petition_id == petition.pk


def test_a_mistake_on_such_a_form_keeps_what_was_typed():
    petition = make_petition(slug="old")
    as_opened = Petition.objects.get(pk=petition.pk)
    moved(petition, "new")

    response = Person().signs(as_opened, email="no address")

    assert response.status_code == 422
    assert "Rivera" in response.content.decode()


@pytest.mark.parametrize("query", ["%00", "%ED%A0%80", "a=" + "9" * 5000, "%0d%0aSet-Cookie:x=1", "?//["])
def test_odd_queries_lead_on_too(client, query):
    moved(make_petition(slug="old"), "new")

    response = client.get("/petitions/old/", QUERY_STRING=query)

    assert response.status_code == 301
    assert path_of(response) == "/petitions/new/"


# --- What staff meet ---------------------------------------------------------------------------------------


def test_the_petitions_form_moves_it():
    petition = make_petition(slug="old")
    data = {"slug": "new", "headline": "", "local": "", "goal": "", "position": 0}
    data |= {"versions-TOTAL_FORMS": 1, "versions-INITIAL_FORMS": 1}
    data |= {"versions-0-id": petition.current_version_id}

    response = editor().post(reverse("admin:petitions_petition_change", args=[petition.pk]), data)

    assert response.status_code == 302
    petition.refresh_from_db()
    assert (petition.slug, FormerAddress.objects.get().slug) == ("new", "old")


def test_the_campaigns_form_moves_it_and_says_who_did():
    petition = make_petition(slug="old")
    form = stored_campaign_form(petition.campaign) | {"targets-0-slug": "new"}

    response = editor().post(reverse("admin:campaigns_campaign_change", args=[petition.campaign.pk]), form)

    assert response.status_code == 302
    petition.refresh_from_db()
    assert (petition.slug, FormerAddress.objects.get().slug) == ("new", "old")
    assert AuditEntry.objects.get(action="moved to another address").actor_name.startswith("staff-")


def test_an_empty_address_of_a_published_petition_means_the_one_it_has():
    petition = make_petition(slug="old")

    assert clean_petition_slug("", petition) == "old"


CAMPAIGN = """
[organization]
name = "Lamps"
[campaign]
slug = "lamps"
title = "Lamps"
[letters.demand]
headline = "H"
lead_in = "L"
statement = "S"
call_to_action = "C"
body = "B"
"""


def test_a_campaign_file_cannot_take_a_former_address():
    group = CAMPAIGN + "[[groups]]\naddressee = 'All mayors'\nslug = 'all-mayors'\n"
    petition = load_text(group).petitions[0]
    stranger = make_petition(slug="somewhere")
    FormerAddress.objects.create(petition=petition, slug="all")
    FormerAddress.objects.create(petition=stranger, slug="theirs")

    with pytest.raises(BrokenFile, match="has the address “all-mayors” now"):
        load_text(group.replace("'all-mayors'", "'all'").replace("All mayors", "Everybody"))
    with pytest.raises(BrokenFile, match="belongs to a petition of “Open Sundays”"):
        load_text(group.replace("'all-mayors'", "'theirs'").replace("All mayors", "Everybody"))
