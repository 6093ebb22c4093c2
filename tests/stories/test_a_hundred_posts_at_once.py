"""A form sent a hundred times at the same moment, to gunicorn and workers as they run in earnest."""

import http.client
import threading
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest
from django.db import connection

from petitions.models import Tally
from signers.models import OutgoingMail, Signature, Submission
from tests import factories
from tests.processes import eventually, web_server, worker
from tests.smtp_server import SmtpServer

POSTS = 100
TYPED = {"first_name": "Connie", "last_name": "Rivera", "email": "connie@people.example", "updates": "no"}


def post(port, path, ready, statuses):
    visitor = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    visitor.connect()
    ready.wait()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    visitor.request("POST", path, urlencode(TYPED), headers)
    statuses.append(visitor.getresponse().status)
    visitor.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("confirmation", ["required", "afterwards"])
def test_a_hundred_identical_posts_at_once_are_one_signature_and_one_mail(confirmation):
    # SQLite has one writer at a time, and is served by one process.
    processes = 2 if connection.vendor == "postgresql" else 1
    petition = factories.make_petition(confirmation=confirmation)
    ready, statuses = threading.Barrier(POSTS), []

    with SmtpServer() as mail_server, ExitStack() as programs:
        port = programs.enter_context(web_server(processes=processes, threads=POSTS // processes))
        for _ in range(processes):
            programs.enter_context(worker(port=mail_server.port))
        path = f"{petition.get_absolute_url()}sign/"
        visitors = [threading.Thread(target=post, args=(port, path, ready, statuses)) for _ in range(POSTS)]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        eventually(
            lambda: not Submission.objects.exists() and OutgoingMail.objects.filter(sent_at__isnull=False)
        )
        eventually(lambda: confirmation == "required" or Tally.objects.get(petition=petition).count)

    assert statuses == [303] * POSTS
    assert Signature.objects.count() == 1
    assert OutgoingMail.objects.count() == 1
    assert len(mail_server.mails) == 1
    assert Tally.objects.get(petition=petition).count == (confirmation == "afterwards")
