"""Who the link of a copy recognizes, and what signing by it writes."""

from datetime import timedelta

import pytest

from mailings.links import SIGN_LIFETIME, sign_link, unsubscribe_link
from mailings.models import Recipient
from mailings.recognizing import reading, recipient_of, sign
from petitions.closing import close
from signers.models import CountChange, OutgoingMail, Signature, Supporter
from signers.recognized import Outcome, ReaderInput
from tests.factories import (
    NOW,
    make_edition,
    make_mail,
    make_mailing,
    make_petition,
    make_place,
    make_recipient,
    make_signature,
)

TYPED = ReaderInput(first_name="Connie", last_name="Reed")
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def petition(db):
    return make_petition(place=make_place(postal_prefixes="123"))


@pytest.fixture
def copy(petition):
    return make_recipient(make_edition(make_mailing(petition.campaign, starts_at=NOW), petition))


def token_of(copy, at=NOW):
    return sign_link(copy, at).split("/")[-2]


def signs(copy, typed=TYPED, at=LATER):
    version = copy.edition.petition.current_version_id
    return sign(recipient_id=copy.pk, version_id=version, typed=typed, at=at)


# --- Reading -------------------------------------------------------------------------------------------------


def test_reader_is_recognized_for_the_petition_of_the_copy(copy, petition):
    found = reading(token_of(copy), at=LATER)

    assert (found.supporter, found.petition_id) == (copy.supporter, petition.pk)


@pytest.mark.parametrize(
    ("age", "known"), [(SIGN_LIFETIME, True), (SIGN_LIFETIME + timedelta(seconds=1), False)]
)
def test_link_recognizes_for_thirty_days_and_knows_where_it_leads_for_ever(copy, age, known):
    token = token_of(copy)

    assert (reading(token, at=NOW + age) is not None) is known
    assert recipient_of(token, at=NOW + timedelta(days=3650)) == copy


@pytest.mark.parametrize("token", ["", "x", "a" * 40, "a" * 5000, "\x00", "\ud800", "٣" * 40])
def test_odd_token_is_nobodys(db, token):
    assert reading(token, at=NOW) is None
    assert recipient_of(token, at=NOW) is None


def test_token_to_unsubscribe_recognizes_nobody(copy):
    token = unsubscribe_link(copy, NOW).split("/")[-2]

    assert (reading(token, at=LATER), recipient_of(token, at=LATER)) == (None, None)


def test_copy_without_a_petition_recognizes_nobody(db):
    copy = make_recipient(make_edition(make_mailing(starts_at=NOW)))

    assert reading(token_of(copy), at=LATER) is None
    assert signs_nothing(copy)


def signs_nothing(copy):
    return sign(recipient_id=copy.pk, version_id=1, typed=TYPED, at=LATER) == (Outcome.REFUSED, None)


def test_what_a_signature_that_counts_said_of_postal_code_and_country_is_known(copy):
    make_signature(supporter=copy.supporter, confirmed=True, postal_code="12345", country="US")
    make_signature(supporter=copy.supporter, postal_code="99999", country="DE")

    known = reading(token_of(copy), at=LATER).known

    assert (known.postal_code, known.country) == ("12345", "US")


def test_reading_makes_few_queries_and_loads_no_text(copy, django_assert_num_queries):
    token = token_of(copy)

    with django_assert_num_queries(2) as queries:
        reading(token, at=LATER)

    assert '"mailings_edition"."html"' not in queries.captured_queries[0]["sql"]


# --- Signing -------------------------------------------------------------------------------------------------


def test_signing_counts_at_once_and_ends_the_link(copy, petition):
    outcome, signature = signs(copy)

    assert outcome is Outcome.SIGNED
    assert (signature.state, signature.confirmed_at, signature.accepted_at) == ("confirmed", LATER, LATER)
    assert list(CountChange.objects.values_list("petition_id", "supporter_id", "change", "local_change")) == [
        (petition.pk, copy.supporter_id, 1, 0)
    ]
    copy.refresh_from_db()
    assert (copy.link_used_at, copy.signature) == (LATER, signature)
    assert reading(token_of(copy), at=LATER) is None


def test_postal_code_of_the_place_makes_the_signature_local(copy, petition):
    _outcome, signature = signs(copy, ReaderInput("Connie", "Reed", postal_code="12345"))

    assert signature.is_local
    assert CountChange.objects.get().local_change == 1
    assert Supporter.objects.get(pk=copy.supporter_id).place == petition.target.place


def test_second_press_gives_the_same_signature_and_counts_no_more(copy):
    _outcome, first = signs(copy)

    assert signs(copy) == (Outcome.ALREADY, first)
    assert CountChange.objects.count() == 1


def test_signature_that_was_taken_back_is_not_brought_back_by_the_used_link(copy):
    signs(copy)
    Signature.objects.update(removed_at=LATER, removal="withdrawn")

    signs(copy)

    assert Signature.objects.get().state == "removed"


def test_used_link_whose_signature_is_gone_signs_nothing(copy):
    signs(copy)
    CountChange.objects.all().delete()
    Signature.objects.all().delete()

    assert signs(copy) == (Outcome.REFUSED, None)


def test_signature_before_is_answered_with_already_and_the_link_ends(copy, petition):
    before = make_signature(petition, supporter=copy.supporter, confirmed=True)

    assert signs(copy) == (Outcome.ALREADY, before)
    copy.refresh_from_db()
    assert (bool(copy.link_used_at), copy.signature) == (True, None)


def test_waiting_confirmation_is_not_mailed_any_more(copy, petition):
    waiting = make_mail(make_signature(petition, supporter=copy.supporter))

    signs(copy)

    assert OutgoingMail.objects.get(pk=waiting.pk).state == "dropped"


def test_what_counted_before_it_was_confirmed_keeps_how_it_counted(copy, petition):
    before = make_signature(petition, supporter=copy.supporter, accepted=True, is_local=True, hidden_at=NOW)

    _outcome, after = signs(copy, ReaderInput("Connie", "Reed", postal_code="99999"))

    after.refresh_from_db()
    assert after.pk == before.pk
    assert (after.is_local, after.hidden_at, after.accepted_at, after.confirmed_at) == (True, NOW, NOW, LATER)
    assert not CountChange.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"held_at": NOW}, {"removed_at": NOW, "removal": "staff", "confirmed": True}]
)
def test_what_staff_hold_or_removed_stays_as_it_is_and_the_link_stays_good(copy, petition, fields):
    before = make_signature(petition, supporter=copy.supporter, **fields)

    assert signs(copy) == (Outcome.REFUSED, None)
    after = Signature.objects.get()
    assert (after.state, after.confirmed_at) == (before.state, before.confirmed_at)


def test_closed_petition_takes_no_signature(copy, petition):
    close(petition=petition, actor=None, at=NOW)

    assert signs(copy) == (Outcome.CLOSED, None)


@pytest.mark.parametrize("number", [0, 2**63 - 1])
def test_copy_that_never_was_signs_nothing(db, number):
    assert sign(recipient_id=number, version_id=1, typed=TYPED, at=NOW) == (Outcome.REFUSED, None)


def test_blocked_reader_signs_nothing(copy):
    Supporter.objects.update(blocked_at=NOW)

    assert signs(copy) == (Outcome.REFUSED, None)


def test_name_that_was_missing_is_known_from_now_on_and_another_is_not_overwritten(copy):
    Supporter.objects.update(first_name="", last_name="Reed")

    signs(copy, ReaderInput("Connie", "Other"))

    person = Supporter.objects.get(pk=copy.supporter_id)
    assert (person.first_name, person.last_name) == ("Connie", "Reed")


def test_two_copies_of_two_mailings_make_one_signature(copy, petition):
    other = make_recipient(
        make_edition(make_mailing(petition.campaign, starts_at=NOW), petition), supporter=copy.supporter
    )

    outcomes = [signs(one)[0] for one in (copy, other)]

    assert outcomes == [Outcome.SIGNED, Outcome.ALREADY]
    assert Recipient.objects.filter(link_used_at=None).count() == 0
