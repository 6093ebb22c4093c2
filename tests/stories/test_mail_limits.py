"""However often an address is typed, its owner is not flooded."""

import pytest
from django.core import mail

from signers.models import Signature
from tests import factories
from tests.people import Person, later, shown_count


@pytest.fixture
def petitions(db):
    return [factories.make_petition() for _ in range(12)]


def test_one_signature_causes_five_mails_at_most_ever(connie, petition, work):
    for day in range(8):
        connie.signs(petition)
        work(at=later(days=day))

    assert len(connie.mails) == 5


def test_one_mailbox_gets_three_mails_an_hour_over_all_petitions(petitions, work):
    for number, petition in enumerate(petitions[:6]):
        Person(email=f"connie.rivera+{number}@gmail.com").signs(petition)
        work(at=later(minutes=5 * number))

    assert len(mail.outbox) == 3
    assert Signature.objects.count() == 6


def test_one_mailbox_gets_ten_mails_a_day_over_all_petitions(connie, petitions, work):
    for number, petition in enumerate(petitions):
        connie.signs(petition)
        work(at=later(minutes=61 * number))
    on_the_first_day = len(connie.mails)

    connie.signs(petitions[-1])
    work(at=later(hours=40))

    assert on_the_first_day == 10
    assert len(connie.mails) == 11


def test_a_hundred_posts_of_one_form_are_one_mail(connie, petition, work):
    for _ in range(10):
        connie.signs(petition)
    work()
    for _ in range(10):
        connie.signs(petition)
        work(at=later(seconds=30))

    assert len(connie.mails) == 1


def test_the_limits_are_not_told_and_never_lose_a_signature(connie, petitions, work):
    answers = [connie.signs(petition).status_code for petition in petitions]
    work()

    assert set(answers) == {303}
    assert len(connie.mails) == 3
    assert Signature.objects.count() == 12


def test_who_got_no_mail_for_the_limits_gets_it_by_signing_again_later(connie, petitions, work):
    for petition in petitions[:4]:
        connie.signs(petition)
    work(at=later(hours=-2))

    connie.signs(petitions[3])
    work()
    connie.confirms()
    work()

    assert shown_count(connie, petitions[3]) == (1, 1)


def test_limits_of_one_mailbox_are_nobody_elses(petitions, work):
    for person in (Person(), Person(email="ray@people.example")):
        for petition in petitions[:3]:
            person.signs(petition)
    work()

    assert len(mail.outbox) == 6
