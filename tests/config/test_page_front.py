"""Petition pages from memory: Django's own bytes, at once and never for long after they changed."""

import gzip
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone

from config.page_front.front import PageFront
from config.wsgi import Application
from petitions.models import Tally
from tests.factories import make_petition

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, dict(headers), body

    @property
    def text(self):
        packed = self.headers.get("Content-Encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()


def ask(application, path, *, method="GET", **environ):
    said = []
    parts = application(
        {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "192.0.2.7",
            "HTTP_HOST": "testserver",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
        }
        | environ,
        lambda status, headers, error=None: said.extend((status, headers)),
    )
    return Answer(*said, b"".join(parts))


@pytest.fixture(autouse=True)
def one_connection():
    """That of the test, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def django():
    return Application()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def front(django, clock):
    return PageFront(django, in_background=False, clock=clock)


def hold(front, path):
    ask(front, path)
    front.keeper.fill_next(at=timezone.now())
    assert path in front.shelf.by_path


def test_answers_as_django_does(front, django):
    petition = make_petition(at=timezone.now() - timedelta(days=1))
    Tally.objects.filter(pk=petition.pk).update(count=1234, local=77)
    path = petition.get_absolute_url()
    hold(front, path)
    for extra in ({}, {"HTTP_ACCEPT_ENCODING": "gzip"}):
        a, b = ask(front, path, **extra), ask(django, path, **extra)
        assert a.status == b.status
        assert a.text == b.text
        a.headers.pop("Content-Length")
        b.headers.pop("Content-Length")
        assert a.headers == b.headers
