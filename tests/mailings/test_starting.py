"""From a draft to copies that wait, and what stops it."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from mailings import freezing, starting
from mailings.digests import digest_of
from mailings.freezing import NotNow, write_due
from mailings.models import TAKE_BACK, Edition, Mailing, Recipient
from mailings.sending import send_some
from signers.erasing import erase
from staff.models import AuditEntry
from tests.factories import NOW, make_mailing, make_petition, make_staff, make_subscriber
from tests.threads import in_parallel

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def petition():
    return make_petition()


@pytest.fixture
def ada():
    return make_staff()


@pytest.fixture
def readers(petition):
    organization = petition.campaign.organization
    return [make_subscriber(organization, place=petition.target.place) for _ in range(3)]


@pytest.fixture
def draft(petition, readers):
    return make_mailing(petition.campaign)


def start(mailing, actor, **fields):
    return starting.start(mailing=mailing, actor=actor, **{"at": NOW} | fields)


def limited(mailing, limit):
    organization = mailing.campaign.organization
    organization.approval_above = limit
    organization.save()


# --- Starting ------------------------------------------------------------------------------------------------


def test_starting_queues_a_copy_for_everybody_ten_minutes_from_now(draft, readers, ada, petition):
    number = start(draft, ada)

    assert (number, draft.people, draft.state(NOW)) == (3, 3, "leaving")
    copies = Recipient.objects.filter(mailing=draft)
    assert {copy.supporter for copy in copies} == set(readers)
    assert {copy.due_at for copy in copies} == {NOW + TAKE_BACK}
    assert {copy.edition.petition for copy in copies} == {petition}
    assert AuditEntry.objects.get(action="started").details == {"recipients": 3}


def test_what_was_started_is_frozen(draft, ada):
    start(draft, ada)

    Mailing.objects.filter(pk=draft.pk).update(body="Something else.")

    assert "the doors stay shut" in Edition.objects.get(mailing=draft).text


def test_starting_twice_starts_once(draft, ada):
    start(draft, ada)

    with pytest.raises(NotNow, match="can be taken back"):
        start(draft, ada)

    assert Recipient.objects.count() == 3


def test_mistakes_stand_in_the_way(draft, ada):
    Mailing.objects.filter(pk=draft.pk).update(subject="{{ nobody }}")

    with pytest.raises(NotNow, match="Correct this first"):
        start(draft, ada)

    assert not Recipient.objects.exists()
    assert not Edition.objects.exists()


def test_nobody_is_no_audience(petition, ada):
    mailing = make_mailing(petition.campaign)

    with pytest.raises(NotNow, match="Nobody would get"):
        start(mailing, ada)

    assert Mailing.objects.get().started_at is None
    assert not Edition.objects.exists()


def test_what_a_colleague_changed_meanwhile_does_not_leave_unread(draft, ada):
    seen = digest_of(draft)
    Mailing.objects.filter(pk=draft.pk).update(body="Quite another text.")

    with pytest.raises(NotNow, match="after you looked"):
        start(draft, ada, seen=seen)


def test_two_subjects_go_to_a_share_half_each_and_the_rest_waits(petition, ada):
    organization = petition.campaign.organization
    for _ in range(200):
        make_subscriber(organization, place=petition.target.place)
    mailing = make_mailing(petition.campaign, other_subject="Or this?", test_share=50)

    start(mailing, ada)

    numbers = {mark: Recipient.objects.filter(subject=mark).count() for mark in ("a", "b", "")}
    assert sum(numbers.values()) == 200
    assert all(30 <= numbers[mark] <= 70 for mark in ("a", "b"))
    assert Recipient.objects.filter(subject="", due_at=None).count() == numbers[""]


# --- A second pair of eyes -----------------------------------------------------------------------------------


def test_large_mailing_needs_somebody_elses_approval(draft, ada):
    limited(draft, 2)

    with pytest.raises(NotNow, match="somebody else has to approve"):
        start(draft, ada)
    starting.ask(mailing=draft, actor=ada, at=NOW)
    with pytest.raises(NotNow, match="Somebody else has to approve"):
        starting.approve(mailing=draft, actor=ada, at=NOW)
    starting.approve(mailing=draft, actor=make_staff(), at=NOW)

    assert start(draft, ada) == 3


def test_change_after_the_approval_asks_anew(draft, ada):
    limited(draft, 2)
    starting.ask(mailing=draft, actor=ada, at=NOW)
    starting.approve(mailing=draft, actor=make_staff(), at=NOW)
    Mailing.objects.filter(pk=draft.pk).update(subject="Another subject")

    with pytest.raises(NotNow, match="changed after it was approved"):
        start(draft, ada)


def test_change_after_asking_cannot_be_approved(draft, ada):
    starting.ask(mailing=draft, actor=ada, at=NOW)
    draft.places.add(make_petition().target.place)

    with pytest.raises(NotNow, match="changed after approval was asked for"):
        starting.approve(mailing=draft, actor=make_staff(), at=NOW)


def test_name_for_staff_and_speed_may_change_after_the_approval(draft, ada):
    limited(draft, 2)
    starting.ask(mailing=draft, actor=ada, at=NOW)
    starting.approve(mailing=draft, actor=make_staff(), at=NOW)
    Mailing.objects.filter(pk=draft.pk).update(title="Better name", per_minute=10)

    assert start(draft, ada) == 3


# --- Stopping ------------------------------------------------------------------------------------------------


def test_taken_back_it_is_a_draft_and_nothing_is_left_of_it(draft, ada):
    start(draft, ada)

    starting.take_back(mailing=draft, actor=ada, at=NOW + 9 * MINUTE)

    assert (draft.state(NOW), draft.people) == ("draft", None)
    assert not Recipient.objects.exists()
    assert start(draft, ada, at=NOW + 10 * MINUTE) == 3


def test_after_ten_minutes_it_cannot_be_taken_back(draft, ada):
    start(draft, ada)

    with pytest.raises(NotNow):
        starting.take_back(mailing=draft, actor=ada, at=NOW + TAKE_BACK)

    assert Recipient.objects.count() == 3


def test_pausing_resuming_and_canceling(draft, ada):
    start(draft, ada)
    later = NOW + 11 * MINUTE

    starting.pause(mailing=draft, actor=ada, at=later)
    assert draft.state(later) == "paused"
    starting.resume(mailing=draft, actor=ada, at=later)
    assert draft.state(later) == "sending"
    assert starting.cancel(mailing=draft, actor=ada, at=later) == 3

    assert draft.state(later) == "canceled"
    assert set(Recipient.objects.values_list("dropped", flat=True)) == {"canceled"}
    assert send_some(at=later) == 0


@pytest.mark.parametrize("deed", ["take_back", "pause", "resume"])
def test_what_does_not_fit_a_draft_is_refused(draft, ada, deed):
    with pytest.raises(NotNow, match="a draft"):
        getattr(starting, deed)(mailing=draft, actor=ada, at=NOW)


def test_winner_is_chosen_once(draft, ada):
    Mailing.objects.filter(pk=draft.pk).update(other_subject="Or this?", test_share=2)
    start(draft, ada)
    waiting = Recipient.objects.filter(due_at=None).count()

    with pytest.raises(NotNow, match="first or the second"):
        starting.choose_winner(mailing=draft, subject="c", actor=ada, at=NOW)
    assert starting.choose_winner(mailing=draft, subject="b", actor=ada, at=NOW) == waiting
    with pytest.raises(NotNow, match="already"):
        starting.choose_winner(mailing=draft, subject="a", actor=ada, at=NOW)

    assert not Recipient.objects.filter(due_at=None).exists()


def test_mailing_that_was_taken_back_has_a_new_winner_to_choose(draft, ada):
    Mailing.objects.filter(pk=draft.pk).update(other_subject="Or this?", test_share=2)
    start(draft, ada)
    starting.choose_winner(mailing=draft, subject="b", actor=ada, at=NOW)
    starting.take_back(mailing=draft, actor=ada, at=NOW + MINUTE)
    start(draft, ada)
    waiting = Recipient.objects.filter(due_at=None).count()

    assert starting.choose_winner(mailing=draft, subject="a", actor=ada, at=NOW) == waiting > 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="There is no such limit elsewhere.")
def test_long_list_may_take_longer_than_a_visitor_waits(draft, ada):
    with CaptureQueriesContext(connection) as asked:
        start(draft, ada)

    assert any(query["sql"] == "SET LOCAL statement_timeout = 0" for query in asked.captured_queries)


@pytest.mark.django_db(transaction=True)
def test_of_two_mailings_started_at_once_nobody_gets_both():
    petition, ada = make_petition(), make_staff()
    for _ in range(3):
        make_subscriber(petition.campaign.organization, place=petition.target.place)
    drafts = [make_mailing(petition.campaign) for _ in range(2)]

    def start_next():
        with suppress(NotNow):
            start(drafts.pop(), ada)

    in_parallel((start_next, 2))

    assert Recipient.objects.count() == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time.")
@pytest.mark.django_db(transaction=True)
def test_person_is_erased_while_a_mailing_to_them_is_being_started(monkeypatch):
    petition, ada = make_petition(), make_staff()
    leaving, staying = (
        make_subscriber(petition.campaign.organization, place=petition.target.place) for _ in range(2)
    )
    draft = make_mailing(petition.campaign)
    stored, erased = threading.Event(), threading.Event()
    store = starting.store_recipients

    def store_and_wait(*given, **named):
        number = store(*given, **named)
        stored.set()
        erased.wait(10)
        return number

    def erase_meanwhile():
        stored.wait(10)
        erase(supporter_id=leaving.pk, at=NOW)
        erased.set()

    monkeypatch.setattr(starting, "store_recipients", store_and_wait)

    in_parallel((lambda: start(draft, ada), 1), (erase_meanwhile, 1))

    assert Recipient.objects.get().supporter == staying


# --- What is approved -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda petition: petition.campaign.sources.create(key="new-2026", title="Another study"),
        lambda petition: type(petition).objects.filter(pk=petition.pk).update(local="And here it rains in."),
        lambda petition: type(petition.target).objects.update(office="Governor"),
        lambda petition: type(petition.campaign.organization).objects.update(
            postal_address="9 Elsewhere Road"
        ),
        lambda petition: type(petition.campaign.organization).objects.update(reply_to="else@example.org"),
    ],
    ids=["source", "local paragraph", "target", "postal address", "reply-to"],
)
def test_change_of_anything_the_mail_shows_ends_an_approval(change, draft, ada, petition):
    limited(draft, 1)
    starting.ask(mailing=draft, actor=ada, at=NOW)
    starting.approve(mailing=draft, actor=make_staff(), at=NOW)

    change(petition)

    with pytest.raises(NotNow, match="changed after it was approved"):
        start(Mailing.objects.get(), ada)


# --- Very many ------------------------------------------------------------------------------------------------


@pytest.fixture
def long_list(monkeypatch):
    monkeypatch.setattr(starting, "LISTED_AT_ONCE", 2)


def test_long_list_is_written_by_the_worker(long_list, draft, ada):
    number = start(draft, ada)
    queued_by_starting = Recipient.objects.count()
    listed = write_due(at=NOW + MINUTE)

    assert (number, queued_by_starting, listed) == (3, 0, 3)
    assert set(Recipient.objects.values_list("due_at", flat=True)) == {NOW + TAKE_BACK}
    assert Mailing.objects.get().people == 3
    assert write_due(at=NOW + MINUTE) == 0


def test_nothing_leaves_before_the_list_is_there(long_list, draft, ada, mailoutbox):
    start(draft, ada)

    send_some(at=NOW + TAKE_BACK)

    assert mailoutbox == []
    assert Mailing.objects.get().state(NOW + TAKE_BACK) == "sending"


def test_list_written_late_leaves_at_once(long_list, draft, ada, mailoutbox):
    start(draft, ada)

    write_due(at=NOW + TAKE_BACK + MINUTE)
    send_some(at=NOW + TAKE_BACK + MINUTE)

    assert len(mailoutbox) == 3


@pytest.mark.parametrize("stop", [starting.take_back, starting.cancel])
def test_list_of_a_mailing_that_was_stopped_is_not_written(stop, long_list, draft, ada):
    start(draft, ada)

    stop(mailing=draft, actor=ada, at=NOW + MINUTE)

    assert write_due(at=NOW + MINUTE) == 0
    assert not Recipient.objects.exists()


def test_list_is_given_up_when_the_mailing_is_canceled_in_mid_writing(long_list, draft, ada, monkeypatch):
    start(draft, ada)
    store = freezing.store_recipients

    def store_and_cancel(*given, **named):
        number = store(*given, **named)
        Mailing.objects.update(canceled_at=NOW)
        return number

    monkeypatch.setattr(freezing, "store_recipients", store_and_cancel)

    assert write_due(at=NOW + MINUTE) == 0
    assert not Recipient.objects.exists()


def test_next_mailing_waits_until_the_list_of_the_last_one_is_there(long_list, draft, ada, readers, petition):
    start(draft, ada)
    next_one = make_mailing(petition.campaign)

    with pytest.raises(NotNow, match="is being written"):
        start(next_one, ada)

    write_due(at=NOW + MINUTE)
    with pytest.raises(NotNow, match="Nobody would get this mailing"):
        start(next_one, ada)


def test_list_that_cannot_be_written_holds_up_no_other(long_list, draft, ada, petition, monkeypatch):
    elsewhere = make_petition()
    for _ in range(3):
        make_subscriber(elsewhere.campaign.organization, place=elsewhere.target.place)
    other = make_mailing(elsewhere.campaign)
    start(draft, ada)
    start(other, ada)
    store = freezing.store_recipients

    def store_but_one(mailing, *given, **named):
        if mailing.pk == draft.pk:
            raise ValueError("for whatever reason")
        return store(mailing, *given, **named)

    monkeypatch.setattr(freezing, "store_recipients", store_but_one)
    listed = [write_due(at=NOW + MINUTE) for _ in range(5)]

    assert listed == [3, 0, 0, 0, 0]
    draft.refresh_from_db()
    assert (draft.list_tries, draft.paused_at, draft.listed_at) == (3, NOW + MINUTE, None)
    assert AuditEntry.objects.filter(action="list given up").count() == 1
    with pytest.raises(NotNow, match="Resume or cancel that mailing first"):
        start(make_mailing(petition.campaign), ada)

    monkeypatch.setattr(freezing, "store_recipients", store)
    starting.resume(mailing=draft, actor=ada, at=NOW + MINUTE)
    assert write_due(at=NOW + MINUTE) == 3


def test_database_that_is_away_counts_as_no_try(long_list, draft, ada, monkeypatch):
    start(draft, ada)

    def away(*_given, **_named):
        raise OperationalError("gone")

    monkeypatch.setattr(freezing, "store_recipients", away)
    with pytest.raises(OperationalError):
        write_due(at=NOW + MINUTE)

    assert Mailing.objects.get().list_tries == 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time.")
@pytest.mark.django_db(transaction=True)
def test_mailing_is_canceled_at_once_while_its_list_is_being_written(monkeypatch):
    monkeypatch.setattr(starting, "LISTED_AT_ONCE", 0)
    petition, ada = make_petition(), make_staff()
    make_subscriber(petition.campaign.organization, place=petition.target.place)
    draft = make_mailing(petition.campaign)
    start(draft, ada)
    stored, canceled = threading.Event(), threading.Event()
    store = freezing.store_recipients

    def store_and_wait(*given, **named):
        number = store(*given, **named)
        stored.set()
        assert canceled.wait(10)
        return number

    def cancel_meanwhile():
        stored.wait(10)
        starting.cancel(mailing=draft, actor=ada, at=NOW + MINUTE)
        canceled.set()

    monkeypatch.setattr(freezing, "store_recipients", store_and_wait)

    in_parallel((lambda: write_due(at=NOW + MINUTE), 1), (cancel_meanwhile, 1))

    assert not Recipient.objects.exists()
