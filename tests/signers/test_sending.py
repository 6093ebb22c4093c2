"""Each mail once, whatever the server does."""

import socket
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core import mail as outbox_of
from django.db import connection
from django.test import override_settings

from signers import sending
from signers.confirming import confirm, disown
from signers.models import OutgoingMail, Supporter
from signers.sending import BACKOFF, CannotResend, bring_forward, in_doubt, resend, send_due
from staff.models import AuditEntry
from tests.factories import NOW, make_mail, make_petition, make_signature, make_staff, make_supporter
from tests.smtp_server import DROP, HANG, SmtpServer
from tests.threads import in_parallel
from toolkit.emails import ServerUnavailable

LATER = NOW + timedelta(hours=1)
TOO_BUSY, NO_SUCH_USER = b"451 Too busy\r\n", b"550 No such user <connie@example.org>\r\n"


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


def states():
    return [mail.state for mail in OutgoingMail.objects.order_by("id")]


# --- Sending -------------------------------------------------------------------------------------------------


def test_mail_whose_receiver_is_blocked_while_it_is_on_its_way_is_not_handed_over(db, monkeypatch):
    mail = make_mail()

    def deliver(_message, _server, *, before_handover):
        Supporter.objects.update(blocked_at=NOW)
        before_handover()

    monkeypatch.setattr(sending, "deliver", deliver)

    send_due(at=NOW)

    mail.refresh_from_db()
    assert (mail.handed_over_at, mail.state) == (None, "dropped")


def test_mail_that_is_due_is_sent_once(db):
    mail = make_mail()

    done = [send_due(at=NOW), send_due(at=NOW)]

    mail.refresh_from_db()
    assert done == [1, 0]
    assert len(outbox_of.outbox) == 1
    assert (mail.state, mail.sent_at, mail.handed_over_at) == ("sent", NOW, NOW)


def test_mail_that_is_not_due_waits(db):
    make_mail(due_at=LATER)

    assert send_due(at=NOW) == 0
    assert states() == ["waiting"]


def test_oldest_go_first_up_to_the_limit(db):
    make_mail(due_at=NOW)
    make_mail(due_at=NOW - timedelta(hours=1))

    send_due(at=NOW, limit=1)

    assert states() == ["waiting", "sent"]


def test_sending_stops_between_two_mails_when_asked_to(db):
    make_mail()
    make_mail()
    answers = iter([True, False])

    send_due(at=NOW, keep_on=lambda: next(answers))

    assert states() == ["sent", "waiting"]


def test_one_connection_serves_a_batch(db):
    for _ in range(3):
        make_mail()

    with server() as smtp:
        done = send_due(at=NOW)

    assert (done, len(smtp.mails), smtp.connections) == (3, 3, 1)


@pytest.mark.django_db(transaction=True)
def test_several_senders_send_each_mail_once():
    petition = make_petition()
    for _ in range(10):
        make_mail(make_signature(petition))

    def send_all():
        while sending.waiting().exists():
            send_due(at=NOW, limit=2)

    in_parallel((send_all, 3))

    assert len(outbox_of.outbox) == 10
    assert set(states()) == {"sent"}


# --- No longer wanted ----------------------------------------------------------------------------------------


def test_mail_is_dropped_when_the_signature_was_confirmed_before_its_turn(db):
    mail = make_mail()
    confirm(signature_id=mail.signature_id, at=NOW)

    send_due(at=NOW)

    assert (states(), outbox_of.outbox) == (["dropped"], [])


def test_mail_is_dropped_when_the_signature_was_removed_before_its_turn(db):
    signature = make_signature(removed_at=NOW, removal="staff", confirmed=True)
    make_mail(signature)
    make_mail(signature, message="already-signed")

    send_due(at=NOW)

    assert (states(), outbox_of.outbox) == (["dropped", "dropped"], [])


def test_mail_is_dropped_when_the_mailbox_was_blocked_before_its_turn(db):
    make_mail(make_signature(supporter=make_supporter(blocked_at=NOW)))

    send_due(at=NOW)

    assert (states(), outbox_of.outbox) == (["dropped"], [])


def test_accepted_signature_is_still_asked_to_confirm(db):
    make_mail(make_signature(accepted=True))

    send_due(at=NOW)

    assert states() == ["sent"]


def test_already_signed_is_sent_to_who_confirmed(db):
    make_mail(make_signature(confirmed=True), message="already-signed")

    send_due(at=NOW)

    assert states() == ["sent"]


# --- Servers in trouble --------------------------------------------------------------------------------------


def test_server_that_is_down_costs_no_mail_an_attempt(db):
    make_mail()
    make_mail()

    with server_down(), pytest.raises(ServerUnavailable):
        send_due(at=NOW)

    assert states() == ["waiting", "waiting"]
    assert set(OutgoingMail.objects.values_list("attempts", "due_at")) == {(0, NOW)}


@pytest.mark.parametrize(
    "answers", [{"connect": HANG}, {"EHLO": DROP}, {"MAIL": b"421 Closing\r\n"}, {"DATA": HANG}]
)
def test_server_that_hangs_or_goes_away_costs_no_mail_an_attempt(db, answers):
    make_mail()

    with server(timeout=0.3, **answers), pytest.raises(ServerUnavailable):
        send_due(at=NOW)

    mail = OutgoingMail.objects.get()
    assert (mail.state, mail.attempts, mail.due_at) == ("waiting", 0, NOW)


def test_mails_follow_when_the_server_is_back(db):
    make_mail()
    with server_down(), pytest.raises(ServerUnavailable):
        send_due(at=NOW)

    with server() as smtp:
        send_due(at=NOW)

    assert (states(), len(smtp.mails)) == (["sent"], 1)


def test_mail_that_makes_the_server_hang_up_does_not_hold_up_the_others(db):
    for minutes in (3, 2, 1):
        make_mail(due_at=NOW - timedelta(minutes=minutes))

    with server(RCPT=[DROP, b"250 OK\r\n"]):
        send_due(at=NOW)

    assert states() == ["waiting", "sent", "sent"]
    blamed = OutgoingMail.objects.order_by("id")[0]
    assert (blamed.attempts, blamed.due_at) == (1, NOW + BACKOFF[0])


@pytest.mark.parametrize("step", ["RCPT", "DATA", "dot"])
def test_mail_the_server_puts_off_tries_again_later(db, step):
    mail = make_mail()

    with server(**{step: TOO_BUSY}):
        done = send_due(at=NOW)

    mail.refresh_from_db()
    assert (done, mail.state, mail.attempts, mail.due_at) == (1, "waiting", 1, NOW + timedelta(minutes=1))
    assert "Too busy" in mail.last_error


def test_waits_grow_until_the_mail_has_failed(db):
    mail, at, waits = make_mail(), NOW, []

    with server(RCPT=TOO_BUSY):
        while True:
            send_due(at=at)
            mail.refresh_from_db()
            if mail.state == "failed":
                break
            waits.append((mail.due_at - at).total_seconds() / 60)
            at = mail.due_at

    assert waits == [1, 5, 15, 60, 180, 360, 720, 1440]
    assert (mail.attempts, mail.failed_at) == (9, at)


@pytest.mark.parametrize("step", ["RCPT", "DATA", "dot"])
def test_refused_mail_has_failed_and_its_error_names_nobody(db, step):
    mail = make_mail()

    with server(**{step: NO_SUCH_USER}):
        send_due(at=NOW)

    mail.refresh_from_db()
    assert (mail.state, mail.failed_at, mail.handed_over_at) == ("failed", NOW, None)
    assert "No such user" in mail.last_error
    assert "connie" not in mail.last_error


def test_one_refused_mail_does_not_stop_the_next(db):
    make_mail(due_at=NOW - timedelta(minutes=1))
    make_mail()

    with server(RCPT=[NO_SUCH_USER, b"250 OK\r\n"]) as smtp:
        done = send_due(at=NOW)

    assert (done, states(), len(smtp.mails)) == (2, ["failed", "sent"], 1)


@pytest.mark.parametrize("answer", [DROP, HANG])
def test_mail_without_an_answer_is_in_doubt_and_never_sent_again_by_itself(db, answer):
    mail = make_mail()

    with server(timeout=1, dot=answer) as smtp:
        with pytest.raises(ServerUnavailable):
            send_due(at=NOW)
        again = send_due(at=NOW + timedelta(days=9))

    mail.refresh_from_db()
    assert (mail.state, again, len(smtp.mails)) == ("in doubt", 0, 1)
    assert list(in_doubt(at=LATER)) == [mail]
    assert list(in_doubt(at=NOW)) == []


def test_server_that_answers_no_mail_does_not_put_the_whole_queue_in_doubt(db):
    for _ in range(3):
        make_mail()

    with server(dot=DROP), pytest.raises(ServerUnavailable):
        send_due(at=NOW)

    assert states() == ["in doubt", "waiting", "waiting"]


def test_mail_that_cannot_be_written_has_failed_and_the_rest_goes_on(db, caplog, monkeypatch):
    odd, _good = make_mail(make_signature(confirmed=True), message="already-signed"), make_mail()
    monkeypatch.delitem(sending.WRITERS, "already-signed")

    send_due(at=NOW)

    odd.refresh_from_db()
    assert states() == ["failed", "sent"]
    assert odd.last_error == "Could not be written: KeyError."
    assert "connie" not in caplog.text


def test_an_outage_does_not_end_in_a_pile_of_mails(db):
    supporter = make_signature().supporter
    for hours in range(5):
        make_mail(make_signature(supporter=supporter), created_at=NOW - timedelta(hours=6 - hours))

    send_due(at=NOW)
    at_once = len(outbox_of.outbox)
    send_due(at=NOW + timedelta(minutes=59))
    within_the_hour = len(outbox_of.outbox)
    send_due(at=NOW + timedelta(hours=1, seconds=1))

    assert (at_once, within_the_hour, len(outbox_of.outbox)) == (3, 3, 5)


def test_mail_dealt_with_by_somebody_else_at_the_last_moment_is_not_sent(db, monkeypatch):
    mail = make_mail()
    writer = sending.WRITERS["confirm"]

    def write_while_somebody_drops_it(row):
        OutgoingMail.objects.filter(pk=mail.pk).update(dropped_at=NOW)
        return writer(row)

    monkeypatch.setitem(sending.WRITERS, "confirm", write_while_somebody_drops_it)
    send_due(at=NOW)

    assert (states(), outbox_of.outbox) == (["dropped"], [])


@pytest.mark.django_db(transaction=True)
def test_handing_over_is_written_down_before_the_final_dot(monkeypatch):
    """Seen by somebody else, that is: committed."""
    make_mail()
    seen = []
    original = sending.Attempt._hand_over

    def hand_over(attempt, row_lock):
        original(attempt, row_lock)
        in_parallel((lambda: seen.extend(OutgoingMail.objects.values_list("handed_over_at", "sent_at")), 1))

    monkeypatch.setattr(sending.Attempt, "_hand_over", hand_over)
    send_due(at=NOW)

    assert seen == [(NOW, None)]


@pytest.mark.django_db(transaction=True)
def test_slow_server_holds_up_nobody_who_signs():
    """No write lock is held while the server takes its time."""
    mail, other = make_mail(), make_signature()
    outcomes = []

    class Slow(SmtpServer):
        def _answer(self, connection, step):
            if step == "RCPT":
                in_parallel(
                    (lambda: outcomes.append(disown(signature_id=mail.signature_id, at=NOW, block=False)), 1),
                    (lambda: outcomes.append(confirm(signature_id=other.pk, at=NOW)), 1),
                )
            super()._answer(connection, step)

    with Slow({}) as smtp, smtp_at(smtp.port):
        send_due(at=NOW)

    assert len(outcomes) == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases lock rows")
@pytest.mark.django_db(transaction=True)
def test_on_sqlite_one_process_sends_at_a_time():
    make_mail()

    with sending._sole_sender() as first:
        done = send_due(at=NOW)

    assert (first, done, states()) == (True, 0, ["waiting"])
    assert send_due(at=NOW) == 1


# --- Sending again -------------------------------------------------------------------------------------------


def test_mail_in_doubt_is_sent_again_by_staff(db):
    mail, staff = make_mail(handed_over_at=NOW), make_staff()

    again = resend(mail=mail, actor=staff, at=LATER)
    send_due(at=LATER)

    mail.refresh_from_db()
    again.refresh_from_db()
    assert (mail.state, again.state) == ("dropped", "sent")
    assert again.event == f"confirm:{mail.signature_id}:2"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject_id) == (staff, "mail sent again", mail.pk)


def test_failed_mail_is_sent_again_by_staff(db):
    mail = make_mail(failed_at=NOW)

    resend(mail=mail, actor=make_staff(), at=LATER)

    assert states() == ["failed", "waiting"]


@pytest.mark.parametrize(
    "fields",
    [{}, {"handed_over_at": LATER}, {"sent_at": NOW, "handed_over_at": NOW}, {"failed_at": NOW, "to": ""}],
    ids=["waiting", "on its way", "sent", "address forgotten"],
)
def test_only_what_may_not_have_arrived_is_sent_again(db, fields):
    mail = make_mail(**fields)

    with pytest.raises(CannotResend):
        resend(mail=mail, actor=make_staff(), at=LATER)

    assert OutgoingMail.objects.count() == 1


def test_second_click_sends_nothing_more(db):
    mail, staff = make_mail(handed_over_at=NOW), make_staff()
    resend(mail=mail, actor=staff, at=LATER)

    with pytest.raises(CannotResend, match="only once"):
        resend(mail=mail, actor=staff, at=LATER)

    assert AuditEntry.objects.count() == 1


def test_what_nobody_wants_any_more_is_not_sent_again(db):
    mail = make_mail(make_signature(confirmed=True), handed_over_at=NOW)

    with pytest.raises(CannotResend, match="no longer wanted"):
        resend(mail=mail, actor=make_staff(), at=LATER)


def test_limits_hold_for_staff_too(db):
    signature = make_signature()
    for _ in range(5):
        mail = make_mail(signature, failed_at=NOW)

    with pytest.raises(CannotResend, match="as many mails"):
        resend(mail=mail, actor=make_staff(), at=NOW + timedelta(days=3))


def test_mail_dated_ahead_by_a_clock_that_was_set_right_is_due(db):
    ahead = make_mail(make_signature(), created_at=NOW + timedelta(days=1), due_at=NOW + timedelta(days=1))
    put_off = make_mail(make_signature(), created_at=NOW, due_at=NOW + timedelta(hours=1))

    brought = bring_forward(at=NOW)

    ahead.refresh_from_db()
    put_off.refresh_from_db()
    assert (brought, ahead.due_at, put_off.due_at) == (1, NOW, NOW + timedelta(hours=1))
