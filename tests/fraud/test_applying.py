"""What staff do with a whole cluster is done exactly, and undone exactly."""

import random
from datetime import timedelta

import pytest

from fraud import applying, bursts
from fraud.applying import ask, ask_undo, preview, work
from fraud.models import Batch, Burst, Change, Member, Rule
from signers.confirming import confirm, disown
from signers.counting import add_up, recount
from signers.models import OutgoingMail, Signature
from signers.removing import CannotBeDone, release, remove, restore
from staff.models import AuditEntry
from tests.factories import NOW, make_petition, make_staff
from tests.fraud.attacks import fold_all, fold_and_watch, sign_in

SOON = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(hours=2)
WHY = "A script did it."


@pytest.fixture
def petition(db):
    Rule.objects.exclude(kind="neighborhood").update(threshold=5)
    return make_petition(at=NOW - timedelta(days=1), confirmation="afterwards")


@pytest.fixture
def burst(petition):
    """Six signatures, of which five are held and one was confirmed before anybody noticed."""
    sign_in(petition, 6, network="one.wide")
    fold_all(SOON)
    confirm(signature_id=Signature.objects.order_by("pk").first().pk, at=SOON)
    bursts.watch(at=SOON)
    return Burst.objects.get()


def done(batch, *, at=LATER):
    while work(at=at):
        pass
    batch.refresh_from_db()
    return batch


def states():
    return list(
        Signature.objects.order_by("pk").values_list("pk", "held_at", "removed_at", "removal", "accepted_at")
    )


def count(petition, *, at=LATER):
    add_up(at=at)
    petition.tally.refresh_from_db()
    return petition.tally.count


@pytest.mark.parametrize(
    ("act", "with_confirmed", "numbers"),
    [
        ("remove", False, (5, 0, 5, 0, 1)),
        ("remove", True, (6, 1, 5, 1, 0)),
        ("hold", False, (0, 0, 0, 0, 1)),
        ("hold", True, (1, 1, 0, 1, 0)),
        ("release", False, (5, 0, 5, 0, 0)),
    ],
)
def test_the_preview_is_what_happens(burst, act, with_confirmed, numbers):
    before = states()

    shown = preview(burst=burst, act=act, with_confirmed=with_confirmed)
    batch = ask(burst=burst, act=act, with_confirmed=with_confirmed, actor=None, at=LATER, reason=WHY)
    done(batch)

    assert (shown.changed, shown.counted, shown.held, shown.confirmed, shown.confirmed_left) == numbers
    assert len(set(before) ^ set(states())) / 2 == shown.changed == batch.changes.count()


def test_removed_ones_leave_the_count_and_undone_they_are_back(petition, burst):
    before = count(petition)
    batch = ask(burst=burst, act="remove", with_confirmed=True, actor=None, at=LATER, reason=WHY)

    done(batch)
    meanwhile = count(petition)
    ask_undo(batch=batch, actor=None, at=LATER, reason="It was a class.")
    done(batch)

    assert (before, meanwhile, count(petition)) == (1, 0, 1)


@pytest.mark.parametrize("act", Batch.Act.values)
def test_undoing_restores_every_state(burst, act):
    before = states()
    batch = done(ask(burst=burst, act=act, with_confirmed=True, actor=None, at=LATER, reason=WHY))

    ask_undo(batch=batch, actor=None, at=LATER + timedelta(minutes=5), reason="A mistake.")
    done(batch)

    assert states() == before
    assert batch.undone_at
    assert recount() == []


def test_what_others_changed_meanwhile_is_left_and_listed(burst):
    batch = done(ask(burst=burst, act="remove", actor=None, at=LATER, reason=WHY))
    changed = Signature.objects.filter(removal="staff").first()
    restore(signature=changed, actor=None, at=LATER, reason="It is my aunt.")
    ask_undo(batch=batch, actor=None, at=LATER, reason="A mistake.")

    done(batch)

    assert [change.signature_id for change in batch.changes.filter(left_at__isnull=False)] == [changed.pk]
    assert Signature.objects.filter(removed_at=None).count() == 6


def test_who_is_released_gets_one_mail_and_counts_again_if_they_did(petition, burst):
    done(ask(burst=burst, act="release", actor=None, at=LATER, reason=WHY))

    assert count(petition) == 6
    assert OutgoingMail.objects.filter(dropped_at=None, created_at=LATER).count() == 5


def test_who_is_released_is_not_held_again(petition, burst):
    done(ask(burst=burst, act="release", actor=None, at=SOON, reason=WHY))

    bursts.watch(at=SOON + timedelta(minutes=1))

    assert Signature.objects.filter(held_at__isnull=False).count() == 0


def test_a_dismissed_cluster_holds_nobody_any_more(petition, burst):
    done(ask(burst=burst, act="release", dismiss=True, actor=None, at=SOON, reason="A university."))
    sign_in(petition, 6, first=50, at=SOON, network="one.wide")

    fold_and_watch(SOON + timedelta(minutes=1))

    assert Signature.objects.filter(held_at__isnull=False).count() == 0
    assert Burst.objects.count() == 1


def test_undoing_a_removal_brings_back_the_mails_that_waited(petition):
    sign_in(petition, 6, first=50, network="two.wide")
    fold_all(SOON)
    burst = Burst.objects.create(
        kind="network", key="two", found_at=SOON, first_at=NOW, last_at=SOON, ended_at=SOON
    )
    bursts.take_in(burst, at=SOON)
    batch = done(ask(burst=burst, act="remove", actor=None, at=LATER, reason=WHY))
    dropped = OutgoingMail.objects.filter(dropped_at__isnull=False).count()

    ask_undo(batch=batch, actor=None, at=LATER, reason="A mistake.")
    done(batch)

    assert (dropped, OutgoingMail.objects.filter(dropped_at__isnull=False).count()) == (6, 0)


def test_those_who_came_after_staff_looked_are_not_touched(petition, burst):
    batch = ask(burst=burst, act="remove", actor=None, at=SOON, reason=WHY)
    sign_in(petition, 1, first=50, at=SOON, network="one.wide")
    fold_and_watch(SOON)

    done(batch)

    assert Member.objects.filter(burst=burst).count() == 7
    assert batch.changes.count() == batch.expected == 5


def test_staff_who_saw_another_number_look_again(burst):
    with pytest.raises(CannotBeDone, match="It was 4 when you looked, and is 5 by now"):
        ask(burst=burst, act="remove", seen=4, actor=None, at=LATER, reason=WHY)


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_is_needed(burst, reason):
    with pytest.raises(CannotBeDone, match="Say why"):
        ask(burst=burst, act="remove", actor=None, at=LATER, reason=reason)


def test_one_thing_at_a_time(burst):
    ask(burst=burst, act="remove", actor=None, at=LATER, reason=WHY)

    with pytest.raises(CannotBeDone, match="Something is being done"):
        ask(burst=burst, act="release", actor=None, at=LATER, reason=WHY)


def test_undone_once(burst):
    batch = done(ask(burst=burst, act="remove", actor=None, at=LATER, reason=WHY))
    ask_undo(batch=batch, actor=None, at=LATER, reason="A mistake.")

    with pytest.raises(CannotBeDone, match="undone already"):
        ask_undo(batch=batch, actor=None, at=LATER, reason="A mistake.")


def test_asking_and_undoing_are_in_the_audit_log(burst):
    owner = make_staff()
    batch = done(ask(burst=burst, act="remove", actor=owner, at=LATER, reason=WHY))
    ask_undo(batch=batch, actor=owner, at=LATER, reason="A mistake.")

    entries = AuditEntry.objects.filter(subject_type="burst").order_by("pk")
    assert [(entry.action, entry.reason) for entry in entries] == [
        ("cluster: remove", WHY),
        ("cluster: undo", "A mistake."),
    ]
    assert entries[0].details["signatures"] == 5


def test_many_go_in_steps(burst, monkeypatch):
    monkeypatch.setattr(applying, "AT_ONCE", 2)
    batch = ask(burst=burst, act="remove", actor=None, at=LATER, reason=WHY)

    work(at=LATER)
    halfway = Change.objects.count()
    done(batch)

    assert (halfway, Change.objects.count()) == (1, 5)
    assert batch.finished_at


@pytest.mark.parametrize("seed", range(3))
def test_counts_stay_exact_whatever_happens_in_whatever_order(petition, burst, seed):
    chance = random.Random(seed)
    moment = LATER

    def any_signature():
        return chance.choice(list(Signature.objects.all()))

    def on_cluster(act):
        batch = ask(
            burst=burst, act=act, with_confirmed=chance.random() < 0.5, actor=None, at=moment, reason=WHY
        )
        done(batch, at=moment)

    def undo():
        batches = list(Batch.objects.filter(undo_asked_at=None))
        if batches:
            batch = chance.choice(batches)
            ask_undo(batch=batch, actor=None, at=moment, reason=WHY)
            done(batch, at=moment)

    def decide(act):
        try:
            act(signature=any_signature(), actor=None, at=moment, reason=WHY)
        except CannotBeDone:
            pass

    deeds = [
        lambda: on_cluster("remove"),
        lambda: on_cluster("hold"),
        lambda: on_cluster("release"),
        undo,
        undo,
        lambda: decide(remove),
        lambda: decide(restore),
        lambda: decide(release),
        lambda: confirm(signature_id=any_signature().pk, at=moment),
        lambda: disown(signature_id=any_signature().pk, at=moment, block=False),
        lambda: sign_in(petition, 1, email=any_signature().email, at=moment),
        lambda: sign_in(petition, 2, first=90, at=moment, network="one.wide"),
        lambda: fold_and_watch(moment),
        lambda: add_up(at=moment),
    ]
    for _ in range(30):
        moment += timedelta(minutes=2)
        chance.choice(deeds)()

    add_up(at=moment)
    assert recount() == []
