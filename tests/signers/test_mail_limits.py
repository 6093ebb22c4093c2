"""How many mails one signature and one mailbox may cause."""

from datetime import timedelta

import pytest

from signers.confirming import confirm
from signers.folding import fold
from signers.mail_limits import MailLimits
from signers.models import OutgoingMail, Signature
from tests.factories import NOW, make_mail, make_petition, make_signature, make_submission, make_supporter

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def signature(db):
    return make_signature()


def allowed(signature, message="confirm", at=NOW):
    limits = MailLimits.load(supporters=[signature.supporter_id], signatures=[signature.pk], at=at)
    return limits.allow(signature, message)


def sign(petition, *, at):
    make_submission(petition)
    fold(at=at)
    return OutgoingMail.objects.count()


def test_signature_causes_five_mails_ever(db):
    petition = make_petition()

    numbers = [sign(petition, at=NOW + day * DAY) for day in range(8)]

    assert numbers == [1, 2, 3, 4, 5, 5, 5, 5]


def test_mailbox_gets_three_mails_an_hour_over_all_petitions(db):
    numbers = [sign(make_petition(), at=NOW) for _ in range(5)]

    assert numbers == [1, 2, 3, 3, 3]
    assert Signature.objects.count() == 5


def test_mailbox_gets_ten_mails_a_day_over_all_petitions(db):
    numbers = [sign(make_petition(), at=NOW + hour * HOUR) for hour in range(13)]

    assert numbers[-4:] == [10, 10, 10, 10]


def test_limits_also_hold_within_one_batch(db):
    for _ in range(5):
        make_submission(make_petition())

    fold(at=NOW)

    assert OutgoingMail.objects.count() == 3


def test_next_hour_and_next_day_begin_anew(signature):
    for number in range(3):
        make_mail(make_signature(supporter=signature.supporter), created_at=NOW - number * MINUTE)

    assert not allowed(signature, at=NOW + 30 * MINUTE)
    assert allowed(signature, at=NOW + HOUR)


def test_one_mailbox_does_not_use_up_another(signature):
    other = make_supporter()
    for _ in range(3):
        make_mail(make_signature(supporter=other))

    assert allowed(signature)


@pytest.mark.parametrize(("seconds", "expected"), [(0, False), (59, False), (60, True)])
def test_same_kind_of_mail_comes_at_most_once_a_minute(signature, seconds, expected):
    make_mail(signature)

    assert allowed(signature, at=NOW + timedelta(seconds=seconds)) is expected


def test_another_kind_of_mail_comes_at_once(signature):
    make_mail(signature)

    assert allowed(signature, "already-signed")


def test_what_was_dropped_before_it_left_does_not_count(signature):
    for _ in range(5):
        make_mail(signature, dropped_at=NOW)

    assert allowed(signature)


def test_what_was_dropped_in_doubt_does_count(signature):
    for _ in range(5):
        make_mail(signature, dropped_at=NOW, handed_over_at=NOW)

    assert not allowed(signature, at=NOW + 9 * DAY)


def test_events_are_numbered_on_past_what_was_dropped(signature):
    make_mail(signature, dropped_at=NOW)
    limits = MailLimits.load(supporters=[signature.supporter_id], signatures=[signature.pk], at=NOW)

    mail = limits.new_mail(signature, "already-signed")

    assert mail.event == f"already-signed:{signature.pk}:2"


def test_over_the_limit_the_signature_is_still_taken(db):
    petition = make_petition()
    signature = make_signature(petition, email="connie@example.org")
    for _ in range(5):
        make_mail(signature, created_at=NOW - 9 * DAY)
    make_submission(petition, first_name="Constance")

    fold(at=NOW)
    confirm(signature_id=signature.pk, at=NOW)

    signature.refresh_from_db()
    assert (signature.first_name, signature.state) == ("Constance", "confirmed")
    assert OutgoingMail.objects.count() == 5


def test_cost_does_not_depend_on_the_number_of_signers(db, django_assert_num_queries):
    signatures = [make_signature() for _ in range(5)]

    with django_assert_num_queries(2):
        MailLimits.load(
            supporters=[signature.supporter_id for signature in signatures],
            signatures=[signature.pk for signature in signatures],
            at=NOW,
        )
