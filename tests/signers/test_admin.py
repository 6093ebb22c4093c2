"""Signatures in the admin: found, removed, restored and exported; mail and submissions that wait for staff."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from signers.models import OutgoingMail, Signature, Submission
from staff.models import AuditEntry
from tests.admin_forms import client_of
from tests.factories import (
    NOW,
    make_mail,
    make_petition,
    make_place,
    make_signature,
    make_staff,
    make_submission,
)

pytestmark = pytest.mark.django_db
LIST = "/admin/signers/signature/"


@pytest.fixture
def manager() -> Client:
    user = make_staff()
    user.groups.add(Group.objects.get(name="signature manager"))
    return client_of(user)


def found(client: Client, **query: str) -> set[Signature]:
    return set(client.get(LIST, query).context["cl"].result_list)


def decision_url(verb: str, signature: Signature) -> str:
    return reverse(f"admin:signers_signature_{verb}", args=[signature.pk])


# --- Finding -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["okaf", "OKAFOR", "ada", "Ada Okafor", "okafor, ada", "Okafor Ada", "  ada   oka "]
)
def test_a_signature_is_found_by_the_beginning_of_its_names(manager, typed):
    signature = make_signature(first_name="Ada", last_name="Okafor")
    make_signature(first_name="Bo", last_name="Lind")

    assert found(manager, q=typed) == {signature}


@pytest.mark.parametrize(
    ("name", "typed"), [("Öztürk", "özt"), ("Ødegård", "øde"), ("王", "王"), ("Żuk", "ŻUK")]
)
def test_names_in_any_script_are_found(manager, name, typed):
    signature = make_signature(last_name=name)
    make_signature(last_name="Lind")

    assert found(manager, q=typed) == {signature}


@pytest.mark.parametrize("typed", ["J.Doe+x@gmail.com", "jdoe@gmail.com", "JDOE@GoogleMail.com", "jdoe@"])
def test_a_mailbox_is_found_however_its_address_is_written(manager, typed):
    signature = make_signature(email="j.d.oe+petitions@gmail.com")
    make_signature(email="someone@example.org")

    assert found(manager, q=typed) == {signature}


def test_signatures_are_found_by_the_place_of_their_petition_and_by_postal_code(manager):
    there = make_signature(make_petition(place=make_place(name="Oosterwiek")))
    coded = make_signature(make_petition(), postal_code="4021 AB")
    make_signature()

    assert found(manager, q="ooster") == {there}
    assert found(manager, q="4021 a") == {coded}


@pytest.mark.parametrize(
    "typed", ["\0", "%", "_", "@", "@@@", "'; --", "x" * 50_000, "a " * 10_000, "\u202e", ","]
)
def test_odd_searches_break_nothing(manager, typed):
    make_signature()

    assert manager.get(LIST, {"q": typed}).status_code == 200


def test_wildcards_are_letters_like_any_other(manager):
    make_signature(last_name="Lind")

    assert found(manager, q="%") == set()
    assert found(manager, q="L_nd") == set()


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        ("confirmed", {"confirmed": True}),
        ("accepted", {"accepted": True}),
        ("pending", {}),
        ("held", {"held_at": NOW}),
        ("removed", {"removed_at": NOW, "removal": "staff"}),
    ],
)
def test_the_filter_by_state_agrees_with_the_state_shown(manager, state, fields):
    one = make_signature(**fields)
    for other in (
        {"confirmed": True},
        {"accepted": True},
        {},
        {"held_at": NOW},
        {"removed_at": NOW, "removal": "staff"},
    ):
        if other != fields:
            make_signature(**other)

    assert one.state == state
    assert found(manager, state=state) == {one}


def test_the_list_is_filtered_by_campaign_and_petition(manager):
    one, other = make_signature(), make_signature()

    assert found(manager, campaign=one.petition.campaign.pk) == {one}
    assert found(manager, petition=other.petition.pk) == {other}


def test_the_list_makes_the_same_few_queries_however_long_it_is(manager, django_assert_max_num_queries):
    petition = make_petition()
    for _ in range(40):
        make_signature(petition)

    with django_assert_max_num_queries(12):
        manager.get(LIST, {"petition": petition.pk})


# --- Removing, restoring, releasing ------------------------------------------------------------------------


def test_removing_needs_a_reason_and_is_recorded(manager):
    signature = make_signature(confirmed=True)

    refused = manager.post(decision_url("remove", signature), {"reason": " "})
    manager.post(decision_url("remove", signature), {"reason": "Typed for fun."})

    signature.refresh_from_db()
    assert refused.status_code == 422
    assert signature.state == "removed"
    assert AuditEntry.objects.get(subject_type="signature").reason == "Typed for fun."


def test_a_reason_names_no_address(manager):
    signature = make_signature()

    response = manager.post(decision_url("remove", signature), {"reason": "connie@example.org asked"})

    assert "Leave e-mail addresses out" in response.content.decode()
    assert not AuditEntry.objects.exists()


def test_removing_may_block_the_address_which_can_be_unblocked(manager):
    signature = make_signature()
    supporter = signature.supporter

    manager.post(decision_url("remove", signature), {"reason": "Insults.", "block": "on"})
    supporter.refresh_from_db()
    blocked = supporter.blocked_at
    manager.post(reverse("admin:signers_supporter_unblock", args=[supporter.pk]), {"reason": "Apologized."})

    supporter.refresh_from_db()
    assert blocked
    assert supporter.blocked_at is None


def test_restoring_counts_it_again(manager):
    signature = make_signature(confirmed=True)
    manager.post(decision_url("remove", signature), {"reason": "Mistaken."})

    manager.post(decision_url("restore", signature), {"reason": "Was real."})

    signature.refresh_from_db()
    assert signature.is_counted


def test_a_held_signature_is_released(manager):
    signature = make_signature(held_at=NOW)

    manager.post(decision_url("release", signature), {"reason": "Looks fine."})

    signature.refresh_from_db()
    assert signature.held_at is None


def test_deciding_twice_says_so(manager):
    signature = make_signature()
    manager.post(decision_url("remove", signature), {"reason": "Spam."})

    again = manager.post(decision_url("remove", signature), {"reason": "Spam."}, follow=True)

    assert "Nothing to do" in again.content.decode()


def test_what_its_owner_disowned_is_not_restored(manager):
    signature = make_signature(removed_at=NOW, removal="not-me")

    response = manager.post(decision_url("restore", signature), {"reason": "Why not."})

    assert response.status_code == 422
    assert "Only they can sign again" in response.content.decode()


@pytest.mark.parametrize("verb", ["remove", "restore", "release"])
def test_looking_at_a_decision_decides_nothing(manager, verb):
    signature = make_signature(confirmed=True)
    before = Signature.objects.filter(pk=signature.pk).values().get()

    manager.get(decision_url(verb, signature), {"reason": "x"})

    assert Signature.objects.filter(pk=signature.pk).values().get() == before


def test_a_signature_is_never_edited_by_hand(manager):
    signature = make_signature()

    response = manager.post(f"{LIST}{signature.pk}/change/", {"first_name": "Somebody else"})

    assert response.status_code == 403


# --- Mail and submissions ----------------------------------------------------------------------------------


def test_a_mail_in_doubt_is_sent_again(manager):
    mail = make_mail(make_signature(), handed_over_at=NOW)

    manager.post(
        "/admin/signers/outgoingmail/", {"action": "send_again", "_selected_action": [mail.pk]}, follow=True
    )

    assert OutgoingMail.objects.exclude(pk=mail.pk).get().state == "waiting"


def test_a_sent_mail_is_not_sent_again_and_says_why(manager):
    mail = make_mail(make_signature(), handed_over_at=NOW, sent_at=NOW)

    response = manager.post(
        "/admin/signers/outgoingmail/", {"action": "send_again", "_selected_action": [mail.pk]}, follow=True
    )

    assert "Not sent again" in response.content.decode()
    assert OutgoingMail.objects.count() == 1


def test_only_what_was_set_aside_can_be_deleted(manager):
    petition = make_petition()
    coming = make_submission(petition)
    parked = make_submission(petition, parked_at=NOW, parked_reason="The petition is gone.")

    for submission in (coming, parked):
        manager.post(f"/admin/signers/submission/{submission.pk}/delete/", {"post": "yes"})

    assert list(Submission.objects.all()) == [coming]


def test_the_first_page_tells_what_needs_attention_to_those_who_may_see_it(manager):
    make_mail(make_signature(), handed_over_at=NOW)
    make_submission(make_petition(), parked_at=NOW, parked_reason="?")
    make_signature(held_at=NOW)
    editor = make_staff()
    editor.groups.add(Group.objects.get(name="editor"))

    page = manager.get("/admin/").content.decode()
    other = client_of(editor).get("/admin/").content.decode()

    assert "1 mail in doubt" in page
    assert "1 submission could not become a signature" in page
    assert "1 signature held back" in page
    assert "The worker has never run" in page
    assert "in doubt" not in other
    assert "The worker has never run" in other


# --- Export ------------------------------------------------------------------------------------------------


def exported(client: Client, **filters: object) -> list[dict[str, str]]:
    response = client.post(reverse("admin:signers_signature_export"), filters)
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.django_db(transaction=True)
class TestExport:
    def test_it_has_what_the_list_is_filtered_to_and_is_recorded(self, manager):
        one = make_signature(confirmed=True)
        make_signature(confirmed=True)

        rows = exported(manager, campaign=one.petition.campaign.pk)

        assert [row["number"] for row in rows] == [str(one.pk)]
        entry = AuditEntry.objects.get(action="exported signatures")
        assert entry.details["rows"] == 1
        assert (entry.subject_type, entry.subject_id) == ("campaign", one.petition.campaign.pk)

    def test_everything_is_in_it_as_it_was_typed(self, manager):
        signature = make_signature(
            make_petition(place=make_place(name='Marsa "Lawz"')),
            first_name="زينب",
            last_name="O’Neil, Jr.",
            comment='One line.\nAnother, with “quotes” and "more".',
            email="z.oneil@example.org",
            at=NOW + timedelta(seconds=7),
            confirmed=True,
            is_local=True,
        )

        (row,) = exported(manager)

        assert row["first_name"] == "زينب"
        assert row["last_name"] == "O’Neil, Jr."
        assert row["comment"] == signature.comment
        assert row["place"] == 'Marsa "Lawz"'
        assert row["signed_at"] == row["confirmed_at"] == "2026-05-03T12:00:07+00:00"
        assert (row["local"], row["updates"], row["removed_at"]) == ("yes", "no", "")

    @pytest.mark.parametrize(
        "name",
        [
            "=1+1",
            "+49",
            "-2",
            "@cmd",
            "\t=1",
            " =1",
            "\u200b=1",
            "＝1",
            "﹣1",
            "⁺1",
            "\xa0@x",
            "=cmd|' /C calc'!A0",
        ],
    )
    def test_no_cell_is_a_formula(self, manager, name):
        make_signature(last_name=name)

        (row,) = exported(manager)

        assert row["last_name"] == "'" + name

    @pytest.mark.parametrize("name", ["Smith-Jones", "D’Arc", "'t Hooft", "1st", "–dash", "王=", "(x)"])
    def test_ordinary_names_stay_as_they_are(self, manager, name):
        make_signature(last_name=name)

        (row,) = exported(manager)

        assert row["last_name"] == name

    def test_search_and_state_narrow_it_and_the_log_names_nobody(self, manager):
        make_signature(last_name="Okafor", confirmed=True)
        make_signature(last_name="Okafor")
        make_signature(last_name="Lind", confirmed=True)

        rows = exported(manager, state="confirmed", q="okafor")

        assert [row["last_name"] for row in rows] == ["Okafor"]
        assert "okafor" not in str(AuditEntry.objects.get(action="exported signatures").details).lower()

    def test_a_campaign_that_does_not_exist_exports_nothing(self, manager):
        make_signature()

        assert exported(manager, campaign="9" * 30) == []

    def test_a_reader_who_goes_away_ends_it(self, manager):
        petition = make_petition()
        for _ in range(50):
            make_signature(petition, comment="x" * 5000)
        response = manager.post(reverse("admin:signers_signature_export"))

        first = next(iter(response.streaming_content))
        response.close()

        assert first
        assert exported(manager, petition=petition.pk)[0]["petition"] == petition.slug

    def test_the_file_name_cannot_be_forged(self, manager):
        petition = make_petition(slug="open-sundays")
        response = manager.post(reverse("admin:signers_signature_export"), {"petition": petition.pk})

        b"".join(response.streaming_content)

        assert response["Content-Disposition"].startswith('attachment; filename="signatures-open-sundays-')
        assert response["Cache-Control"].startswith("no-store")

    def test_a_link_alone_exports_nothing(self, manager):
        response = manager.get(reverse("admin:signers_signature_export"))

        assert response.status_code == 302
        assert not AuditEntry.objects.exists()
