"""Checking, publishing, closing and previewing in the admin."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from petitions.models import Petition, Version
from petitions.publishing import publish
from staff.models import AuditEntry
from tests.admin_forms import client_of
from tests.factories import make_letter, make_petition, make_signature, make_staff

pytestmark = pytest.mark.django_db


def client_with(role: str) -> Client:
    user = make_staff()
    user.groups.add(Group.objects.get(name=role))
    return client_of(user)


@pytest.fixture
def publisher() -> Client:
    return client_with("publisher")


@pytest.fixture
def editor() -> Client:
    return client_with("editor")


@pytest.fixture
def draft() -> Petition:
    return make_petition(live=False)


@pytest.fixture
def live() -> Petition:
    """Published as its letter stands now."""
    petition = make_petition(live=False)
    publish(campaign=petition.campaign, at=timezone.now() - timedelta(days=1))
    petition.refresh_from_db()
    return petition


def publish_url(petition: Petition) -> str:
    return reverse("admin:campaigns_campaign_publish", args=[petition.campaign.pk])


def reviewed(client: Client, petition: Petition, **fields: str) -> dict[str, str]:
    """What the publish button sends after the review was read."""
    response = client.get(publish_url(petition))
    data = {"reviewed": response.context["review"].digest, "when": "now", "_publish": "Publish"}
    if response.context["review"].needs_reason:
        data["needs_reason"] = "on"
    return data | fields


def verb_url(verb: str) -> str:
    return reverse(f"admin:petitions_petition_{verb}")


# --- Publishing --------------------------------------------------------------------------------------------


def test_the_review_shows_what_is_new_and_publishes_nothing(publisher, draft):
    response = publisher.get(publish_url(draft))

    assert "Nothing stands in the way" in response.content.decode()
    assert "1 new, 0 changed" in response.content.decode()
    assert not Version.objects.exists()


def test_publishing_makes_the_page_live(publisher, draft):
    response = publisher.post(publish_url(draft), reviewed(publisher, draft))

    draft.refresh_from_db()
    assert response.status_code == 302
    assert draft.is_live(timezone.now())
    assert draft.current_version.number == 1


def test_publishing_later_schedules_it(publisher, draft):
    tomorrow = timezone.localtime() + timedelta(days=1)
    data = reviewed(publisher, draft, when="later", live_at=f"{tomorrow:%Y-%m-%dT%H:%M}")

    publisher.post(publish_url(draft), data)

    draft.refresh_from_db()
    assert draft.state(timezone.now()) == "scheduled"


@pytest.mark.parametrize(
    "moment", ["", "2001-01-01T10:00", "9999-12-31T23:59", "0001-01-01T00:00", "soon", "\0", "9" * 5000]
)
def test_an_impossible_time_is_told_beside_it(publisher, draft, moment):
    response = publisher.post(publish_url(draft), reviewed(publisher, draft, when="later", live_at=moment))

    assert response.status_code == 422
    assert response.context["form"].errors["live_at"]
    assert not Version.objects.exists()


def test_what_changed_since_the_review_is_shown_again_before_it_is_published(publisher, draft):
    data = reviewed(publisher, draft)
    draft.letter.statement = "Open it on Mondays."
    draft.letter.save()

    response = publisher.post(publish_url(draft), data)

    assert response.status_code == 422
    assert "something changed since you looked" in response.content.decode()
    assert "Open it on Mondays." in response.content.decode()
    assert not Version.objects.exists()


def test_publishing_in_two_tabs_publishes_once(publisher, draft):
    data = reviewed(publisher, draft)

    first = publisher.post(publish_url(draft), data)
    second = publisher.post(publish_url(draft), data)

    assert first.status_code == 302
    assert second.status_code in (302, 422)
    assert Version.objects.count() == 1


def test_mistakes_stand_in_the_way_and_are_named_with_their_place(publisher, draft):
    data = reviewed(publisher, draft)
    draft.letter.body = "See [^nowhere]."
    draft.letter.save()

    response = publisher.post(publish_url(draft), data)

    assert "nowhere" in response.content.decode()
    assert not Version.objects.exists()


def test_a_signed_statement_changes_only_with_a_reason_and_nothing_typed_is_lost(publisher, live):
    make_signature(live, confirmed=True)
    live.letter.statement = "Open the library every Sunday."
    live.letter.save()

    refused = publisher.post(publish_url(live), reviewed(publisher, live, reason=" "))
    done = publisher.post(publish_url(live), reviewed(publisher, live, reason="A word was missing."))

    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    assert done.status_code == 302
    live.refresh_from_db()
    assert live.current_version.reason == "A word was missing."


def test_the_review_shows_changed_words(publisher, live):
    live.letter.statement = "Open the whole library on Sundays."
    live.letter.save()

    page = publisher.get(publish_url(live)).content.decode()

    assert re.search(r"<ins>whole\s*</ins>", page)


def test_an_editor_sees_the_review_and_who_can_publish_but_cannot(editor, draft):
    page = editor.get(publish_url(draft))
    refused = editor.post(publish_url(draft), {"_publish": "Publish", "reviewed": "", "when": "now"})

    assert "up to a publisher or an owner" in page.content.decode()
    assert "_publish" not in page.content.decode()
    assert refused.status_code == 403
    assert not Version.objects.exists()


def test_chosen_petitions_are_published_alone(publisher, draft):
    other = make_petition(letter=draft.letter, live=False)
    chosen = {"action": "check_and_publish", "_selected_action": [draft.pk]}
    page = publisher.post(reverse("admin:petitions_petition_changelist"), chosen)
    data = {"reviewed": page.context["review"].digest, "when": "now", "_publish": "", "petition": [draft.pk]}

    publisher.post(publish_url(draft), data)

    draft.refresh_from_db()
    other.refresh_from_db()
    assert draft.live_at
    assert other.live_at is None


def test_petitions_of_two_campaigns_are_not_published_together(publisher, draft):
    other = make_petition(live=False)
    chosen = {"action": "check_and_publish", "_selected_action": [draft.pk, other.pk]}

    response = publisher.post(reverse("admin:petitions_petition_changelist"), chosen, follow=True)

    assert "Choose petitions of one campaign" in response.content.decode()


# --- Closing and the like ----------------------------------------------------------------------------------


def test_closing_asks_first_and_then_closes_with_a_public_note(publisher, live):
    asked = publisher.get(verb_url("close") + f"?petition={live.pk}")
    still_open = Petition.objects.get(pk=live.pk).is_open(timezone.now())
    publisher.post(
        verb_url("close"),
        {"petition": live.pk, "won": "won", "note": "The doors are open.", "_confirmed": "Close"},
    )

    live.refresh_from_db()
    assert asked.status_code == 200
    assert still_open
    assert live.state(timezone.now()) == "won"
    assert live.closing_note == "The doors are open."


def test_closing_a_closed_petition_says_so(publisher, live):
    data = {"petition": live.pk, "won": "closed", "note": "", "_confirmed": "Close"}
    publisher.post(verb_url("close"), data)

    again = publisher.post(verb_url("close"), data)

    assert again.status_code == 422
    assert "closed already" in again.content.decode()


def test_reopening_needs_a_reason(publisher, live):
    publisher.post(verb_url("close"), {"petition": live.pk, "won": "closed", "_confirmed": ""})

    refused = publisher.post(verb_url("reopen"), {"petition": live.pk, "reason": "", "_confirmed": ""})
    publisher.post(verb_url("reopen"), {"petition": live.pk, "reason": "Too early.", "_confirmed": ""})

    live.refresh_from_db()
    assert refused.status_code == 422
    assert live.is_open(timezone.now())
    assert AuditEntry.objects.filter(action="reopened", reason="Too early.").exists()


def test_unpublishing_takes_the_page_off(publisher, live):
    publisher.post(verb_url("unpublish"), {"petition": live.pk, "reason": "Wrong city.", "_confirmed": ""})

    live.refresh_from_db()
    assert live.live_at is None


def test_closing_can_be_scheduled_and_lifted(publisher, live):
    tomorrow = timezone.localtime() + timedelta(days=1)
    data = {"petition": live.pk, "_confirmed": ""}

    publisher.post(verb_url("schedule-closing"), data | {"closes_at": f"{tomorrow:%Y-%m-%dT%H:%M}"})
    scheduled = Petition.objects.get(pk=live.pk).closes_at
    publisher.post(verb_url("schedule-closing"), data | {"closes_at": ""})

    assert scheduled is not None
    assert Petition.objects.get(pk=live.pk).closes_at is None


def test_several_are_closed_at_once_and_those_that_cannot_be_are_left_out(publisher, live):
    draft = make_petition(live=False)
    chosen = {"action": "close", "_selected_action": [live.pk, draft.pk]}

    page = publisher.post(reverse("admin:petitions_petition_changelist"), chosen)
    publisher.post(verb_url("close"), {"petition": [live.pk], "won": "closed", "_confirmed": ""})

    assert [petition.pk for petition in page.context["left_out"]] == [draft.pk]
    assert [petition.pk for petition in page.context["fitting"]] == [live.pk]
    live.refresh_from_db()
    assert live.closed_at


@pytest.mark.parametrize("verb", ["close", "reopen", "schedule-closing", "unpublish"])
def test_only_publishers_change_a_state(editor, live, verb):
    asked = editor.get(verb_url(verb) + f"?petition={live.pk}")
    done = editor.post(
        verb_url(verb), {"petition": live.pk, "reason": "x", "won": "closed", "_confirmed": ""}
    )

    assert asked.status_code == done.status_code == 403


@pytest.mark.parametrize("verb", ["close", "reopen", "schedule-closing", "unpublish"])
def test_asking_changes_nothing(publisher, live, verb):
    before = Petition.objects.filter(pk=live.pk).values().get()

    publisher.get(verb_url(verb) + f"?petition={live.pk}&_confirmed=1&won=closed&reason=x")
    publisher.post(verb_url(verb), {"petition": live.pk})

    assert Petition.objects.filter(pk=live.pk).values().get() == before


@pytest.mark.parametrize("keys", ["", "abc", "9" * 5000, "-1", "\0", "1' OR 1=1"])
def test_odd_keys_find_nothing(publisher, keys):
    response = publisher.get(verb_url("close"), {"petition": keys})

    assert response.status_code == 200
    assert "nothing to do here" in response.content.decode()


# --- The petition by itself --------------------------------------------------------------------------------


def test_a_petition_to_a_group_is_made_from_its_own_page(editor):
    letter = make_letter()
    data = {
        "letter": letter.pk,
        "addressee": "mayors of the river",
        "headline": "",
        "local": "",
        "goal": "",
        "position": 0,
    }

    response = editor.post(reverse("admin:petitions_petition_add") + f"?campaign={letter.campaign.pk}", data)

    form = reverse("admin:campaigns_campaign_change", args=[letter.campaign.pk])
    assert response["Location"] == f"{form}#groups-heading"
    petition = Petition.objects.get()
    assert petition.slug == f"{letter.campaign.slug}-mayors-of-the-river"
    assert petition.target is None


def test_a_petition_to_a_group_begins_with_the_only_letter_and_no_empty_list(editor):
    letter = make_letter()

    response = editor.get(reverse("admin:petitions_petition_add") + f"?campaign={letter.campaign.pk}")

    assert response.context["adminform"].form["letter"].value() == letter.pk
    assert "Published versions" not in response.content.decode()


def test_a_member_of_another_campaign_is_refused(editor):
    letter, stranger = make_letter(), make_petition(live=False).target
    data = {"letter": letter.pk, "addressee": "mayors", "members": [stranger.pk], "position": 0}

    response = editor.post(reverse("admin:petitions_petition_add"), data)

    assert stranger.name in str(response.context["adminform"].form.errors["members"])


def test_a_group_without_an_addressee_is_refused(editor):
    response = editor.post(
        reverse("admin:petitions_petition_add"), {"letter": make_letter().pk, "position": 0}
    )

    assert "addressee" in response.context["adminform"].form.errors


def test_saving_a_petition_keeps_what_was_decided_meanwhile(editor, publisher, live):
    url = reverse("admin:petitions_petition_change", args=[live.pk])
    data = {"slug": live.slug, "headline": "Now with a headline", "local": "", "goal": "", "position": 0}
    data |= {"versions-TOTAL_FORMS": 1, "versions-INITIAL_FORMS": 1, "versions-0-id": live.current_version_id}
    publisher.post(verb_url("close"), {"petition": live.pk, "won": "closed", "_confirmed": ""})

    response = editor.post(url, data)

    live.refresh_from_db()
    assert response.status_code == 302
    assert live.headline == "Now with a headline"
    assert live.closed_at is not None


def test_a_published_petition_cannot_be_deleted(publisher, live):
    response = publisher.post(reverse("admin:petitions_petition_delete", args=[live.pk]), {"post": "yes"})

    assert response.status_code == 403


def test_no_lookup_leads_from_petitions_to_signers(editor, live):
    make_signature(live, email="someone@example.org")

    response = editor.get(
        reverse("admin:petitions_petition_changelist"), {"signatures__email__startswith": "some"}
    )

    assert response.status_code == 400


# --- Preview -----------------------------------------------------------------------------------------------


def test_a_draft_can_be_seen_without_a_version_being_stored(editor, draft):
    frame = editor.get(reverse("admin:petitions_petition_preview", args=[draft.pk]))
    page = editor.get(reverse("admin:petitions_petition_preview_part", args=[draft.pk, "page"]))

    assert f"{draft.pk}/preview/page/" in frame.content.decode()
    assert "Open the library on Sundays." in page.content.decode()
    assert not Version.objects.exists()


@pytest.mark.parametrize("part", ["mail", "mail-text"])
def test_the_confirmation_mail_can_be_seen(editor, draft, part):
    response = editor.get(reverse("admin:petitions_petition_preview_part", args=[draft.pk, part]))

    assert "Open the library on Sundays." in response.content.decode()


@pytest.mark.parametrize("part", ["page", "mail", "mail-text"])
def test_a_preview_is_framed_by_our_own_pages_only(editor, draft, part):
    frame = editor.get(reverse("admin:petitions_petition_preview", args=[draft.pk]))
    inside = editor.get(reverse("admin:petitions_petition_preview_part", args=[draft.pk, part]))

    assert "frame-src 'self'" in frame["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in frame["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in inside["Content-Security-Policy"]
    assert "unsafe" not in inside["Content-Security-Policy"] + frame["Content-Security-Policy"]
    assert inside["X-Frame-Options"] == "SAMEORIGIN"
    assert inside["Cache-Control"].startswith("no-store")


def test_what_cannot_be_shown_says_why(editor, draft):
    draft.letter.body = "See [^nowhere]."
    draft.letter.save()

    frame = editor.get(reverse("admin:petitions_petition_preview", args=[draft.pk]))
    inside = editor.get(reverse("admin:petitions_petition_preview_part", args=[draft.pk, "page"]))

    assert "nowhere" in frame.content.decode()
    assert "<iframe" not in frame.content.decode()
    assert inside.status_code == 422


def test_an_unknown_part_is_not_found(editor, draft):
    response = editor.get(reverse("admin:petitions_petition_preview_part", args=[draft.pk, "nonsense"]))

    assert response.status_code == 404


def test_the_table_of_versions_can_be_scrolled_by_the_keyboard(editor, live):
    response = editor.get(reverse("admin:petitions_petition_change", args=[live.pk]))

    assert 'tabindex="0" role="region" aria-label="Published versions"' in response.content.decode()
