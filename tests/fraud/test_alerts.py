"""Staff hear of a burst soon, and not all the time."""

from datetime import timedelta

import pytest
from django.core import mail

from config.worker import watching_jobs
from fraud import alerts
from fraud.alerts import alert
from fraud.models import Burst, Rule
from tests.factories import NOW, make_petition
from tests.fraud.attacks import fold_all, fold_and_watch, sign_in
from toolkit.emails import ServerUnavailable

SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def attack(db, settings):
    settings.ALERTS_TO = ["campaigns@example.org"]
    Rule.objects.exclude(kind="neighborhood").update(threshold=5)
    sign_in(
        make_petition(at=NOW - timedelta(days=1)),
        5,
        network="one.wide",
        email=lambda number: f"{number}@x.example",
    )
    fold_all(SOON)


def test_a_burst_is_told_of_once_within_the_hour(attack):
    fold_and_watch(SOON)

    told = [alert(at=SOON), alert(at=SOON + timedelta(minutes=50))]

    assert told == [1, 0]
    assert [message.to for message in mail.outbox] == [["campaigns@example.org"]]


def test_a_burst_that_goes_on_is_told_of_every_hour(attack):
    fold_and_watch(SOON)
    alert(at=SOON)

    alert(at=SOON + timedelta(hours=1))

    assert len(mail.outbox) == 2


def test_the_mail_names_numbers_and_nobody(attack):
    fold_and_watch(SOON)

    alert(at=SOON)

    text = mail.outbox[0].body
    assert mail.outbox[0].subject == "A burst of signatures: have a look"
    assert "One network: 5 signatures since 3 May, 12:00, 5 held" in text
    assert "x.example" not in text


def test_what_the_server_does_not_take_is_tried_again(attack, monkeypatch):
    fold_and_watch(SOON)

    def away(*_args, **_kwargs):
        raise ServerUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(alerts, "deliver", away)
        failed = alert(at=SOON)

    assert (failed, alert(at=SOON + timedelta(seconds=10))) == (0, 1)


def test_without_anybody_to_tell_the_log_still_says_it(attack, settings, caplog):
    settings.ALERTS_TO = []

    fold_and_watch(SOON)
    alert(at=SOON)

    assert mail.outbox == []
    assert "found by “One network”" in caplog.text
    assert " one " not in caplog.text.replace("found by “One network”", "")


def test_the_worker_looks_and_tells_within_two_minutes():
    every = {job.name: job.every for job in watching_jobs()}

    assert every["look for bursts"] + every["alert"] <= timedelta(seconds=30)


def test_what_is_over_is_not_told_of(attack):
    fold_and_watch(SOON)
    Burst.objects.update(ended_at=SOON)

    assert alert(at=SOON) == 0
