"""The worker: what it does when, and that killing it loses and repeats nothing."""

import signal
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail as outbox_of
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import override_settings
from django.utils import timezone

from config.worker import (
    Backoff,
    Job,
    Nightly,
    Worker,
    fold_more,
    next_night,
    quick_jobs,
    run_due,
    send_some_of,
    slow_jobs,
)
from mailings.models import Recipient
from mailings.sending import CLAIMED_FOR, send_some
from petitions.models import Tally
from signers.confirming import confirm
from signers.folding import fold
from signers.models import OutgoingMail, Signature, Submission
from signers.sending import in_doubt, send_due
from staff import site_state
from staff.heartbeat import last_beat
from staff.models import Heartbeat
from staff.site_state import State
from tests.factories import (
    NOW,
    make_edition,
    make_mail,
    make_mailing,
    make_petition,
    make_recipient,
    make_signature,
    make_submission,
)
from tests.processes import SOON, eventually, worker
from tests.smtp_server import HANG, SmtpServer, _Over
from toolkit.emails import ServerUnavailable

# A worker that stops for ever in the middle of folding: everything is written, nothing committed.
STUCK_IN_FOLD = """
import time
import django
django.setup()
from config.worker import Worker
from signers.folding import Batch
store = Batch.store
def store_and_stop(batch):
    store(batch)
    print("stored", flush=True)
    time.sleep(600)
Batch.store = store_and_stop
Worker().run()
"""


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


class WatchedServer(SmtpServer):
    """Sets `reached` when the conversation comes to the step it hangs at."""

    def __post_init__(self):
        super().__post_init__()
        self.reached = threading.Event()

    def _answer(self, connection, step):
        if self.answers.get(step) in (HANG, [HANG]):
            self.reached.set()
        super()._answer(connection, step)


def smtp_at(port):
    return override_settings(
        EMAIL_BACKEND="toolkit.emails.SmtpBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, EMAIL_TIMEOUT=10
    )


# --- Killed --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_worker_killed_in_the_middle_of_folding_loses_and_repeats_nothing():
    petition = make_petition()
    for number in range(3):
        make_submission(petition, email=f"{number}@example.org", received_at=timezone.now())

    with worker(sys.executable, "-c", STUCK_IN_FOLD) as process:
        assert process.stdout.readline() == "stored\n"
        kill(process)

    assert Submission.objects.count() == 3
    assert not Signature.objects.exists()
    # The database may take a moment to notice that nobody is there any more.
    eventually(lambda: fold(at=NOW) == 3)
    assert Signature.objects.count() == OutgoingMail.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_worker_killed_before_the_final_dot_has_sent_nothing_and_the_mail_is_sent_once():
    mail = make_mail(make_signature(at=timezone.now()))

    with WatchedServer({"RCPT": HANG}) as smtp, worker(port=smtp.port) as process:
        assert smtp.reached.wait(SOON)
        kill(process)

    mail.refresh_from_db()
    assert mail.state == "waiting"
    with SmtpServer() as healthy, smtp_at(healthy.port):
        eventually(lambda: send_due(at=timezone.now()) == 1)
        again = send_due(at=timezone.now())
    mail.refresh_from_db()
    assert (mail.state, again, len(healthy.mails), len(smtp.mails)) == ("sent", 0, 1, 0)


@pytest.mark.django_db(transaction=True)
def test_worker_killed_after_the_final_dot_leaves_the_mail_in_doubt_for_staff():
    mail = make_mail(make_signature(at=timezone.now()))

    with WatchedServer({"dot": HANG}) as smtp, worker(port=smtp.port) as process:
        assert smtp.reached.wait(SOON)
        kill(process)

    with SmtpServer() as healthy, smtp_at(healthy.port):
        again = send_due(at=timezone.now() + timedelta(days=2))
    assert (again, len(healthy.mails), len(smtp.mails)) == (0, 0, 1)
    assert list(in_doubt(at=timezone.now() + timedelta(minutes=2))) == [mail]


@pytest.mark.django_db(transaction=True)
def test_worker_killed_in_the_middle_of_a_mailing_leaves_at_most_one_copy_in_doubt():
    queue_mailing(3)

    with WatchedServer({"dot": [b"250 Taken\r\n", HANG]}) as smtp, worker(port=smtp.port) as process:
        assert smtp.reached.wait(SOON)
        kill(process)
    later = timezone.now() + CLAIMED_FOR
    with SmtpServer() as healthy, smtp_at(healthy.port):
        eventually(lambda: send_some(at=later) == 1)

    assert sorted(copy.state for copy in Recipient.objects.all()) == ["in doubt", "sent", "sent"]
    assert (len(smtp.mails), len(healthy.mails)) == (2, 1)


def queue_mailing(copies):
    """A mailing that began an hour ago, with nothing sent yet."""
    petition = make_petition(at=timezone.now())
    mailing = make_mailing(
        petition.campaign, starts_at=timezone.now() - timedelta(hours=1), per_minute=100_000
    )
    edition = make_edition(mailing, petition)
    return [make_recipient(edition) for _ in range(copies)]


# --- Running -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_worker_folds_sends_and_counts_until_asked_to_stop():
    petition = make_petition()

    with SmtpServer() as smtp, worker(port=smtp.port) as process:
        eventually(last_beat)
        make_submission(petition, received_at=timezone.now())
        eventually(lambda: smtp.mails)
        confirm(signature_id=Signature.objects.get().pk, at=timezone.now())
        eventually(lambda: Tally.objects.get().count == 1)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=SOON)

    assert process.returncode == 0
    assert "The worker has stopped." in errors
    assert "connie" not in output + errors


@pytest.mark.django_db(transaction=True)
def test_mail_server_that_hangs_delays_neither_signatures_nor_stopping():
    petition = make_petition()
    make_mail(make_signature(petition, at=timezone.now()))

    with WatchedServer({"RCPT": HANG}) as smtp, worker(port=smtp.port) as process:
        assert smtp.reached.wait(SOON)
        make_submission(petition, received_at=timezone.now())
        eventually(lambda: not Submission.objects.exists())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SOON)

    assert process.returncode == 0
    assert Signature.objects.count() == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could go away")
@pytest.mark.django_db(transaction=True)
def test_worker_outlives_the_database():
    with worker() as process:
        eventually(last_beat)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        make_submission(make_petition(), received_at=timezone.now())
        eventually(lambda: not Submission.objects.exists())
        process.send_signal(signal.SIGTERM)
        _output, errors = process.communicate(timeout=SOON)

    assert process.returncode == 0
    assert "The database does not answer" in errors
    assert "The database answers again." in errors


@pytest.mark.django_db(transaction=True)
def test_mailing_at_a_server_that_hangs_does_not_keep_a_confirmation_waiting():
    queue_mailing(3)
    mail = make_mail(make_signature(at=timezone.now()), due_at=timezone.now() + timedelta(days=1))

    with OnlySlowForMailings() as smtp, worker(port=smtp.port) as process:
        assert smtp.reached.wait(SOON)
        OutgoingMail.objects.update(due_at=timezone.now())
        eventually(lambda: OutgoingMail.objects.get().state == "sent")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SOON)

    mail.refresh_from_db()
    assert process.returncode == 0
    assert (mail.state, Recipient.objects.filter(sent_at=None).count()) == ("sent", 3)


class TalksToMany(SmtpServer):
    """Takes each conversation in a thread of its own."""

    def _serve(self):
        while True:
            connection, _ = self._listening.accept()
            if self._stopping.is_set():
                connection.close()
                return
            connection.settimeout(10)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection:
            try:
                self._answer(connection, "connect")
                self._take_commands(connection)
            except (_Over, OSError):
                pass


class OnlySlowForMailings(TalksToMany):
    """Hangs over what a list sends."""

    def __post_init__(self):
        super().__post_init__()
        self.reached = threading.Event()

    def _take_content(self, connection, lines):
        line = b""
        while (line := lines.readline()) not in {b".\r\n", b""}:
            if line.startswith(b"List-Id:"):
                self.reached.set()
                self.answers["hang"] = HANG
                self._answer(connection, "hang")
        self._answer(connection, "dot")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite one process sends at a time")
@pytest.mark.django_db(transaction=True)
def test_mails_that_pile_up_leave_over_several_connections():
    due_at = timezone.now() - timedelta(seconds=10)
    for number in range(4):
        make_mail(make_signature(email=f"connie{number}@example.org", at=timezone.now()), due_at=due_at)

    with TakesTwoOrNone() as smtp, worker(port=smtp.port) as process:
        eventually(lambda: OutgoingMail.objects.filter(sent_at=None).count() == 0)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SOON)

    assert smtp.met.is_set()
    assert len(smtp.mails) == 4


class TakesTwoOrNone(TalksToMany):
    """Answers the first who brings a mail only when a second one is there."""

    def __post_init__(self):
        super().__post_init__()
        self.met, self._first = threading.Event(), threading.Lock()

    def _answer(self, connection, step):
        if step == "DATA" and not self._first.acquire(blocking=False):
            self.met.set()
        if step == "DATA" and not self.met.wait(10):
            return
        super()._answer(connection, step)


def test_one_more_connection_is_for_mails_that_wait(db):
    at_work = Worker()
    mail = make_mail(make_signature(), due_at=timezone.now())

    fresh = at_work._more_mails(timezone.now())
    OutgoingMail.objects.update(due_at=timezone.now() - timedelta(hours=1))
    at_work.mail_server.failed("421 Too busy")
    in_trouble = at_work._more_mails(timezone.now())
    at_work.mail_server.worked()
    waiting = at_work._more_mails(timezone.now())

    mail.refresh_from_db()
    assert (fresh, in_trouble, waiting, mail.state) == (0, 0, 1, "sent")


def test_mailings_wait_for_mails_that_are_late(db):
    late = make_mail(make_signature(), due_at=timezone.now() - timedelta(seconds=10))
    queue_mailing(1)
    Worker()._mailings(timezone.now())
    while_late = Recipient.objects.get().state
    OutgoingMail.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(hours=1))

    Worker()._mailings(timezone.now())

    # After an hour it says more about the mail than about the server.
    assert (while_late, Recipient.objects.get().state) == ("queued", "sent")


# --- Once ----------------------------------------------------------------------------------------------------


def work_once():
    errors = StringIO()
    call_command("work", "--once", stderr=errors)
    return errors.getvalue()


def test_once_does_everything_that_is_due(db):
    petition = make_petition(confirmation="afterwards")
    for number in range(20):
        make_submission(petition, email=f"{number}@example.org", received_at=timezone.now())
    make_signature(signed_at=NOW - timedelta(days=9999))

    errors = work_once()

    assert errors == ""
    assert Tally.objects.get(petition=petition).count == 20
    assert len(outbox_of.outbox) == 20
    assert Signature.objects.count() == 20
    assert Heartbeat.objects.exists()


def test_once_sends_mailings_too(db):
    queue_mailing(60)

    work_once()

    assert len(outbox_of.outbox) == 60


def test_once_with_nothing_to_do_does_nothing(db):
    assert work_once() == ""


def test_once_says_in_one_line_that_the_mail_server_is_down_and_folds_all_the_same(db):
    make_submission(make_petition(), received_at=timezone.now())

    with smtp_at(9):
        errors = work_once()

    assert errors.count("\n") == 1
    assert "The mail server does not answer; the mails wait:" in errors
    assert OutgoingMail.objects.get().state == "waiting"


# --- Jobs ----------------------------------------------------------------------------------------------------


def job(name, run, **options):
    return Job(name, run, timedelta(seconds=1), **options)


def failing(error):
    def run(_at):
        raise error

    return run


@pytest.fixture
def backoff():
    return Backoff("The database", (1, 2, 5))


def test_each_job_runs_when_it_is_due(backoff):
    ran = []
    todo = [
        job("a", lambda at: ran.append("a") or 0),
        job("b", lambda at: ran.append("b") or 0, due=1.0),
    ]

    run_due(todo, NOW, backoff, lambda: 0.0)
    run_due(todo, NOW, backoff, lambda: 1.0)

    assert ran == ["a", "a", "b"]


def test_a_clock_that_is_set_anew_neither_holds_a_job_up_nor_sets_it_off(backoff):
    ran = []
    todo = [job("a", lambda at: ran.append(at) or 0)]

    for hours, seconds in ((0, 0.0), (24, 0.5), (-1, 1.0)):
        run_due(todo, NOW + timedelta(hours=hours), backoff, lambda seconds=seconds: seconds)

    assert ran == [NOW, NOW - timedelta(hours=1)]


def test_job_that_had_something_to_do_runs_again_at_once(backoff):
    left = [3, 2, 1, 0]
    todo = [job("fold", lambda at: left.pop(0), again_at_once=True)]

    pauses = [run_due(todo, timezone.now(), backoff) for _ in range(4)]

    assert pauses[:3] == [0, 0, 0]
    assert pauses[3] > 0


def test_failing_job_does_not_stop_the_others_and_its_log_quotes_nobody(backoff, caplog):
    ran = []
    todo = [job("a", failing(ValueError("connie@example.org"))), job("b", lambda at: ran.append("b") or 0)]

    run_due(todo, NOW, backoff)

    assert ran == ["b"]
    assert "“a” failed: ValueError" in caplog.text
    assert "connie" not in caplog.text


def test_lost_database_is_reported_once_and_waited_for(db, backoff, caplog):
    ran = []
    todo = [job("a", failing(OperationalError("gone"))), job("b", lambda at: ran.append("b") or 0)]

    with suppress_close():
        pauses = [run_due(todo, NOW, backoff) for _ in range(4)]
    todo[0].run = lambda at: 0
    run_due(todo, NOW, backoff)

    assert pauses == [1, 2, 5, 5]
    assert ran == ["b"]
    assert caplog.text.count("does not answer") == 1
    assert caplog.text.count("answers again") == 1


def test_server_that_is_away_is_reported_once_and_waited_for_longer_and_longer(backoff, caplog):
    server = Backoff("The mail server", (10, 20, 40))
    away = failing(ServerUnavailable("421 Too busy"))

    pauses = [send_some_of(away, backoff, server) for _ in range(4)]
    pauses += [send_some_of(lambda at: 1, backoff, server), send_some_of(lambda at: 0, backoff, server)]

    assert pauses == [10, 20, 40, 40, 0, 1]
    assert caplog.text.count("does not answer: 421\n") == 1


def test_whatever_goes_wrong_sending_goes_on_after_a_while_and_the_log_quotes_nobody(backoff, caplog):
    assert send_some_of(failing(KeyError("connie@example.org")), backoff, backoff) == 10
    assert "failed: KeyError" in caplog.text
    assert "connie" not in caplog.text


@contextmanager
def suppress_close():
    """The transaction around a test would not survive the closing of its connection."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "close", lambda: None)
        yield


def test_second_one_folds_only_while_more_wait_than_one_batch(db, monkeypatch):
    monkeypatch.setattr("config.worker.folded_at_once", lambda: 2)
    petition = make_petition()
    for _ in range(3):
        make_submission(petition)

    folded = [fold_more(timezone.now()), fold_more(timezone.now())]

    assert (folded, Submission.objects.count()) == ([2, 0], 1)


def test_worker_has_a_job_for_everything_that_happens_by_itself():
    names = {job.name for job in (*quick_jobs(), *slow_jobs(NOW))}

    assert names == {
        "fold",
        "answer",
        "add up",
        "unsubscribe what was noted",
        "heartbeat",
        "mails dated ahead",
        "momentum",
        "league",
        "mend choices",
        "count people",
        "lists of mailings",
        "forget",
        "forget reports",
        "fetch bounces",
        "forget marks of nominations",
        "forget lists of targets",
        "locate places",
        "share images",
        "forget sessions",
        "recount",
    }


@pytest.mark.parametrize(
    ("now", "night"), [((2026, 5, 3, 2, 59), (2026, 5, 3, 3, 0)), ((2026, 5, 3, 3, 0), (2026, 5, 4, 3, 0))]
)
def test_counts_are_checked_at_night(now, night):
    moment = NOW.replace(year=now[0], month=now[1], day=now[2], hour=now[3], minute=now[4])

    assert next_night(moment) == NOW.replace(
        year=night[0], month=night[1], day=night[2], hour=night[3], minute=night[4]
    )


def test_counts_are_checked_once_a_night_whatever_happens_to_the_clock():
    ran = []
    nightly = Nightly(lambda: ran.append(1) or 1, NOW.replace(hour=2))

    moments = [NOW.replace(hour=2), NOW.replace(hour=3), NOW.replace(hour=4), NOW + timedelta(days=40)]
    counts = []
    for moment in [*moments, NOW.replace(hour=2), NOW.replace(hour=3)]:
        nightly(moment)
        counts.append(len(ran))

    assert counts == [0, 1, 1, 2, 2, 3]


def test_idle_round_makes_few_queries(db, django_assert_max_num_queries):
    todo = [job for job in quick_jobs() if job.name != "heartbeat"]

    with django_assert_max_num_queries(4):
        run_due(todo, timezone.now(), Backoff("The database", (1,)))


@pytest.mark.django_db
class TestSwitchedOff:
    """While nothing may be written, the worker only says that it is alive."""

    @pytest.mark.parametrize("state", [State.READ_ONLY, State.MAINTENANCE])
    def test_every_job_rests_but_the_heartbeat(self, state):
        site_state.remember(site_state.Notice(state), for_seconds=60)
        make_submission(make_petition())
        todo = quick_jobs()

        pause = run_due(todo, timezone.now(), Backoff("The database", (1,)))

        assert Submission.objects.count() == 1
        assert last_beat() is not None
        assert pause <= 1

    def test_signing_paused_lets_it_work(self):
        site_state.remember(site_state.Notice(State.SIGNING_PAUSED), for_seconds=60)
        make_submission(make_petition())

        run_due(quick_jobs(), timezone.now(), Backoff("The database", (1,)))

        assert Submission.objects.count() == 0

    def test_mail_rests(self):
        site_state.remember(site_state.Notice(State.READ_ONLY), for_seconds=60)
        asked = []

        pause = send_some_of(asked.append, Backoff("The database", (1,)), Backoff("The mail server", (1,)))

        assert asked == []
        assert pause == 1

    def test_what_is_being_sent_stops_between_two_mails(self):
        at_work = Worker()
        site_state.remember(site_state.Notice(State.READ_ONLY), for_seconds=60)

        assert not at_work._keeps_on()

    def test_once_does_nothing(self):
        site_state.remember(site_state.Notice(State.READ_ONLY), for_seconds=60)
        make_submission(make_petition())

        call_command("work", "--once")

        assert Submission.objects.count() == 1
