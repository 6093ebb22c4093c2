"""What the owner of a mailbox decides."""

from datetime import timedelta

import pytest

from petitions.models import Tally
from signers.confirming import Outcome, confirm, disown
from signers.counting import add_up
from signers.models import Consent, CountChange, Signature
from tests.factories import NOW, make_mail, make_petition, make_signature, make_supporter
from tests.threads import in_parallel

LATER = NOW + timedelta(days=1)


@pytest.fixture
def signature(db):
    return make_signature(email="connie@example.org", updates=True)


def changes():
    return list(CountChange.objects.values_list("petition_id", "change", "local_change"))


# --- Confirming ----------------------------------------------------------------------------------------------


def test_confirmed_signature_counts(signature):
    outcome = confirm(signature_id=signature.pk, at=LATER)

    signature.refresh_from_db()
    assert outcome is Outcome.CONFIRMED
    assert (signature.state, signature.confirmed_at, signature.accepted_at) == ("confirmed", LATER, LATER)
    assert changes() == [(signature.petition_id, 1, 0)]


def test_local_signature_counts_as_local(db):
    signature = make_signature(is_local=True)

    confirm(signature_id=signature.pk, at=LATER)

    assert changes() == [(signature.petition_id, 1, 1)]


def test_repeated_click_is_told_the_same_and_counts_once(signature):
    outcomes = [confirm(signature_id=signature.pk, at=LATER) for _ in range(3)]

    assert outcomes == [Outcome.CONFIRMED, Outcome.ALREADY, Outcome.ALREADY]
    assert len(changes()) == Consent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_clicks_count_once():
    signature = make_signature()
    outcomes = []

    in_parallel((lambda: outcomes.append(confirm(signature_id=signature.pk, at=LATER)), 6))

    assert sorted(outcome.value for outcome in outcomes) == ["already"] * 5 + ["confirmed"]
    assert len(changes()) == Consent.objects.count() == 1


def test_first_proof_makes_the_supporter_known(db):
    supporter = make_supporter("connie@example.org", first_name="Stranger", last_name="")
    signature = make_signature(supporter=supporter, first_name="Connie", email="Connie@example.org")

    confirm(signature_id=signature.pk, at=LATER)

    supporter.refresh_from_db()
    assert (supporter.confirmed_at, supporter.first_name, supporter.last_name) == (LATER, "Connie", "Reed")
    assert supporter.email == "Connie@example.org"


def test_later_proof_changes_nothing_about_the_supporter(db):
    supporter = make_supporter("connie@example.org", confirmed_at=NOW)
    signature = make_signature(supporter=supporter, first_name="Mallory")

    confirm(signature_id=signature.pk, at=LATER)

    supporter.refresh_from_db()
    assert (supporter.confirmed_at, supporter.first_name) == (NOW, "Connie")


@pytest.mark.parametrize("updates", [True, False])
def test_choice_about_updates_is_kept_with_its_words(db, updates):
    signature = make_signature(updates=updates)

    confirm(signature_id=signature.pk, at=LATER)

    consent = Consent.objects.get()
    assert (consent.granted, consent.wording, consent.at) == (updates, signature.wording, LATER)
    assert consent.organization == signature.petition.campaign.organization
    assert (consent.supporter, consent.source) == (signature.supporter, "sign-form")


def test_accepted_signature_is_confirmed_without_counting_again(db):
    signature = make_signature(accepted=True)

    outcome = confirm(signature_id=signature.pk, at=LATER)

    signature.refresh_from_db()
    assert (outcome, changes()) == (Outcome.CONFIRMED, [])
    assert (signature.accepted_at, signature.confirmed_at) == (NOW, LATER)


@pytest.mark.parametrize("field", ["closed_at", "closes_at"])
def test_late_click_after_closing_does_not_count(signature, field):
    setattr(signature.petition, field, LATER)
    signature.petition.save()

    outcome = confirm(signature_id=signature.pk, at=LATER)

    signature.refresh_from_db()
    assert (outcome, signature.state, changes()) == (Outcome.CLOSED, "pending", [])


def test_what_counts_already_can_be_confirmed_after_closing(db):
    signature = make_signature(accepted=True)
    signature.petition.closed_at = NOW
    signature.petition.save()

    assert confirm(signature_id=signature.pk, at=LATER) is Outcome.CONFIRMED


def test_confirmed_signature_is_told_so_after_closing(signature):
    confirm(signature_id=signature.pk, at=NOW)
    signature.petition.closed_at = NOW
    signature.petition.save()

    assert confirm(signature_id=signature.pk, at=LATER) is Outcome.ALREADY


@pytest.mark.parametrize("removal", ["not-me", "staff"])
def test_removed_signature_is_not_confirmed(db, removal):
    signature = make_signature(removed_at=NOW, removal=removal)

    assert confirm(signature_id=signature.pk, at=LATER) is Outcome.REMOVED
    assert changes() == []


def test_held_signature_is_not_confirmed(db):
    signature = make_signature(held_at=NOW)

    assert confirm(signature_id=signature.pk, at=LATER) is Outcome.UNKNOWN
    assert changes() == []


def test_blocked_mailbox_confirms_nothing_new(db):
    signature = make_signature(supporter=make_supporter(blocked_at=NOW))

    assert confirm(signature_id=signature.pk, at=LATER) is Outcome.REMOVED
    assert changes() == []


@pytest.mark.parametrize("act", [confirm, lambda **given: disown(block=False, **given)])
def test_forgotten_signature_is_unknown(db, act):
    assert act(signature_id=10**12, at=NOW) is Outcome.UNKNOWN


# --- It wasn't me --------------------------------------------------------------------------------------------


def test_disowned_signature_no_longer_counts(db):
    signature = make_signature(confirmed=True, is_local=True)

    outcome = disown(signature_id=signature.pk, at=LATER, block=False)
    add_up(at=LATER)

    signature.refresh_from_db()
    assert (outcome, signature.state, signature.removal) == (Outcome.REMOVED, "removed", "not-me")
    assert (Tally.objects.get().count, Tally.objects.get().local) == (0, 0)


def test_repeated_disowning_is_told_the_same_and_subtracts_once(db):
    signature = make_signature(confirmed=True)

    outcomes = [disown(signature_id=signature.pk, at=LATER, block=False) for _ in range(3)]

    assert outcomes == [Outcome.REMOVED] * 3
    assert changes() == [(signature.petition_id, -1, 0)]


def test_disowned_pending_signature_subtracts_nothing(signature):
    disown(signature_id=signature.pk, at=LATER, block=False)

    assert changes() == []


@pytest.mark.django_db(transaction=True)
def test_confirming_and_disowning_at_once_ends_removed_and_uncounted():
    petition = make_petition()
    signatures = [make_signature(petition) for _ in range(5)]

    in_parallel(
        (lambda: [confirm(signature_id=signature.pk, at=NOW) for signature in signatures], 2),
        (lambda: [disown(signature_id=signature.pk, at=NOW, block=False) for signature in signatures], 2),
    )
    add_up(at=NOW)

    assert Tally.objects.get().count == 0
    assert {signature.state for signature in Signature.objects.all()} == {"removed"}


def test_what_a_stranger_typed_is_forgotten(db):
    signature = make_signature(
        first_name="Mallory",
        comment="Rude.",
        postal_code="94107",
        country="US",
        evidence=["typo"],
        updates=True,
    )

    disown(signature_id=signature.pk, at=LATER, block=False)

    signature.refresh_from_db()
    assert (signature.first_name, signature.last_name, signature.comment) == ("", "", "")
    assert (signature.postal_code, signature.country, signature.evidence) == ("", "", [])
    assert (signature.supporter.first_name, signature.supporter.last_name) == ("", "")


def test_name_of_somebody_who_signed_elsewhere_stays(db):
    mine = make_signature(confirmed=True)
    forged = make_signature(supporter=mine.supporter, first_name="Mallory")

    disown(signature_id=forged.pk, at=LATER, block=False)

    mine.refresh_from_db()
    assert (mine.state, mine.first_name, mine.supporter.first_name) == ("confirmed", "Connie", "Connie")


def test_consent_given_with_it_is_withdrawn(signature):
    confirm(signature_id=signature.pk, at=NOW)

    disown(signature_id=signature.pk, at=LATER, block=False)

    granted, withdrawn = Consent.objects.order_by("id")
    assert (granted.granted, withdrawn.granted, withdrawn.source) == (True, False, "not-me")
    assert (withdrawn.at, withdrawn.organization) == (LATER, granted.organization)


def test_consent_given_elsewhere_stays(signature):
    confirm(signature_id=signature.pk, at=NOW)
    organization = signature.petition.campaign.organization
    forged = make_signature(
        make_petition(organization=organization), supporter=signature.supporter, updates=True
    )

    disown(signature_id=forged.pk, at=LATER, block=False)

    assert Consent.objects.get().granted


def test_waiting_mails_are_dropped(signature):
    waiting, sent = make_mail(signature), make_mail(signature, sent_at=NOW)

    disown(signature_id=signature.pk, at=LATER, block=False)

    waiting.refresh_from_db()
    sent.refresh_from_db()
    assert (waiting.state, sent.state) == ("dropped", "sent")


def test_mailbox_is_blocked_where_asked_to_also_by_a_second_click(signature):
    disown(signature_id=signature.pk, at=NOW, block=False)
    assert signature.supporter.blocked_at is None

    disown(signature_id=signature.pk, at=LATER, block=True)

    signature.supporter.refresh_from_db()
    assert signature.supporter.blocked_at == LATER


def test_disowning_leaves_what_staff_removed_to_staff(db):
    signature = make_signature(removed_at=NOW, removal="staff", accepted_at=NOW)

    outcome = disown(signature_id=signature.pk, at=LATER, block=False)

    signature.refresh_from_db()
    assert (outcome, signature.removal, changes()) == (Outcome.REMOVED, "staff", [])
