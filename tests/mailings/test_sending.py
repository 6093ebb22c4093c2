"""Every copy of a mailing once, whatever the server, staff and readers do meanwhile."""

import socket
import threading
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes

import pytest
from django.core import mail as outbox_of
from django.db import OperationalError, connection, transaction
from django.test import override_settings

from mailings import sending, starting
from mailings.messages import Writer
from mailings.models import Mailing, MailReport, Recipient
from mailings.sending import (
    ANSWERED_WITHIN,
    BACKOFF,
    BATCH_LASTS,
    CLAIMED_FOR,
    CannotResend,
    claimed,
    finish,
    hand_over,
    in_doubt,
    resend,
    send_some,
)
from mailings.unsubscribing import unsubscribe
from petitions.closing import close
from signers.erasing import erase
from signers.models import Supporter
from staff.models import AuditEntry
from tests.factories import (
    NOW,
    make_edition,
    make_mailing,
    make_petition,
    make_recipient,
    make_signature,
    make_staff,
)
from tests.smtp_server import DROP, HANG, SmtpServer
from tests.threads import in_parallel
from toolkit.emails import ServerUnavailable

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TOO_BUSY, NO_SUCH_USER = b"451 Too busy\r\n", b"550 5.1.1 No such user <connie@example.org>\r\n"


@pytest.fixture
def edition(db):
    """Of a mailing under way."""
    petition = make_petition()
    return make_edition(make_mailing(petition.campaign, starts_at=NOW), petition)


@contextmanager
def server(*, timeout=10, **answers):
    """A mail server that answers as told, and settings that point at it."""
    with SmtpServer(answers) as smtp, smtp_at(smtp.port, timeout=timeout):
        yield smtp


def smtp_at(port, *, timeout=10):
    return override_settings(
        EMAIL_BACKEND="toolkit.emails.SmtpBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_TIMEOUT=timeout,
    )


@contextmanager
def server_down():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with smtp_at(port):
        yield


def copies(edition, number):
    return [make_recipient(edition) for _ in range(number)]


def states():
    return [recipient.state for recipient in Recipient.objects.order_by("id")]


def why():
    return [recipient.dropped for recipient in Recipient.objects.order_by("id")]


def send_all(at=NOW):
    """Until nothing more is done; returns the number."""
    total = 0
    while done := send_some(at=at):
        total += done
    return total


def receivers(smtp):
    return sorted(message_from_bytes(content)["To"] for content in smtp.mails)


@contextmanager
def just_before_the_dot(monkeypatch, happens):
    """`happens()` while the first copy is on its way, after everything was looked at."""
    hand_over = sending.hand_over
    todo = [happens]

    def interrupted(recipient, *, at):
        if todo:
            todo.pop()()
        hand_over(recipient, at=at)

    with monkeypatch.context() as patch:
        patch.setattr(sending, "hand_over", interrupted)
        yield


# --- Each once -----------------------------------------------------------------------------------------------


def test_copies_that_are_due_are_sent_once_and_the_mailing_is_finished(edition):
    copies(edition, 3)

    total = send_all(), send_all()

    assert total == (3, 0)
    assert len(outbox_of.outbox) == 3
    assert states() == ["sent"] * 3
    assert Mailing.objects.get().state(NOW) == "sent"


def test_copy_says_when_it_was_handed_over_and_sent(edition):
    make_recipient(edition)

    send_some(at=NOW)

    copy = Recipient.objects.get()
    assert NOW <= copy.handed_over_at <= copy.sent_at < NOW + MINUTE


def test_nothing_leaves_in_the_ten_minutes_in_which_it_can_be_taken_back(db):
    petition = make_petition()
    edition = make_edition(make_mailing(petition.campaign, starts_at=NOW), petition)
    make_recipient(edition)

    assert send_some(at=NOW - timedelta(seconds=1)) == 0
    assert send_some(at=NOW) == 1


def test_readers_get_the_edition_of_their_own_petition(db):
    one, other = make_petition(), None
    other = make_petition(letter=one.letter)
    mailing = make_mailing(one.campaign, starts_at=NOW, body="To {{ place.name }}.")
    for petition in (one, other):
        make_recipient(make_edition(mailing, petition))

    send_all()

    bodies = [message.body for message in outbox_of.outbox]
    assert [
        petition.target.place.name in body for petition, body in zip((one, other), bodies, strict=True)
    ] == [True, True]


def test_one_connection_serves_a_batch(edition):
    copies(edition, 3)

    with server() as smtp:
        done = send_some(at=NOW)

    assert (done, len(smtp.mails), smtp.connections) == (3, 3, 1)


@pytest.mark.django_db(transaction=True)
def test_several_senders_send_each_copy_once():
    petition = make_petition()
    edition = make_edition(make_mailing(petition.campaign, starts_at=NOW), petition)
    copies(edition, 20)

    def send():
        while Recipient.objects.queued().exists():
            send_some(at=NOW, limit=3)

    in_parallel((send, 3))

    assert len(outbox_of.outbox) == len({message.to[0] for message in outbox_of.outbox}) == 20
    assert set(states()) == {"sent"}


def test_queries_for_a_copy_are_two_and_for_a_batch_few(edition, django_assert_max_num_queries):
    copies(edition, 20)

    with django_assert_max_num_queries(2 * 20 + 17):
        send_some(at=NOW)


def test_older_mailing_goes_first_and_then_the_other(db):
    petition = make_petition()
    for subject, starts_at in (("Second", NOW), ("First", NOW - HOUR)):
        make_recipient(
            make_edition(make_mailing(petition.campaign, starts_at=starts_at, subject=subject), petition)
        )

    send_all()

    assert [message.subject for message in outbox_of.outbox] == ["First", "Second"]


def test_sending_stops_between_two_copies_when_asked_to_and_gives_back_the_rest(edition):
    copies(edition, 3)
    answers = iter([True, False])

    done = send_some(at=NOW, keep_on=lambda: next(answers))

    assert (done, states()) == (1, ["sent", "queued", "queued"])
    assert send_some(at=NOW) == 2


# --- Claims --------------------------------------------------------------------------------------------------


def test_claimed_copies_are_nobody_elses_until_the_claim_is_over(edition):
    copies(edition, 3)

    mine = claimed(edition.mailing, at=NOW, limit=2)
    theirs = claimed(edition.mailing, at=NOW, limit=5)

    assert (len(mine), len(theirs)) == (2, 1)
    assert claimed(edition.mailing, at=NOW + CLAIMED_FOR - MINUTE, limit=5) == []
    assert len(claimed(edition.mailing, at=NOW + CLAIMED_FOR, limit=5)) == 3


def test_sender_whose_claim_was_over_sends_nothing_more(edition):
    make_recipient(edition)
    [mine] = claimed(edition.mailing, at=NOW, limit=1)
    [theirs] = claimed(edition.mailing, at=NOW + CLAIMED_FOR, limit=1)

    with pytest.raises(sending.NotWanted):
        hand_over(mine, at=NOW)
    sending.put_off(mine, reason="451", at=NOW)
    sending.fail(mine, reason="550", at=NOW)
    sending.drop(mine, reason="signed", at=NOW)

    hand_over(theirs, at=NOW)
    copy = Recipient.objects.get()
    assert (copy.state, copy.attempts) == ("in doubt", 0)


def test_late_sender_takes_nothing_back_from_the_one_after_it(edition, monkeypatch):
    """The first sender's connection breaks when the second has handed the copy over already."""
    make_recipient(edition)

    def deliver(_message, _server, *, before_handover):
        [theirs] = claimed(edition.mailing, at=NOW + CLAIMED_FOR, limit=1)
        hand_over(theirs, at=NOW + CLAIMED_FOR)
        raise ServerUnavailable("Gone.")

    monkeypatch.setattr(sending, "deliver", deliver)
    monkeypatch.setattr(sending, "answers", lambda _server: True)

    send_some(at=NOW)

    assert states() == ["in doubt"]


def test_batch_at_a_slow_server_ends_long_before_its_claim(edition, monkeypatch):
    copies(edition, 5)
    moments = (NOW + timedelta(seconds=seconds) for seconds in range(0, 6000, 50))
    monkeypatch.setattr(sending.Batch, "now", lambda _batch: next(moments))

    done = send_some(at=NOW)

    assert 0 < done < 5
    assert Recipient.objects.queued().filter(claim=None).count() == 5 - done
    assert Recipient.objects.exclude(sent_at=None).filter(handed_over_at__gt=NOW).count() == done
    # One more copy may be under way when the time is over: connecting, greeting, TLS, login, and everything again.
    assert BATCH_LASTS + timedelta(seconds=300) < CLAIMED_FOR


def test_copy_of_a_long_batch_is_in_doubt_from_the_moment_it_left_not_from_the_batchs_beginning(
    edition, monkeypatch
):
    make_recipient(edition)
    monkeypatch.setattr(sending.Batch, "now", lambda _batch: NOW + timedelta(seconds=100))

    with server(dot=DROP, timeout=2), pytest.raises(ServerUnavailable):
        send_some(at=NOW)

    assert list(in_doubt(at=NOW + ANSWERED_WITHIN)) == []
    assert in_doubt(at=NOW + ANSWERED_WITHIN + timedelta(seconds=100)).count() == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL locks rows")
@pytest.mark.django_db(transaction=True)
def test_without_row_locks_one_process_sends_at_a_time():
    petition = make_petition()
    make_recipient(make_edition(make_mailing(petition.campaign, starts_at=NOW), petition))

    with sending._sole_sender() as first:
        second = send_some(at=NOW)

    assert (first, second, send_some(at=NOW)) == (True, 0, 1)


# --- Speed ---------------------------------------------------------------------------------------------------


def slow(per_minute, number):
    petition = make_petition()
    edition = make_edition(make_mailing(petition.campaign, starts_at=NOW, per_minute=per_minute), petition)
    return edition, copies(edition, number)


def test_no_more_leave_in_a_minute_than_staff_allow(db):
    slow(3, 5)

    assert [send_some(at=NOW + timedelta(seconds=s)) for s in (0, 1, 30, 59)] == [3, 0, 0, 0]
    assert send_some(at=NOW + timedelta(seconds=62)) == 2


def test_what_other_senders_hold_counts_against_the_limit(db):
    edition, _copies = slow(3, 5)
    claimed(edition.mailing, at=NOW, limit=2)

    assert len(claimed(edition.mailing, at=NOW, limit=5)) == 1
    assert claimed(edition.mailing, at=NOW, limit=5) == []


@pytest.mark.django_db(transaction=True)
def test_several_senders_together_keep_to_the_limit():
    slow(4, 20)

    in_parallel((lambda: [send_some(at=NOW, limit=3) for _ in range(4)], 3))

    assert len(outbox_of.outbox) == 4


def test_mailing_at_its_limit_lets_the_next_one_go_on(db):
    slow(1, 2)
    petition = make_petition()
    other = make_edition(make_mailing(petition.campaign, starts_at=NOW + MINUTE), petition)
    copies(other, 2)

    send_all(at=NOW + MINUTE)

    assert states() == ["sent", "queued", "sent", "sent"]


# --- What staff decide ---------------------------------------------------------------------------------------


@pytest.fixture
def ada(db):
    return make_staff()


def test_paused_mailing_sends_nothing_until_it_is_resumed(edition, ada):
    copies(edition, 2)
    starting.pause(mailing=edition.mailing, actor=ada, at=NOW)

    while_paused = send_some(at=NOW)
    starting.resume(mailing=edition.mailing, actor=ada, at=NOW)

    assert (while_paused, send_some(at=NOW)) == (0, 2)


def test_pause_takes_effect_on_the_very_copy_that_is_on_its_way(edition, ada, monkeypatch):
    copies(edition, 3)

    with (
        server() as smtp,
        just_before_the_dot(monkeypatch, lambda: starting.pause(mailing=edition.mailing, actor=ada, at=NOW)),
    ):
        send_some(at=NOW)

    assert (smtp.mails, set(states())) == ([], {"queued"})
    assert not Recipient.objects.exclude(claim=None).exists()


def test_canceled_in_mid_send_nothing_more_leaves(edition, ada, monkeypatch):
    copies(edition, 3)

    with just_before_the_dot(
        monkeypatch, lambda: starting.cancel(mailing=edition.mailing, actor=ada, at=NOW)
    ):
        send_some(at=NOW)

    assert (outbox_of.outbox, set(why())) == ([], {"canceled"})
    assert send_some(at=NOW) == 0


def test_rest_of_the_list_waits_for_the_winning_subject(edition, ada):
    Mailing.objects.update(other_subject="Another")
    make_recipient(edition, subject="a")
    make_recipient(edition, due_at=None)

    send_all(at=NOW + HOUR)
    waiting = states(), Mailing.objects.get().finished_at
    edition.mailing.refresh_from_db()
    starting.choose_winner(mailing=edition.mailing, subject="b", actor=ada, at=NOW + HOUR)
    send_all(at=NOW + HOUR)

    assert waiting == (["sent", "queued"], None)
    assert states() == ["sent", "sent"]
    assert Mailing.objects.get().finished_at


# --- What readers do meanwhile -------------------------------------------------------------------------------


def test_who_unsubscribed_while_queued_gets_nothing(edition):
    gone, _other = copies(edition, 2)

    unsubscribe(recipient_id=gone.pk, at=NOW)
    send_all()

    assert (states(), why()) == (["dropped", "sent"], ["unsubscribed", ""])


def test_unsubscribed_in_mid_send_nothing_follows(edition, monkeypatch):
    """Not even in the batch under way, whose copies were looked at before."""
    first, second, third = copies(edition, 3)

    with just_before_the_dot(
        monkeypatch, lambda: [unsubscribe(recipient_id=gone.pk, at=NOW) for gone in (first, third)]
    ):
        send_all()

    assert (states(), why()) == (["dropped", "sent", "dropped"], ["unsubscribed", "", "unsubscribed"])
    assert [message.to for message in outbox_of.outbox] == [[second.supporter.email]]


def test_who_unsubscribes_by_one_mailing_gets_no_other_of_the_organization_but_those_of_others(edition):
    copy = make_recipient(edition)
    supporter = copy.supporter
    same = make_recipient(
        make_edition(make_mailing(edition.mailing.campaign, starts_at=NOW)), supporter=supporter
    )
    others = make_recipient()
    Recipient.objects.filter(pk=others.pk).update(supporter=supporter)
    Supporter.objects.get(pk=supporter.pk).subscriptions.create(
        organization=others.mailing.campaign.organization, since=NOW
    )

    unsubscribe(recipient_id=copy.pk, at=NOW)
    send_all()

    assert {row.pk: row.state for row in Recipient.objects.all()} == {
        copy.pk: "dropped",
        same.pk: "dropped",
        others.pk: "sent",
    }


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (lambda copy: Supporter.objects.update(blocked_at=NOW), "stopped"),
        (lambda copy: Supporter.objects.update(stopped_at=NOW, stopped="bounced"), "stopped"),
        (lambda copy: erase(supporter_id=copy.supporter_id, at=NOW), "erased"),
        (
            lambda copy: make_signature(copy.edition.petition, supporter=copy.supporter, confirmed=True),
            "signed",
        ),
        (lambda copy: close(petition=copy.edition.petition, actor=None, at=NOW), "closed"),
    ],
    ids=["blocked", "bounced", "erased", "signed", "closed"],
)
def test_copy_that_is_no_longer_wanted_is_dropped_and_says_why(edition, meanwhile, reason):
    copy = make_recipient(edition)
    meanwhile(copy)

    send_all()

    assert (outbox_of.outbox, states(), why()) == ([], ["dropped"], [reason])
    assert Mailing.objects.get().finished_at


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda copy: Supporter.objects.update(blocked_at=NOW),
        lambda copy: Supporter.objects.update(stopped_at=NOW, stopped="bounced"),
        lambda copy: erase(supporter_id=copy.supporter_id, at=NOW),
    ],
    ids=["blocked", "bounced", "erased"],
)
def test_copy_that_is_not_wanted_any_more_while_it_is_on_its_way_does_not_arrive(
    edition, monkeypatch, meanwhile
):
    copy = make_recipient(edition)

    with server() as smtp, just_before_the_dot(monkeypatch, lambda: meanwhile(copy)):
        send_all()

    assert (smtp.mails, states()) == ([], ["dropped"])


def test_mailing_that_asks_for_nothing_reaches_who_has_signed(edition):
    Mailing.objects.update(asks_to_sign=False)
    copy = make_recipient(edition)
    make_signature(copy.edition.petition, supporter=copy.supporter, confirmed=True)

    send_all()

    assert states() == ["sent"]


def test_mailing_with_nobody_left_is_finished(edition):
    gone = make_recipient(edition)
    unsubscribe(recipient_id=gone.pk, at=NOW)

    send_all()

    assert Mailing.objects.get().state(NOW) == "sent"


def test_mailing_is_not_finished_while_a_copy_is_on_its_way(edition):
    make_recipient(edition, handed_over_at=NOW)

    assert finish(edition.mailing, at=NOW + MINUTE) is False
    assert finish(edition.mailing, at=NOW + ANSWERED_WITHIN) is True


@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite one writes at a time")
@pytest.mark.django_db(transaction=True)
def test_who_unsubscribes_at_the_very_moment_of_handing_over_either_gets_it_or_not_but_never_both():
    petition = make_petition()
    edition = make_edition(make_mailing(petition.campaign, starts_at=NOW), petition)
    copy = make_recipient(edition)
    [mine] = claimed(edition.mailing, at=NOW, limit=1)
    unsubscribed, outcome = threading.Event(), []

    def leave():
        with transaction.atomic():
            unsubscribe(recipient_id=copy.pk, at=NOW)
            unsubscribed.set()
            connection.cursor().execute("SELECT pg_sleep(0.3)")

    def send():
        unsubscribed.wait(10)
        try:
            hand_over(mine, at=NOW)
            outcome.append("handed over")
        except sending.NotWanted:
            outcome.append("not wanted")

    in_parallel((leave, 1), (send, 1))

    copy.refresh_from_db()
    assert (outcome, copy.state, copy.handed_over_at) == (["not wanted"], "dropped", None)


# --- The server ----------------------------------------------------------------------------------------------


def test_server_that_is_away_raises_and_leaves_everything_as_it_was(edition):
    copies(edition, 3)

    with server_down(), pytest.raises(ServerUnavailable):
        send_some(at=NOW)

    assert states() == ["queued"] * 3
    assert list(Recipient.objects.values_list("attempts", "claim", "due_at")) == [(0, None, NOW)] * 3


@pytest.mark.parametrize(
    "answers",
    [
        {"connect": b"421 Too busy\r\n"},
        {"connect": b"554 Go away\r\n"},
        {"connect": HANG},
        {"EHLO": DROP, "HELO": DROP},
        {"RCPT": b"421 Closing\r\n"},
        {"MAIL": b"550 5.7.1 Not from you\r\n"},
        {"RCPT": b"554 5.7.1 Relay access denied\r\n"},
        {"DATA": DROP},
    ],
    ids=str,
)
def test_ill_server_gets_nothing_fails_nothing_and_everything_arrives_once_it_is_well(edition, answers):
    people = copies(edition, 4)

    with server(timeout=1, **answers) as ill, pytest.raises(ServerUnavailable):
        send_some(at=NOW)
    after = states(), list(Recipient.objects.values_list("attempts", flat=True))
    with server() as well:
        send_all(at=NOW + HOUR)

    assert (ill.mails, after) == ([], (["queued"] * 4, [0] * 4))
    assert receivers(well) == sorted(copy.supporter.email for copy in people)


@pytest.mark.parametrize(
    "answers", [{"RCPT": TOO_BUSY}, {"DATA": TOO_BUSY}, {"dot": TOO_BUSY}, {"content": TOO_BUSY}], ids=str
)
def test_copy_put_off_by_the_server_tries_again_later(edition, answers):
    make_recipient(edition)

    with server(**answers):
        done = send_some(at=NOW)

    copy = Recipient.objects.get()
    assert (done, copy.state, copy.attempts, copy.handed_over_at) == (1, "queued", 1, None)
    assert NOW + BACKOFF[0] <= copy.due_at < NOW + BACKOFF[0] + MINUTE
    assert copy.last_error.startswith("451")
    assert Mailing.objects.get().finished_at is None
    with server() as well:
        send_all(at=copy.due_at)
    assert (states(), len(well.mails)) == (["sent"], 1)


def test_copy_put_off_for_days_has_failed(edition):
    copy = make_recipient(edition)

    with server(RCPT=TOO_BUSY):
        for _ in range(len(BACKOFF) + 1):
            copy.refresh_from_db()
            send_some(at=copy.due_at)

    assert states() == ["failed"]


@pytest.mark.parametrize(
    "answers",
    [
        {"RCPT": b"550 5.7.1 Policy\r\n"},
        {"DATA": b"554 No\r\n"},
        {"dot": b"552 Too big\r\n"},
        {"dot": b"550 Spam\r\n"},
        {"MAIL": b"552 Too big\r\n"},
    ],
    ids=str,
)
def test_refused_copy_has_failed_and_the_others_go_on(edition, answers):
    [step] = answers
    copies(edition, 2)

    with server(**{step: [answers[step], b"354 Go on\r\n" if step == "DATA" else b"250 OK\r\n"]}):
        send_all()

    assert states() == ["failed", "sent"]
    assert not MailReport.objects.exists()
    assert Supporter.objects.filter(stopped_at=None).count() == 2


def test_mailbox_that_does_not_exist_gets_no_more_mail(edition):
    copy = make_recipient(edition)

    with server(RCPT=NO_SUCH_USER):
        send_all()

    copy.refresh_from_db()
    copy.supporter.refresh_from_db()
    assert (copy.state, bool(copy.bounced_at), copy.supporter.stopped) == ("failed", True, "bounced")
    assert "example.org" not in copy.last_error + MailReport.objects.get().reason


@pytest.mark.parametrize(
    "answer", [DROP, HANG, b"999 What?\r\n", b"250"], ids=["hangs up", "hangs", "nonsense", "half an answer"]
)
def test_server_that_does_not_answer_the_dot_leaves_one_copy_in_doubt_and_none_is_resent(edition, answer):
    copies(edition, 3)

    with server(timeout=0.2, dot=answer), pytest.raises(ServerUnavailable):
        send_some(at=NOW)
    after = states()
    with server() as well:
        send_all(at=NOW + HOUR)

    assert after == ["in doubt", "queued", "queued"]
    assert states() == ["in doubt", "sent", "sent"]
    assert len(well.mails) == 2
    assert in_doubt(at=NOW + HOUR).count() == 1
    assert Mailing.objects.get().finished_at


def test_log_of_a_doubt_names_nobody(edition, caplog):
    copy = make_recipient(edition)

    with server(timeout=0.2, dot=DROP), pytest.raises(ServerUnavailable):
        send_some(at=NOW)

    assert "is in doubt" in caplog.text
    assert copy.supporter.email not in caplog.text


def test_one_copy_the_server_breaks_off_over_does_not_hold_up_the_others(edition):
    copies(edition, 4)

    with server(timeout=1, RCPT=[DROP, b"250 OK\r\n"]) as smtp:
        send_some(at=NOW)

    assert states() == ["queued", "sent", "sent", "sent"]
    assert len(smtp.mails) == 3
    assert Recipient.objects.queued().get().attempts == 1


def test_poison_copies_in_a_row_are_found_out_by_one_from_the_other_end(edition):
    copies(edition, 5)

    with server(timeout=1, RCPT=[DROP, b"250 OK\r\n"]) as smtp:
        send_some(at=NOW)

    first = message_from_bytes(smtp.mails[0])["To"]
    assert first == Recipient.objects.order_by("id").last().supporter.email


def test_lone_copy_the_server_breaks_off_over_fails_in_the_end_and_stops_no_other_mailing(edition):
    lone = make_recipient(edition)
    petition = make_petition()
    make_recipient(make_edition(make_mailing(petition.campaign, starts_at=NOW + MINUTE), petition))

    with server(timeout=1, RCPT=[DROP, b"250 OK\r\n"]):
        send_all(at=NOW + MINUTE)
    assert states() == ["queued", "sent"]
    with server(timeout=1, RCPT=DROP):
        for _ in range(len(BACKOFF)):
            lone.refresh_from_db()
            send_some(at=lone.due_at)

    assert states() == ["failed", "sent"]


def test_server_that_breaks_off_over_everything_lets_other_mailings_have_their_turn(edition):
    copies(edition, 3)
    petition = make_petition()
    make_recipient(make_edition(make_mailing(petition.campaign, starts_at=NOW + MINUTE), petition))

    with server(timeout=1, RCPT=[DROP, DROP, DROP, b"250 OK\r\n"]):
        with pytest.raises(ServerUnavailable):
            send_some(at=NOW + MINUTE)
        send_some(at=NOW + MINUTE)

    assert states() == ["queued", "queued", "queued", "sent"]
    assert set(Recipient.objects.values_list("attempts", flat=True)) == {0}


# --- Mistakes of our own -------------------------------------------------------------------------------------


def test_copy_that_cannot_be_written_is_put_off_and_named_by_number_only(edition, monkeypatch, caplog):
    bad, _good = copies(edition, 2)
    message = Writer.message

    def written(writer, recipient, **values):
        if recipient.pk == bad.pk:
            raise RuntimeError(f"cannot write to {values['to']}")
        return message(writer, recipient, **values)

    monkeypatch.setattr(Writer, "message", written)

    send_all()

    assert states() == ["queued", "sent"]
    bad.refresh_from_db()
    assert (bad.attempts, bad.last_error) == (1, "Could not be sent: RuntimeError.")
    assert f"Copy {bad.pk}" in caplog.text
    assert "example.org" not in caplog.text


@pytest.mark.parametrize(
    "email", ["änne@example.org", "a b@example.org", "nobody", "", "\u2028@x", "a@" + "b" * 300]
)
def test_impossible_address_stops_nobody_else(edition, email):
    odd, _good = copies(edition, 2)
    Supporter.objects.filter(pk=odd.supporter_id).update(email=email)

    with server() as smtp:
        send_all()

    assert states()[1] == "sent"
    assert len(smtp.mails) == 1 + (states()[0] == "sent")


def test_surprise_after_the_copy_was_handed_over_leaves_it_in_doubt(edition, monkeypatch):
    copies(edition, 2)

    def deliver(_message, _server, *, before_handover):
        before_handover()
        raise RuntimeError

    monkeypatch.setattr(sending, "deliver", deliver)

    with pytest.raises(ServerUnavailable):
        send_some(at=NOW)

    assert states() == ["in doubt", "queued"]


def test_database_that_goes_away_is_not_held_against_the_copy(edition, monkeypatch):
    make_recipient(edition)

    def deliver(_message, _server, *, before_handover):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(sending, "deliver", deliver)
        with pytest.raises(OperationalError):
            send_some(at=NOW)

    assert send_some(at=NOW) == 1
    assert states() == ["sent"]


# --- Once more -----------------------------------------------------------------------------------------------


def test_copy_in_doubt_is_sent_again_only_by_staff(edition, ada):
    copy = make_recipient(edition, handed_over_at=NOW)
    send_all(at=NOW + HOUR)
    before = states(), len(outbox_of.outbox)

    resend(recipient=copy, actor=ada, at=NOW + HOUR)
    send_all(at=NOW + HOUR)

    assert before == (["in doubt"], 0)
    assert (states(), len(outbox_of.outbox)) == (["sent"], 1)
    assert AuditEntry.objects.get(action="copy sent again").actor == ada


def test_finished_mailing_goes_on_for_a_copy_sent_again(edition, ada):
    copy = make_recipient(edition, failed_at=NOW)
    send_all()
    assert Mailing.objects.get().finished_at

    resend(recipient=copy, actor=ada, at=NOW)
    send_all()

    assert states() == ["sent"]
    assert Mailing.objects.get().finished_at


def test_copy_on_its_way_cannot_be_sent_again(edition, ada):
    copy = make_recipient(edition, handed_over_at=NOW)

    with pytest.raises(CannotResend, match="this very moment"):
        resend(recipient=copy, actor=ada, at=NOW + MINUTE)


@pytest.mark.parametrize(
    "fields", [{}, {"handed_over_at": NOW, "sent_at": NOW}, {"dropped_at": NOW, "dropped": "signed"}]
)
def test_only_what_failed_or_is_in_doubt_can_be_sent_again(edition, ada, fields):
    copy = make_recipient(edition, **fields)

    with pytest.raises(CannotResend, match="in doubt"):
        resend(recipient=copy, actor=ada, at=NOW + HOUR)


def test_canceled_mailing_sends_nothing_again(edition, ada):
    copy = make_recipient(edition, failed_at=NOW)
    Mailing.objects.update(canceled_at=NOW)

    with pytest.raises(CannotResend, match="canceled"):
        resend(recipient=copy, actor=ada, at=NOW)
