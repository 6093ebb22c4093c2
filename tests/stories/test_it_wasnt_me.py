"""Somebody else typed my address."""

from django.core import mail

from signers.folding import fold
from signers.models import Consent, Signature, Supporter
from tests import factories
from tests.people import Person, later, shown_count, text_of


def test_the_owner_of_the_address_takes_an_unconfirmed_signature_away(signed, petition, work):
    asked = signed.opens(signed.link("not-me"))
    untouched = Signature.objects.get().state
    done = signed.presses(signed.link("not-me"))
    work()

    assert "It wasn’t you?" in text_of(asked)
    assert untouched == "pending"
    assert "The signature is removed" in text_of(done)
    assert Signature.objects.get().state == "removed"
    assert signed.confirms().status_code == 410
    assert shown_count(signed, petition) == (0, 0)


def test_the_name_a_stranger_typed_is_forgotten(signed):
    signed.presses(signed.link("not-me"))

    for row in (Signature.objects.get(), Supporter.objects.get()):
        assert (row.first_name, row.last_name) == ("", "")


def test_it_is_taken_away_after_a_stranger_confirmed_it_too(connie, petition, work):
    connie.signs(petition, updates="yes")
    work()
    connie.confirms()
    work()

    for _ in range(2):
        assert connie.presses(connie.link("not-me")).status_code == 200
        work()

    assert shown_count(connie, petition) == (0, 0)
    assert [consent.granted for consent in Consent.objects.order_by("id")] == [True, False]
    assert connie.confirms().status_code == 410


def test_a_blocked_address_gets_no_more_mail_and_no_signature_anywhere(signed, petition, work):
    elsewhere = factories.make_petition()
    done = signed.presses(signed.link("not-me"), block="yes")
    mail.outbox.clear()

    signed.signs(petition)
    signed.signs(elsewhere)
    work(at=later(days=2))

    assert "Your address is blocked" in text_of(done)
    assert mail.outbox == []
    assert not Signature.objects.exclude(removal=Signature.Removal.NOT_ME).exists()


def test_blocking_later_than_removing_works_from_the_same_link(signed, petition, work):
    signed.presses(signed.link("not-me"))
    signed.presses(signed.link("not-me"), block="yes")

    signed.signs(petition)
    work(at=later(hours=2))

    assert len(signed.mails) == 1


def test_blocking_one_mailbox_blocks_all_ways_to_write_it(petition, work):
    owner = Person(email="connie.rivera@gmail.com")
    owner.signs(petition)
    work()
    owner.presses(owner.link("not-me"), block="yes")

    Person(email="connierivera+again@gmail.com").signs(petition)
    work(at=later(hours=2))

    assert len(mail.outbox) == 1


def test_who_said_it_wasnt_me_may_sign_after_all_and_has_to_prove_it(signed, petition, work):
    signed.presses(signed.link("not-me"))

    signed.signs(petition)
    work(at=later(minutes=2))
    waiting = shown_count(signed, petition)
    signed.confirms()
    work()

    assert waiting == (0, 0)
    assert len(signed.mails) == 2
    assert shown_count(signed, petition) == (1, 1)


def test_a_mail_that_waits_is_not_sent_once_the_signature_is_gone(signed, petition, work):
    signed.signs(petition)
    fold(at=later(minutes=2))
    signed.presses(signed.link("not-me"))
    work(at=later(minutes=3))

    assert len(signed.mails) == 1
