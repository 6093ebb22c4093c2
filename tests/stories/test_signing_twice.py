"""Signing what one has signed already: one signature, and only the mailbox learns of it."""

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from signers.models import Signature
from signers.removing import remove
from tests import factories
from tests.people import Person, later, path_of, shown_count


def what_the_site_tells(person, petition):
    """Everything an onlooker gets to see of a sign-up: both answers and the number of queries behind them."""
    with CaptureQueriesContext(connection) as queries:
        answer = person.signs(petition)
        code = path_of(answer).split("/")[-2].encode()
        thanks = person.opens(answer["Location"])
    bodies = [page.content.replace(code, b"CODE") for page in (answer, thanks)]
    # Expires is the clock.
    headers = [
        {name: value.replace(code.decode(), "CODE") for name, value in page.items() if name != "Expires"}
        for page in (answer, thanks)
    ]
    return [answer.status_code, thanks.status_code], headers, bodies, len(queries)


def pending(petition, work):
    Person().signs(petition)
    work()


def confirmed(petition, work):
    pending(petition, work)
    Person().confirms()


def blocked(petition, work):
    pending(petition, work)
    Person().presses(Person().link("not-me"), block="yes")


def disowned(petition, work):
    pending(petition, work)
    Person().presses(Person().link("not-me"))


def removed_by_staff(petition, work):
    confirmed(petition, work)
    remove(
        signature=Signature.objects.get(),
        actor=factories.make_staff(),
        at=timezone.now(),
        reason="An invented name.",
    )


@pytest.mark.parametrize("state", [pending, confirmed, blocked, disowned, removed_by_staff])
def test_nobody_learns_from_the_site_whether_an_address_has_signed(petition, work, state):
    state(petition, work)
    newcomer = Person(first_name="Ray", email="ray@people.example")

    known, unknown = what_the_site_tells(Person(), petition), what_the_site_tells(newcomer, petition)

    assert known == unknown


def test_a_second_sign_up_sends_the_other_mail_and_changes_nothing(confirmed, petition, work):
    again = Person(first_name="Somebody", last_name="Else")

    again.signs(petition)
    work()

    signature = Signature.objects.get()
    assert [message.subject.split(":")[0] for message in confirmed.mails] == [
        "Please confirm your signature",
        "You have already signed",
    ]
    assert (signature.first_name, signature.state) == ("Connie", "confirmed")
    assert "Somebody" not in confirmed.mails[-1].body
    assert shown_count(confirmed, petition) == (1, 1)


def test_the_other_mail_can_take_the_signature_away(confirmed, petition, work):
    confirmed.signs(petition)
    work()

    confirmed.presses(confirmed.link("not-me"))
    work()

    assert shown_count(confirmed, petition) == (0, 0)


def test_who_signs_again_before_confirming_is_counted_once_with_what_was_typed_last(signed, petition, work):
    signed.signs(petition, first_name="Constance")
    work(at=later(minutes=2))

    first, second = signed.link("confirm", which=0), signed.link("confirm", which=1)
    for address in (second, first, second):
        assert signed.presses(address).status_code == 200
    work()

    assert Signature.objects.get().first_name == "Constance"
    assert shown_count(signed, petition) == (1, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("connie.rivera@gmail.com", "connierivera@gmail.com"),
        ("connie.rivera@gmail.com", "c.o.n.n.i.e.rivera+petitions@googlemail.com"),
        ("connie+a@gmail.com", "CONNIE+b@GMAIL.com"),
        ("Connie@People.example", "connie@people.EXAMPLE"),
    ],
)
def test_one_mailbox_written_in_two_ways_is_one_signature(petition, work, first, second):
    for address in (first, second):
        Person(email=address).signs(petition)
    work()

    signature = Signature.objects.get()
    [message] = mail.outbox
    local, _, domain = second.partition("@")
    assert message.to == [f"{local}@{domain.lower()}"] == [signature.email]


@pytest.mark.parametrize(
    "second", ["conn.ie@people.example", "connie+news@people.example", "connie@people2.example"]
)
def test_dots_and_tags_of_other_providers_are_other_people(petition, work, second):
    for address in ("connie@people.example", second):
        Person(email=address).signs(petition)
    work()

    assert Signature.objects.count() == 2


def test_one_supporter_signs_several_petitions(connie, petition, work):
    other = factories.make_petition()
    for each in (petition, other):
        connie.signs(each)
        work()
        connie.confirms()
    work()

    assert shown_count(connie, petition) == shown_count(connie, other) == (1, 1)
    assert Signature.objects.values("supporter").distinct().count() == 1
