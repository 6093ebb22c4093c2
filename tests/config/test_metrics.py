"""What Prometheus is told, and whom."""

import os
import re
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families

from config import metrics
from config.shared_figures import Share, added_up, figures_of, metrics_of
from mailings.sending import send_some
from signers.folding import fold
from signers.models import CountChange
from signers.sending import send_due
from staff.heartbeat import beat
from tests.factories import (
    make_edition,
    make_mail,
    make_mailing,
    make_petition,
    make_recipient,
    make_signature,
    make_submission,
)
from tests.processes import SOON
from toolkit import meters

TOKEN = "a-token-for-tests-only-0123456789"


@pytest.fixture
def watched(tmp_path, client):
    """`watched()` is what /metrics says to whoever has the token."""
    with override_settings(METRICS_TOKEN=TOKEN, METRICS_DIR=str(tmp_path)):
        yield lambda **headers: client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"} | headers)


def samples(text):
    """By name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def oldest(text, queue):
    return samples(text)["undersigned_queue_oldest_seconds", ("queue", queue)]


def of_meters(name, **labels):
    return meters.REGISTRY.get_sample_value(name, labels) or 0


# --- Who may read --------------------------------------------------------------------------------------------


def test_without_a_token_in_the_settings_there_is_no_such_page(client, db):
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é\x00"]
)
def test_wrong_token_is_refused(watched, authorization):
    response = watched(authorization=authorization)

    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert b"undersigned_" not in response.content


def test_figures_are_kept_by_no_cache_and_told_for_any_host(watched, db):
    response = watched(host="10.0.0.7:8000")

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")


def test_nothing_can_be_posted(watched, client):
    response = client.post("/metrics", headers={"authorization": f"Bearer {TOKEN}"})

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


# --- What is counted -----------------------------------------------------------------------------------------


def test_requests_are_counted_by_route_and_never_by_path(client, db):
    slug = make_petition().slug
    labels = {"route": "petition", "method": "GET", "status": "2xx"}
    before = of_meters("undersigned_request_seconds_count", **labels)

    client.get(f"/petitions/{slug}/?secret=1")
    client.get("/nobody-knows-this-path/")

    assert of_meters("undersigned_request_seconds_count", **labels) == before + 1
    told = str(list(meters.REGISTRY.collect()))
    assert slug not in told
    assert "nobody-knows" not in told


@pytest.mark.parametrize("method", ["PROPFIND", "x" * 300])
def test_odd_methods_are_one(client, db, method):
    before = of_meters("undersigned_request_seconds_count", route="none", method="other", status="4xx")

    client.generic(method, "/nowhere/")

    after = of_meters("undersigned_request_seconds_count", route="none", method="other", status="4xx")
    assert after == before + 1


def test_pages_of_the_front_are_counted_by_a_plain_addition():
    before = of_meters("undersigned_page_front_answers_total", status="304")

    meters.page_front_answer(304)

    assert of_meters("undersigned_page_front_answers_total", status="304") == before + 1


def test_accepted_folded_held_and_parked_are_counted(client, db, django_capture_on_commit_callbacks):
    petition = make_petition()
    names = (
        "undersigned_signatures_accepted_total",
        "undersigned_submissions_folded_total",
        "undersigned_signatures_held_total",
        "undersigned_submissions_parked_total",
    )
    before = [of_meters(name) for name in names]

    client.post(
        f"/petitions/{petition.slug}/sign/",
        {"first_name": "Connie", "last_name": "Example", "email": "connie@example.org", "updates": "no"},
        headers={"sec-fetch-site": "same-origin"},
    )
    make_submission(petition, email="bot@example.org", evidence=["honeypot"], received_at=timezone.now())
    make_submission(petition, email="late@example.org", petition_id=0, received_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        fold(at=timezone.now())

    assert [of_meters(name) - was for name, was in zip(names, before, strict=True)] == [1, 2, 1, 1]


def test_outcomes_of_mails_are_counted_by_kind(db):
    make_mail(make_signature(at=timezone.now()))
    make_recipient(
        make_edition(
            make_mailing(make_petition().campaign, starts_at=timezone.now() - timedelta(hours=1)),
            make_petition(),
        )
    )
    before = [
        of_meters("undersigned_mails_total", kind=kind, outcome="sent")
        for kind in ("confirmation", "mailing")
    ]

    send_due(at=timezone.now())
    send_some(at=timezone.now())

    after = [
        of_meters("undersigned_mails_total", kind=kind, outcome="sent")
        for kind in ("confirmation", "mailing")
    ]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]


# --- What the database knows ---------------------------------------------------------------------------------


def test_age_of_the_oldest_in_each_queue_is_told(watched, db):
    now = timezone.now()
    petition = make_petition()
    make_submission(petition, received_at=now - timedelta(seconds=30))
    make_submission(petition, received_at=now, parked_at=now - timedelta(days=1))
    make_mail(make_signature(petition), due_at=now - timedelta(minutes=2))
    make_mail(make_signature(petition), due_at=now, handed_over_at=now - timedelta(hours=1))
    edition = make_edition(make_mailing(petition.campaign, starts_at=now - timedelta(hours=2)), petition)
    make_recipient(edition, due_at=now - timedelta(hours=2))
    make_recipient(edition, due_at=now, handed_over_at=now - timedelta(hours=3))
    beat(at=now - timedelta(seconds=90))
    CountChange.objects.bulk_create([CountChange(petition_id=1, change=1)] * 3)

    text = watched().content.decode()

    told = {queue: round(oldest(text, queue), -1) for queue in metrics.oldest_due(now)}
    assert told == {
        "submissions": 30,
        "parked submissions": 86400,
        "requests for own pages": 0,
        "changes of address": 0,
        "mails": 120,
        "mails in doubt": 3600,
        "lists of mailings": 0,
        "copies of mailings": 7200,
        "copies in doubt": 10800,
    }
    assert samples(text)["undersigned_count_changes_waiting",] == 3
    assert samples(text)["undersigned_submissions_parked_now",] == 1
    assert samples(text)["undersigned_database_up",] == 1
    assert 90 <= samples(text)["undersigned_worker_silent_seconds",] < 150


def test_asking_takes_few_queries(db, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        metrics.asked_of_the_database(at=timezone.now())


def test_database_that_is_away_leaves_what_was_counted(watched, db, monkeypatch):
    def away(**_arguments):
        raise OperationalError("gone")

    monkeypatch.setattr(metrics, "queues", away)
    monkeypatch.setattr(metrics.connection, "close", lambda: None)
    response = watched()

    assert response.status_code == 200
    assert samples(response.content.decode())["undersigned_database_up",] == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="elsewhere a transaction locks nothing")
def test_asking_waits_for_nobody_who_writes(watched, db):
    with CaptureQueriesContext(connection) as asked:
        watched()

    assert len(asked) > 3
    assert not any("SAVEPOINT" in query["sql"] or "BEGIN" in query["sql"] for query in asked)


# --- Of all processes ----------------------------------------------------------------------------------------


def process_figures(folder, counted):
    registry = CollectorRegistry()
    counter = Counter("signed", "How often.", ["what"], registry=registry)
    histogram = Histogram("took", "How long.", registry=registry, buckets=(1, 10))
    share = Share(folder, registry)
    for _ in range(counted):
        counter.labels("a").inc()
        histogram.observe(5)
    share.write()
    return share


def sums(folder):
    return {
        sample.name + str(sample.labels.get("le", "")): sample.value
        for metric in metrics_of(added_up(folder))
        for sample in metric.samples
    }


EIGHT = {
    "signed_total": 8,
    "took_bucket1.0": 0,
    "took_bucket10.0": 8,
    "took_bucket+Inf": 8,
    "took_count": 8,
    "took_sum": 40,
}


def test_figures_of_processes_add_up(tmp_path):
    shares = [process_figures(tmp_path, 3), process_figures(tmp_path, 5)]

    assert sums(tmp_path) == EIGHT
    del shares


def test_totals_never_fall_when_a_process_ends_and_its_file_goes(tmp_path):
    ended, living = process_figures(tmp_path, 3), process_figures(tmp_path, 5)

    os.close(ended.alive)

    assert [sums(tmp_path), sums(tmp_path)] == [EIGHT, EIGHT]
    assert {path.name for path in tmp_path.iterdir()} == {
        "gone.json",
        "lock",
        f"{living.name}.alive",
        f"{living.name}.json",
    }


def test_process_that_was_killed_counts_as_ended(tmp_path):
    code = """
import os, pathlib, signal, sys
from prometheus_client import CollectorRegistry, Counter
from config.shared_figures import Share
import prometheus_client
prometheus_client.disable_created_metrics()
registry = CollectorRegistry()
counter = Counter("signed", "How often.", registry=registry)
share = Share(pathlib.Path(sys.argv[1]), registry)
counter.inc(7)
share.write()
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=False)

    assert sums(tmp_path) == {"signed_total": 7}
    assert not list(tmp_path.glob("*.alive"))


@pytest.mark.parametrize("rubbish", [b"", b"\x00\xff", b"[1]", b'{"a": 1}', b"[[1, 2, 3, [[4]]]]"])
def test_file_that_cannot_be_read_is_passed_over(tmp_path, rubbish):
    share = process_figures(tmp_path, 3)
    (tmp_path / f"{share.name}.json").write_bytes(rubbish)

    assert added_up(tmp_path) == {}


def test_folder_that_takes_no_more_costs_figures_only(tmp_path, watched, db):
    with override_settings(METRICS_DIR=str(tmp_path / "file" / "metrics")):
        (tmp_path / "file").write_text("in the way")
        response = watched()

    assert response.status_code == 200
    assert b"undersigned_request_seconds" in response.content


def test_figures_survive_the_file():
    figures = figures_of(meters.REGISTRY.collect())

    assert figures_of(metrics_of(figures)) == figures


# --- Of a worker elsewhere -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_worker_answers_where_it_is_told_to(tmp_path):
    with override_settings(METRICS_TOKEN=TOKEN, METRICS_DIR=str(tmp_path), WORKER_METRICS="127.0.0.1:0"):
        server = metrics.serve_from_worker()
        answers = [ask(server.server_port, headers) for headers in ({"Authorization": f"Bearer {TOKEN}"}, {})]
        server.shutdown()
        server.server_close()

    (allowed, text), (refused, _text) = answers
    assert (allowed, refused) == (200, 401)
    assert samples(text)["undersigned_database_up",] == 1


def ask(port, headers):
    with closing(HTTPConnection("127.0.0.1", port, timeout=SOON)) as client:
        client.request("GET", "/metrics", headers=headers)
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def test_alerts_speak_of_figures_that_exist(watched, db):
    only_when_it_happened = {
        "undersigned_request_seconds_bucket",
        "undersigned_request_seconds_count",
        "undersigned_jobs_failed_total",
        "undersigned_mails_total",  # this process keeps no file
    }
    rules = (Path(__file__).resolve().parents[2] / "deploy" / "prometheus-rules.yaml").read_text()

    told = {name for name, *_labels in samples(watched().content.decode())}
    queues = set(metrics.oldest_due(timezone.now()))
    named = re.findall(r"queue=~?\"([^\"]+)\"", rules)

    assert set(re.findall(r"undersigned_\w+", rules)) <= told | only_when_it_happened
    assert {queue for alternatives in named for queue in alternatives.split("|")} <= queues
