"""What becomes of a submission."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from petitions.models import Tally
from signers.confirming import confirm, disown
from signers.counting import add_up
from signers.folding import fold, is_local, unpark
from signers.models import CountChange, OutgoingMail, Signature, Submission, Supporter
from signers.removing import remove
from staff.models import AuditEntry
from tests.factories import (
    NOW,
    make_petition,
    make_place,
    make_signature,
    make_staff,
    make_submission,
    make_supporter,
    make_version,
)
from tests.threads import in_parallel

AFTERWARDS = Campaign.Confirmation.AFTERWARDS
LATER = NOW + timedelta(minutes=10)


def messages():
    return list(OutgoingMail.objects.order_by("id").values_list("message", flat=True))


@pytest.fixture
def petition(db):
    return make_petition()


# --- A first signature ---------------------------------------------------------------------------------------


def test_submission_becomes_a_pending_signature_with_a_mail(petition):
    submission = make_submission(petition, comment="Because.", evidence=["typo"], referral="abcdefghjk")

    folded = fold(at=NOW)

    signature = Signature.objects.get()
    assert folded == 1
    assert not Submission.objects.exists()
    assert signature.state == "pending"
    for field in (
        "first_name",
        "last_name",
        "email",
        "comment",
        "evidence",
        "referral",
        "referral_code",
        "wording",
    ):
        assert getattr(signature, field) == getattr(submission, field)
    assert (signature.version, signature.signed_at) == (petition.current_version, submission.received_at)
    mail = OutgoingMail.objects.get()
    assert (mail.event, mail.message, mail.to) == (
        f"confirm:{signature.pk}:1",
        "confirm",
        "connie@example.org",
    )
    assert (mail.signature, mail.supporter, mail.due_at) == (signature, signature.supporter, NOW)


def test_pending_signature_does_not_count(petition):
    make_submission(petition)

    fold(at=NOW)

    assert not CountChange.objects.exists()


def test_nothing_to_fold_is_nothing_done(petition):
    assert fold(at=NOW) == 0


def test_no_more_than_the_limit_is_folded_at_once_and_the_oldest_first(petition):
    for name in ("a", "b", "c"):
        make_submission(petition, email=f"{name}@example.org")

    folded = fold(at=NOW, limit=2)

    assert folded == 2
    assert Submission.objects.get().email == "c@example.org"


def test_one_supporter_signs_several_petitions(petition):
    other = make_petition()
    make_submission(petition)
    make_submission(other)

    fold(at=NOW)

    assert Supporter.objects.count() == 1
    assert Signature.objects.count() == 2


def test_consent_waits_for_the_confirmation(petition):
    make_submission(petition, updates=True)

    fold(at=NOW)

    assert Signature.objects.get().updates is True
    assert not Signature.objects.get().supporter.consents.exists()


@pytest.mark.parametrize(
    ("code", "prefixes", "expected"),
    [
        ("94301", "941 942 94301", True),
        ("9410", "941 942", True),
        ("sw1a 1aa", "N1,SW1A", True),
        (" SW1A1AA", "sw1a", True),
        ("95101", "941 942", False),
        ("", "941", False),
        ("94301", "", False),
        ("94301", " , ", False),
    ],
)
def test_local_is_who_has_a_postal_code_of_the_place(code, prefixes, expected):
    assert is_local(code, prefixes) is expected


def test_local_signature_is_marked(db):
    petition = make_petition(place=make_place(postal_prefixes="941 942"))
    make_submission(petition, postal_code="94 107")

    fold(at=NOW)

    assert Signature.objects.get().is_local


def test_petition_to_a_group_has_no_local_signatures(db):
    petition = make_petition(live=False)
    petition.target, petition.addressee = None, "mayors everywhere"
    petition.save()
    make_version(petition)
    make_submission(petition, postal_code="94107")

    fold(at=NOW)

    assert not Signature.objects.get().is_local


# --- Signing again -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["CONNIE@example.org", "connie@EXAMPLE.ORG"])
def test_second_signature_of_a_mailbox_is_quietly_merged(petition, again):
    make_submission(petition)
    make_submission(petition, email=again)

    fold(at=NOW)

    assert Signature.objects.count() == 1
    assert messages() == ["confirm"]


def test_gmail_dots_and_tags_are_one_mailbox_and_mail_goes_to_what_was_typed(petition):
    make_submission(petition, email="connie.reed+pets@gmail.com")
    fold(at=NOW)
    make_submission(petition, email="conniereed@gmail.com")

    fold(at=LATER)

    assert Supporter.objects.get().mailbox == "conniereed@gmail.com"
    assert [mail.to for mail in OutgoingMail.objects.order_by("id")] == [
        "connie.reed+pets@gmail.com",
        "conniereed@gmail.com",
    ]


def test_pending_signature_takes_on_what_was_typed_last(petition):
    make_submission(petition, first_name="Conie", updates=True, comment="x")
    fold(at=NOW)
    newer = make_version(petition, statement="Open it on Sundays, please.")
    make_submission(petition, first_name="Connie", version_id=newer.pk, received_at=LATER)

    fold(at=LATER)

    signature = Signature.objects.get()
    assert (signature.first_name, signature.updates, signature.comment) == ("Connie", False, "")
    assert (signature.version, signature.signed_at, signature.state) == (newer, LATER, "pending")
    assert messages() == ["confirm", "confirm"]


def test_the_last_of_one_batch_holds(petition):
    make_submission(petition, first_name="Conie")
    make_submission(petition, first_name="Connie")

    fold(at=NOW)

    assert Signature.objects.get().first_name == "Connie"


def test_confirmed_signature_stays_as_it_is_and_its_owner_is_told(petition):
    signature = make_signature(petition, email="connie@example.org", confirmed=True)
    make_submission(petition, first_name="Mallory", comment="Nonsense", updates=True)

    fold(at=NOW)

    before = signature.referral_code
    signature.refresh_from_db()
    assert (signature.first_name, signature.comment, signature.updates) == ("Connie", "", False)
    assert signature.referral_code == before
    assert messages() == ["already-signed"]
    assert not CountChange.objects.exists()


def test_confirming_and_signing_again_at_once_tells_so(petition):
    make_submission(petition)
    fold(at=NOW)
    confirm(signature_id=Signature.objects.get().pk, at=NOW)
    make_submission(petition)

    fold(at=NOW)

    assert messages() == ["confirm", "already-signed"]


def test_accepted_signature_is_asked_to_confirm_again(db):
    petition = make_petition(confirmation=AFTERWARDS)
    make_submission(petition)
    fold(at=NOW)
    make_submission(petition, first_name="Mallory")

    fold(at=LATER)

    assert Signature.objects.get().first_name == "Connie"
    assert messages() == ["confirm", "confirm"]
    assert CountChange.objects.count() == 1


def test_disowned_signature_can_be_signed_afresh(petition):
    signature = make_signature(petition, email="connie@example.org", confirmed=True)
    disown(signature_id=signature.pk, at=NOW, block=False)
    make_submission(petition, received_at=LATER)

    fold(at=LATER)

    signature.refresh_from_db()
    assert (signature.state, signature.first_name, signature.removal) == ("pending", "Connie", "")
    assert signature.confirmed_at is None
    assert messages() == ["confirm"]


def test_disowned_signature_does_not_count_before_it_is_proven_whatever_the_campaign_says(db):
    petition = make_petition(confirmation=AFTERWARDS)
    signature = make_signature(petition, email="connie@example.org", accepted=True)
    disown(signature_id=signature.pk, at=NOW, block=False)
    CountChange.objects.all().delete()
    for _ in range(2):
        make_submission(petition)
        fold(at=LATER)

    signature.refresh_from_db()
    assert signature.state == "pending"
    assert not CountChange.objects.exists()


def test_what_staff_removed_is_dropped_silently(petition):
    signature = make_signature(petition, email="connie@example.org", confirmed=True)
    remove(signature=signature, actor=make_staff(), at=NOW, reason="Abuse")
    CountChange.objects.all().delete()
    make_submission(petition)

    folded = fold(at=NOW)

    signature.refresh_from_db()
    assert (folded, signature.state, messages()) == (1, "removed", [])
    assert not Submission.objects.exists()


def test_blocked_mailbox_is_dropped_silently(petition):
    make_supporter("connie@example.org", blocked_at=NOW)
    make_submission(petition)

    folded = fold(at=NOW)

    assert (folded, messages()) == (1, [])
    assert not Signature.objects.exists()
    assert not Submission.objects.exists()


# --- Evidence ------------------------------------------------------------------------------------------------


def test_honeypot_holds_the_signature_for_staff_without_a_mail(db):
    petition = make_petition(confirmation=AFTERWARDS)
    make_submission(petition, evidence=["honeypot"])

    fold(at=NOW)

    assert Signature.objects.get().state == "held"
    assert messages() == []
    assert not CountChange.objects.exists()


@pytest.mark.parametrize("state", [{}, {"confirmed": True}, {"accepted": True}])
def test_honeypot_touches_no_earlier_signature(petition, state):
    signature = make_signature(petition, email="connie@example.org", **state)
    before = signature.state
    make_submission(petition, first_name="Bot", evidence=["honeypot"])

    fold(at=NOW)

    signature.refresh_from_db()
    assert (signature.state, signature.first_name, messages()) == (before, "Connie", [])


def test_person_held_by_mistake_signs_again(petition):
    make_submission(petition, evidence=["honeypot"])
    fold(at=NOW)
    make_submission(petition)

    fold(at=NOW)

    assert Signature.objects.get().state == "pending"
    assert messages() == ["confirm"]


def test_afterwards_counts_at_once(db):
    petition = make_petition(confirmation=AFTERWARDS, place=make_place(postal_prefixes="941"))
    make_submission(petition, evidence=["typo", "stale-form"], postal_code="94107")

    fold(at=NOW)
    add_up(at=NOW)

    signature = Signature.objects.get()
    assert (signature.state, signature.accepted_at) == ("accepted", NOW)
    assert (Tally.objects.get().count, Tally.objects.get().local) == (1, 1)
    assert messages() == ["confirm"]


@pytest.mark.parametrize("evidence", ["too-fast", "forged-form"])
def test_afterwards_waits_for_the_mailbox_when_something_is_odd(db, evidence):
    petition = make_petition(confirmation=AFTERWARDS)
    make_submission(petition, evidence=[evidence])

    fold(at=NOW)

    assert Signature.objects.get().state == "pending"
    assert messages() == ["confirm"]


# --- What cannot be folded -----------------------------------------------------------------------------------


def test_signature_received_while_open_is_folded_after_closing(petition):
    make_submission(petition, received_at=NOW)
    petition.closed_at = NOW + timedelta(seconds=1)
    petition.save()

    fold(at=LATER)

    assert Signature.objects.get().state == "pending"


@pytest.mark.parametrize(
    "dates",
    [
        {"closed_at": NOW},
        {"closes_at": NOW},
    ],
)
def test_signature_received_while_not_open_is_parked(petition, dates):
    for name, value in dates.items():
        setattr(petition, name, value)
    petition.save()
    make_submission(petition, received_at=NOW)

    folded = fold(at=LATER)

    submission = Submission.objects.get()
    assert (folded, submission.parked_at) == (1, LATER)
    assert submission.parked_reason == "The petition was not open when this was signed."
    assert not Supporter.objects.exists()


def test_signature_of_a_version_not_yet_published_is_parked(petition):
    make_submission(petition, received_at=NOW - timedelta(days=3))

    fold(at=LATER)

    assert Submission.objects.get().parked_reason == "The petition was not open when this was signed."


def test_signature_counts_although_the_web_server_s_clock_is_behind_that_of_who_published(petition):
    make_submission(petition, received_at=NOW - timedelta(hours=1))

    fold(at=LATER)

    assert Signature.objects.get().petition == petition


@pytest.mark.parametrize("live_at", [None, NOW + timedelta(minutes=5)])
def test_signature_received_before_the_page_was_taken_off_the_site_is_kept(petition, live_at):
    """Also where the page came back meanwhile: a worker that was away must not cost a signature."""
    make_submission(petition, received_at=NOW)
    petition.live_at = live_at
    petition.save()

    fold(at=LATER)

    assert Signature.objects.get().state == "pending"
    assert not Submission.objects.exists()


def test_unknown_petition_and_foreign_version_are_parked_and_the_rest_goes_on(petition):
    make_submission(petition, petition_id=10**15)
    make_submission(petition, version_id=make_petition().current_version_id)
    make_submission(petition)

    folded = fold(at=NOW)

    assert folded == 3
    assert Signature.objects.count() == 1
    assert sorted(Submission.objects.values_list("parked_reason", flat=True)) == [
        "The version shown does not belong to the petition.",
        "There is no such petition.",
    ]


@pytest.mark.parametrize("poison_at", [0, 3, 6])
def test_row_that_cannot_be_folded_is_parked_and_the_rest_goes_on(petition, poison_at):
    for number in range(7):
        evidence = {"evidence": 7} if number == poison_at else {}
        make_submission(petition, email=f"{number}@example.org", **evidence)

    folded = fold(at=NOW)

    parked = Submission.objects.get()
    assert folded == 7
    assert (parked.email, parked.parked_at) == (f"{poison_at}@example.org", NOW)
    assert parked.parked_reason == "Could not be folded: TypeError."
    assert Signature.objects.count() == 6
    assert fold(at=NOW) == 0


def test_log_of_a_parked_row_names_nobody(petition, caplog):
    make_submission(petition, evidence=7)

    fold(at=NOW)

    assert "parked" in caplog.text
    assert "connie" not in caplog.text.lower()


def test_parked_row_gets_another_try(petition):
    waiting, staff = make_submission(petition, email="other@example.org"), make_staff()
    submission = make_submission(petition, parked_at=NOW, parked_reason="Odd.")

    unparked = unpark(submissions=[submission, waiting], actor=staff, at=LATER)
    fold(at=LATER)

    assert unparked == 1
    assert Signature.objects.count() == 2
    assert AuditEntry.objects.get().subject_id == submission.pk


def test_trouble_with_the_database_parks_nothing(petition, monkeypatch):
    make_submission(petition)
    monkeypatch.setattr("signers.folding._supporters", _raise(OperationalError("gone")))

    with pytest.raises(OperationalError):
        fold(at=NOW)

    assert Submission.objects.get().parked_at is None


def _raise(error):
    def function(*_args, **_options):
        raise error

    return function


# --- Cost and concurrency ------------------------------------------------------------------------------------


def test_number_of_queries_does_not_depend_on_the_size_of_the_batch(db):
    petitions = [make_petition(confirmation=AFTERWARDS) for _ in range(5)]

    def fill(number):
        for n in range(number):
            make_submission(petitions[n % 5], email=f"{number}.{n}@example.org")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            fold(at=NOW)
        return len(captured)

    # SQLite takes at most 999 values in one statement, so that its larger batches need more statements.
    fill(5)
    few = queries()
    fill(45)
    many = queries()

    assert Signature.objects.count() == 50
    assert few == many <= 17


@pytest.mark.django_db(transaction=True)
def test_hundred_identical_submissions_and_several_workers_make_one_signature_and_one_mail():
    petition = make_petition()
    for _ in range(100):
        make_submission(petition)
    for number in range(40):
        make_submission(petition, email=f"{number % 20}@example.org")

    in_parallel((lambda: fold_all(limit=7), 4))

    assert not Submission.objects.exists()
    assert Signature.objects.count() == Supporter.objects.count() == OutgoingMail.objects.count() == 21


@pytest.mark.django_db(transaction=True)
def test_signers_who_confirm_while_workers_fold_are_counted_once():
    petition = make_petition()
    signatures = [make_signature(petition, email=f"{number}@example.org") for number in range(12)]
    for _ in range(3):
        for number in range(12):
            make_submission(petition, email=f"{number}@example.org")

    def confirm_all():
        for signature in signatures:
            confirm(signature_id=signature.pk, at=NOW)

    in_parallel((lambda: fold_all(limit=5), 2), (confirm_all, 2))
    add_up(at=NOW)

    assert Tally.objects.get().count == Signature.objects.counted().count() == 12
    assert not Submission.objects.exists()


def fold_all(*, limit):
    while Submission.objects.filter(parked_at=None).exists():
        fold(at=NOW, limit=limit)
