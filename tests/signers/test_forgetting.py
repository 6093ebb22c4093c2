"""Letting go of personal data when its time has come."""

from datetime import timedelta

import pytest

from signers.forgetting import forget_unconfirmed
from signers.models import Consent, OutgoingMail, Signature, Submission, Supporter
from tests.factories import NOW, make_mail, make_petition, make_signature, make_submission, make_supporter

LATER = NOW + timedelta(days=30)
ALMOST = LATER - timedelta(seconds=1)


def test_unconfirmed_signature_is_forgotten_with_its_supporter_and_mails(db):
    make_mail(make_signature(), sent_at=NOW)

    forgotten = forget_unconfirmed(at=LATER)

    assert forgotten == 1
    assert not Signature.objects.exists()
    assert not Supporter.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_nothing_is_forgotten_too_early(db):
    make_signature()

    assert forget_unconfirmed(at=ALMOST) == 0
    assert Signature.objects.exists()


@pytest.mark.parametrize("state", [{"confirmed": True}, {"accepted": True}])
def test_what_counts_is_kept(db, state):
    make_signature(**state)

    assert forget_unconfirmed(at=LATER) == 0
    assert Signature.objects.exists()


@pytest.mark.parametrize("state", [{"held_at": NOW}, {"removed_at": NOW, "removal": "staff"}])
def test_held_and_removed_signatures_that_never_counted_are_forgotten(db, state):
    make_signature(**state)

    assert forget_unconfirmed(at=LATER) == 1


def test_disowned_signature_is_forgotten_a_month_after(db):
    make_signature(accepted_at=NOW, removed_at=NOW + timedelta(days=9), removal="not-me")

    assert forget_unconfirmed(at=LATER) == 0
    assert forget_unconfirmed(at=LATER + timedelta(days=9)) == 1


def test_what_staff_removed_after_it_counted_is_kept(db):
    make_signature(accepted_at=NOW, removed_at=NOW, removal="staff")

    assert forget_unconfirmed(at=LATER) == 0


def test_supporter_who_signed_something_else_is_kept(db):
    confirmed = make_signature(confirmed=True)
    make_signature(supporter=confirmed.supporter)

    forget_unconfirmed(at=LATER)

    assert Supporter.objects.get() == confirmed.supporter
    assert Signature.objects.get() == confirmed


def test_blocked_mailbox_is_kept(db):
    make_signature(supporter=make_supporter(blocked_at=NOW))

    forget_unconfirmed(at=LATER)

    assert Supporter.objects.exists()
    assert not Signature.objects.exists()


def test_supporter_with_a_choice_about_updates_is_kept(db):
    signature = make_signature()
    Consent.objects.create(
        supporter=signature.supporter,
        organization=signature.petition.campaign.organization,
        purpose="updates",
        granted=True,
        wording="May we?",
        at=NOW,
        source="sign-form",
    )

    forget_unconfirmed(at=LATER)

    assert Supporter.objects.exists()


def test_many_are_forgotten_in_batches(db, monkeypatch):
    monkeypatch.setattr("signers.forgetting.AT_ONCE", 2)
    petition = make_petition()
    for _ in range(5):
        make_signature(petition)

    assert forget_unconfirmed(at=LATER) == 5
    assert not Supporter.objects.exists()


def test_parked_submissions_are_forgotten_and_waiting_ones_are_not(db):
    petition = make_petition()
    make_submission(petition, parked_at=NOW)
    newer = make_submission(petition, parked_at=NOW + timedelta(days=1))
    waiting = make_submission(petition)

    forget_unconfirmed(at=LATER)

    assert list(Submission.objects.order_by("id")) == [newer, waiting]


@pytest.mark.parametrize("state", ["sent_at", "failed_at", "dropped_at"])
def test_addresses_of_old_mails_are_blanked_and_the_mails_kept_for_the_limits(db, state):
    mail = make_mail(make_signature(confirmed=True), **{state: NOW})
    forget_unconfirmed(at=ALMOST)
    mail.refresh_from_db()
    assert mail.to

    forget_unconfirmed(at=LATER)

    mail.refresh_from_db()
    assert mail.to == ""


@pytest.mark.parametrize("state", [{}, {"handed_over_at": NOW}])
def test_mail_that_is_not_dealt_with_keeps_its_address(db, state):
    mail = make_mail(make_signature(confirmed=True), **state)

    forget_unconfirmed(at=LATER)

    mail.refresh_from_db()
    assert mail.to
