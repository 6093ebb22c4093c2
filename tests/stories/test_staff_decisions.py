"""What staff remove, restore and hold."""

import pytest
from django.core import mail
from django.utils import timezone

from signers.models import Signature
from signers.removing import release, remove, restore
from tests import factories
from tests.people import Person, later, shown_count, text_of


@pytest.fixture
def decision(db):
    return {"actor": factories.make_staff(), "at": timezone.now(), "reason": "An invented name."}


def test_a_removed_signature_no_longer_counts_and_does_not_come_back_by_signing_again(
    confirmed, petition, work, decision
):
    remove(signature=Signature.objects.get(), **decision)
    mail.outbox.clear()

    confirmed.signs(petition)
    work(at=later(hours=2))

    assert shown_count(confirmed, petition) == (0, 0)
    assert Signature.objects.get().state == "removed"
    assert mail.outbox == []


def test_an_unconfirmed_signature_that_was_removed_cannot_be_confirmed(signed, petition, work, decision):
    remove(signature=Signature.objects.get(), **decision)

    answer = signed.confirms()
    work()

    assert answer.status_code == 410
    assert "This signature was removed" in text_of(answer)
    assert shown_count(signed, petition) == (0, 0)


def test_a_restored_signature_counts_again_exactly_once(confirmed, petition, work, decision):
    signature = Signature.objects.get()
    for _ in range(2):
        remove(signature=signature, **decision)
        restore(signature=signature, **decision)
        restore(signature=signature, **decision)
    work()

    assert shown_count(confirmed, petition) == (1, 1)


def test_a_removed_and_blocked_mailbox_gets_no_mail_from_any_petition(confirmed, work, decision):
    remove(signature=Signature.objects.get(), block=True, **decision)
    mail.outbox.clear()

    confirmed.signs(factories.make_petition())
    work(at=later(hours=2))

    assert mail.outbox == []


def test_a_machine_that_fills_in_the_trap_is_held_without_noticing(petition, work, decision):
    machine = Person(first_name="Bot", email="bot@people.example")

    answer = machine.signs(petition, website="https://spam.example")
    work()

    assert answer.status_code == 303
    assert mail.outbox == []
    assert Signature.objects.get().state == "held"

    release(signature=Signature.objects.get(), **decision)
    work()
    machine.confirms()
    work()

    assert shown_count(machine, petition) == (1, 1)
