"""A mailing from the desk to the last reader."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core import mail as outbox_of
from django.utils import timezone

from mailings import sending, starting
from mailings.figures import figures
from mailings.models import Mailing, Recipient
from mailings.sending import send_some
from mailings.starting import NotNow
from mailings.unsubscribing import unsubscribe
from petitions.models import Petition
from signers.counting import add_up
from signers.models import Consent, Subscription
from staff.models import User
from tests.factories import make_letter, make_mailing, make_petition, make_place, make_staff
from tests.people import Person, shown_count, text_of, work

DAY, HOUR, TEN_MINUTES = timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)


@pytest.fixture
def ada(db: None) -> User:
    return make_staff(username="ada")


@pytest.fixture
def grace(db: None) -> User:
    return make_staff(username="grace")


@pytest.fixture
def city(db: None) -> Petition:
    """Where everybody of these stories lives: who signed here belongs here."""
    return make_petition(place=make_place(name="Rivermouth"), at=timezone.now() - DAY)


@pytest.fixture
def joins(city: Petition) -> Callable[[str], Person]:
    """`joins("Connie")` signs the city's petition, says yes to updates and confirms."""

    def join(name: str) -> Person:
        person = Person(first_name=name, email=f"{name.lower()}@people.example")
        person.signs(city, updates="yes")
        work()
        person.confirms()
        return person

    return join


@pytest.fixture
def thank_you(city: Petition) -> Petition:
    """The next petition in the same city."""
    letter = make_letter(campaign=city.letter.campaign, kind="thank-you")
    return make_petition(letter=letter, place=city.target.place, at=timezone.now() - DAY)


def written(petition: Petition, **fields: object) -> Mailing:
    return make_mailing(
        petition.campaign, audience="everybody", kind="thank-you", at=timezone.now(), **fields
    )


def starts(mailing: Mailing, actor: User, *, at: datetime | None = None) -> int:
    """An hour ago: by now it has left."""
    return starting.start(mailing=mailing, actor=actor, at=at or timezone.now() - HOUR)


def sends(mailing: Mailing, *, after: timedelta = TEN_MINUTES) -> None:
    """The worker, so long after the start."""
    while send_some(at=mailing.started_at + after):
        pass


def test_from_the_start_to_the_signature_of_a_reader(ada, joins, thank_you):
    connie, ray = joins("Connie"), joins("Ray")
    mailing = written(thank_you)

    copies = starts(mailing, ada)
    sends(mailing, after=TEN_MINUTES - timedelta(seconds=1))
    before = [person.mails[-1].subject for person in (connie, ray)]
    sends(mailing)
    page = connie.opens(connie.opens(connie.link("dear"))["Location"])
    thanks = connie.opens(connie.presses(f"{thank_you.get_absolute_url()}you/sign/")["Location"])
    add_up(at=timezone.now())

    assert copies == 2
    assert not [subject for subject in before if "one more thing" in subject]
    assert [person.mails[-1].subject for person in (connie, ray)] == [
        "Connie, one more thing",
        "Ray, one more thing",
    ]
    assert "Dear Connie," in text_of(page)
    assert "Signed. Thank you." in text_of(thanks)
    assert shown_count(Person(), thank_you) == (1, 1)
    mailing.refresh_from_db()
    assert mailing.state(timezone.now() + DAY) == "sent"
    total = figures(mailing).total
    assert (total.sent, total.signed) == (2, 1)


def test_taken_back_within_ten_minutes_nobody_hears_of_it_and_it_can_start_again(ada, joins, thank_you):
    connie = joins("Connie")
    mailing = written(thank_you)
    starts(mailing, ada)

    starting.take_back(mailing=mailing, actor=ada, at=mailing.started_at + timedelta(minutes=9))
    while send_some(at=timezone.now() + DAY):
        pass
    after = len(connie.mails), Recipient.objects.count()
    mailing.subject = "Better words"
    mailing.save()
    starts(mailing, ada)
    sends(mailing)

    assert after == (1, 0)
    assert connie.mails[-1].subject == "Better words"


def test_large_mailing_leaves_only_as_somebody_else_approved_it(ada, grace, joins, thank_you):
    joins("Connie"), joins("Ray")
    mailing = written(thank_you)
    organization = mailing.campaign.organization
    type(organization).objects.filter(pk=organization.pk).update(approval_above=1)
    now = timezone.now()

    with pytest.raises(NotNow, match="somebody else has to approve"):
        starting.start(mailing=mailing, actor=ada, at=now)
    starting.ask(mailing=mailing, actor=ada, at=now)
    with pytest.raises(NotNow, match="you asked for it"):
        starting.approve(mailing=mailing, actor=ada, at=now)
    starting.approve(mailing=mailing, actor=grace, at=now)

    assert starting.start(mailing=mailing, actor=ada, at=now) == 2


def test_who_unsubscribes_hears_nothing_more_of_this_or_any_later_mailing(ada, joins, thank_you):
    connie, ray = joins("Connie"), joins("Ray")
    first = written(thank_you, asks_to_sign=False)
    starts(first, ada)
    sends(first)

    connie.presses(connie.link("unsubscribe"))
    second = written(thank_you, quiet_hours=0, asks_to_sign=False)
    starts(second, ada)
    sends(second)

    assert (len(connie.mails), len(ray.mails)) == (2, 3)
    assert list(Subscription.objects.values_list("supporter__email", flat=True)) == [ray.email]
    assert Consent.objects.filter(granted=False, source="unsubscribe").count() == 1


def test_who_unsubscribes_while_it_is_being_sent_gets_nothing_from_that_moment(ada, joins, thank_you):
    people = [joins(name) for name in ("Connie", "Ray", "Uma")]
    mailing = written(thank_you)
    starts(mailing, ada)
    send_some(at=mailing.starts_at, limit=1)
    [reached] = [person for person in people if len(person.mails) == 2]
    waiting = next(person for person in people if person is not reached)
    copy = Recipient.objects.get(supporter__email=waiting.email)

    # By the link of an older mail.
    unsubscribe(recipient_id=copy.pk, at=timezone.now())
    sends(mailing)

    assert len(waiting.mails) == 1
    assert sorted(len(person.mails) for person in people) == [1, 2, 2]


def test_who_signed_and_who_was_written_to_today_is_left_out(ada, joins, thank_you):
    connie, ray = joins("Connie"), joins("Ray")
    first = written(thank_you)
    starts(first, ada)
    sends(first)
    connie.opens(connie.link("dear"))
    connie.presses(f"{thank_you.get_absolute_url()}you/sign/")

    today = written(thank_you)
    with pytest.raises(NotNow, match="Nobody would get this mailing"):
        starts(today, ada, at=timezone.now())
    tomorrow = starts(today, ada, at=timezone.now() + DAY)

    assert tomorrow == 1
    assert Recipient.objects.get(mailing=today).supporter.email == ray.email


def test_two_subjects_are_tried_and_the_rest_gets_the_winner(ada, joins, thank_you):
    for name in ("Al", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal"):
        joins(name)
    outbox_of.outbox.clear()
    mailing = written(thank_you, subject="First", other_subject="Second", test_share=50)
    starts(mailing, ada)
    sends(mailing)
    tried = [message.subject for message in outbox_of.outbox]

    rest = starting.choose_winner(mailing=mailing, subject="b", actor=ada, at=mailing.starts_at)
    sends(mailing)

    assert len(tried) + rest == len(outbox_of.outbox) == 8
    assert {message.subject for message in outbox_of.outbox[len(tried) :]} <= {"Second"}
    mailing.refresh_from_db()
    assert mailing.finished_at


@pytest.mark.parametrize("end", ["pause", "cancel"])
def test_staff_stop_it_and_not_one_copy_more_leaves(ada, joins, thank_you, end):
    for name in ("Connie", "Ray", "Uma"):
        joins(name)
    outbox_of.outbox.clear()
    mailing = written(thank_you)
    starts(mailing, ada)
    send_some(at=mailing.starts_at, limit=1)

    getattr(starting, end)(mailing=mailing, actor=ada, at=mailing.starts_at)
    sends(mailing, after=DAY)
    stopped = len(outbox_of.outbox)
    if end == "pause":
        starting.resume(mailing=mailing, actor=ada, at=mailing.starts_at)
    sends(mailing, after=DAY)

    assert stopped == 1
    assert len(outbox_of.outbox) == (3 if end == "pause" else 1)


def test_canceled_mailing_of_very_many_is_dropped_step_by_step(ada, joins, thank_you, monkeypatch):
    monkeypatch.setattr(sending, "CHANGED_AT_ONCE", 2)
    for name in ("Al", "Bo", "Cy", "Di", "Ed"):
        joins(name)
    outbox_of.outbox.clear()
    mailing = written(thank_you)
    starts(mailing, ada)

    never = starting.cancel(mailing=mailing, actor=ada, at=mailing.starts_at)
    at_once = Recipient.objects.filter(dropped="canceled").count()
    sends(mailing)

    assert (never, at_once) == (5, 2)
    assert Recipient.objects.filter(dropped="canceled").count() == 5
    assert outbox_of.outbox == []


def test_winner_for_very_many_is_released_step_by_step(ada, joins, thank_you, monkeypatch):
    monkeypatch.setattr(sending, "CHANGED_AT_ONCE", 1)
    for name in ("Al", "Bo", "Cy", "Di", "Ed", "Flo"):
        joins(name)
    mailing = written(thank_you, other_subject="Second", test_share=2)
    starts(mailing, ada)

    starting.choose_winner(mailing=mailing, subject="b", actor=ada, at=mailing.starts_at)
    sends(mailing)

    assert not Recipient.objects.filter(sent_at=None).exists()
    mailing.refresh_from_db()
    assert mailing.finished_at
