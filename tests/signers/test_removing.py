"""What staff decide about a signature."""

import pytest

from signers.counting import add_up, recount
from signers.folding import fold
from signers.models import CountChange, OutgoingMail, Signature
from signers.removing import CannotBeDone, release, remove, restore, unblock
from staff.models import AuditEntry
from tests.factories import (
    NOW,
    make_mail,
    make_petition,
    make_signature,
    make_staff,
    make_submission,
    make_supporter,
)
from tests.threads import in_parallel


@pytest.fixture
def staff(db):
    return make_staff()


def changes():
    return list(CountChange.objects.order_by("id").values_list("change", "local_change"))


def test_removed_signature_no_longer_counts(staff):
    signature = make_signature(confirmed=True, is_local=True)

    removed = remove(signature=signature, actor=staff, at=NOW, reason=" Not a person ")

    signature.refresh_from_db()
    assert removed
    assert (signature.state, signature.removal, changes()) == ("removed", "staff", [(-1, -1)])
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.reason, entry.at) == (staff, "removed", "Not a person", NOW)
    assert entry.details == {"counted": True, "blocked": False}
    assert (entry.subject_type, entry.subject_id) == ("signature", signature.pk)


def test_second_click_removes_nothing_more(staff):
    signature = make_signature(confirmed=True)

    results = [remove(signature=signature, actor=staff, at=NOW, reason="Spam") for _ in range(2)]

    assert results == [True, False]
    assert len(changes()) == AuditEntry.objects.count() == 1


@pytest.mark.parametrize("state", [{}, {"held_at": NOW}])
def test_removing_what_does_not_count_subtracts_nothing(staff, state):
    remove(signature=make_signature(**state), actor=staff, at=NOW, reason="Spam")

    assert changes() == []


def test_removing_drops_waiting_mails(staff):
    mail = make_mail()

    remove(signature=mail.signature, actor=staff, at=NOW, reason="Spam")

    mail.refresh_from_db()
    assert mail.state == "dropped"


def test_removing_can_block_the_mailbox(staff):
    signature = make_signature(email="connie@example.org")

    remove(signature=signature, actor=staff, at=NOW, reason="Spam", block=True)
    make_submission(make_petition())
    fold(at=NOW)

    assert Signature.objects.count() == 1
    assert AuditEntry.objects.get().details["blocked"]


def test_mailbox_of_a_removed_signature_is_blocked_later(staff):
    signature = make_signature(confirmed=True)
    remove(signature=signature, actor=staff, at=NOW, reason="Spam")

    removed = remove(signature=signature, actor=staff, at=NOW, reason="Again", block=True)

    signature.supporter.refresh_from_db()
    assert not removed
    assert signature.supporter.blocked_at == NOW
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "removed",
        "mailbox blocked",
    ]


def test_blocked_mailbox_is_unblocked(staff):
    supporter = make_supporter(blocked_at=NOW)

    results = [unblock(supporter=supporter, actor=staff, at=NOW, reason="A mistake") for _ in range(2)]

    supporter.refresh_from_db()
    assert (results, supporter.blocked_at) == ([True, False], None)
    assert AuditEntry.objects.get().action == "mailbox unblocked"


def test_restored_signature_counts_again(staff):
    signature = make_signature(confirmed=True, is_local=True)
    remove(signature=signature, actor=staff, at=NOW, reason="Spam")

    results = [restore(signature=signature, actor=staff, at=NOW, reason="It was no spam") for _ in range(2)]

    signature.refresh_from_db()
    assert results == [True, False]
    assert (signature.state, signature.removal, changes()) == ("confirmed", "", [(-1, -1), (1, 1)])
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["removed", "restored"]


def test_restoring_what_never_counted_adds_nothing(staff):
    signature = make_signature()
    remove(signature=signature, actor=staff, at=NOW, reason="Spam")

    restore(signature=signature, actor=staff, at=NOW, reason="No spam")

    signature.refresh_from_db()
    assert (signature.state, changes()) == ("pending", [])


def test_staff_cannot_restore_what_its_owner_disowned(staff):
    signature = make_signature(removed_at=NOW, removal="not-me", accepted_at=NOW)

    with pytest.raises(CannotBeDone, match="owner"):
        restore(signature=signature, actor=staff, at=NOW, reason="Hm")

    signature.refresh_from_db()
    assert (signature.state, changes()) == ("removed", [])


def test_released_signature_gets_its_mail(staff):
    signature = make_signature(held_at=NOW, evidence=["honeypot"])

    results = [release(signature=signature, actor=staff, at=NOW, reason="A person") for _ in range(2)]

    signature.refresh_from_db()
    assert (results, signature.state, changes()) == ([True, False], "pending", [])
    assert OutgoingMail.objects.get().message == "confirm"
    assert AuditEntry.objects.get().action == "released"


def test_releasing_keeps_the_mail_limits(staff):
    signature = make_signature(held_at=NOW)
    for _ in range(5):
        make_mail(signature)

    release(signature=signature, actor=staff, at=NOW, reason="A person")

    assert OutgoingMail.objects.count() == 5


def test_blocked_mailbox_gets_no_mail_when_its_signature_is_released(staff):
    signature = make_signature(held_at=NOW, supporter=make_supporter(blocked_at=NOW))

    release(signature=signature, actor=staff, at=NOW, reason="A person")

    assert not OutgoingMail.objects.exists()


def test_removed_signature_is_not_released(staff):
    signature = make_signature(held_at=NOW, removed_at=NOW, removal="staff")

    with pytest.raises(CannotBeDone, match="Restore"):
        release(signature=signature, actor=staff, at=NOW, reason="A person")


@pytest.mark.parametrize("act", [remove, restore, release])
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_reason_is_required(staff, act, reason):
    with pytest.raises(CannotBeDone, match="Say why"):
        act(signature=make_signature(), actor=staff, at=NOW, reason=reason)

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("act", [remove, restore, release])
def test_signature_that_is_gone_is_said_to_be(staff, act):
    signature = make_signature()
    Signature.objects.all().delete()

    with pytest.raises(CannotBeDone, match="no longer there"):
        act(signature=signature, actor=staff, at=NOW, reason="Spam")


def test_audit_log_names_no_signer(staff):
    signature = make_signature(email="connie@example.org", confirmed=True)

    remove(signature=signature, actor=staff, at=NOW, reason="Spam", block=True)

    entry = AuditEntry.objects.get()
    assert "onnie" not in f"{entry.subject_label} {entry.details}"


@pytest.mark.django_db(transaction=True)
def test_removing_and_restoring_at_once_leaves_an_exact_count():
    staff, petition = make_staff(), make_petition()
    signatures = [make_signature(petition, confirmed=True) for _ in range(4)]

    def turn(act):
        for signature in signatures:
            act(signature=signature, actor=staff, at=NOW, reason="Test")

    in_parallel((lambda: turn(remove), 2), (lambda: turn(restore), 2))
    add_up(at=NOW)

    assert recount() == []
