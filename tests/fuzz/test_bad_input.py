"""Ten thousand requests no well-meaning browser sends, to every address: none is answered with an error of ours."""

import logging
import re
import traceback
from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from signers import tokens
from staff.heartbeat import beat
from tests import factories
from tests.fuzz.bad_requests import Maker

# On each of the two databases, with seeds of its own.
REQUESTS, PARTS = 5_000, 5
PARAMETER = re.compile(r"<[^>]+>|\([^)]*\)[*+?]*")


def addresses(patterns=None, before="/"):
    """Every address of the site, with `*` for what varies."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = before + PARAMETER.sub("*", str(pattern.pattern)).lstrip("^").rstrip("$").replace("\\", "")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path


@pytest.fixture
def make_request(db, request):
    """Bad requests to a site where something is to be found: `known` are the parts of addresses that exist."""
    signature = factories.make_signature(confirmed=True)
    pending = factories.make_signature(petition=signature.petition)
    petition, campaign = signature.petition, signature.petition.campaign
    campaign.asks_postal_code = campaign.asks_country = campaign.asks_comment = True
    campaign.organization.accent = "#14596b"
    campaign.save()
    campaign.organization.save()
    links = [tokens.confirm_link(pending, timezone.now()), tokens.not_me_link(pending, timezone.now())]
    links.append(tokens.own_page_link(signature.supporter, timezone.now()))
    known = [
        petition.slug,
        campaign.slug,
        str(petition.pk),
        str(campaign.pk),
        str(signature.pk),
        signature.referral_code,
    ]
    known += [urlsplit(link).path.split("/")[2] for link in links]
    client = Client()
    client.force_login(factories.make_staff(is_superuser=True))
    beat(at=timezone.now())
    paths = [
        *addresses(),
        "/healthz",
        "/readyz",
        "/static/*",
        "/*",
        "/petitions/*/",
        "/petitions/*/sign/",
        "/*/*/",
    ]
    return Maker(
        paths,
        known=known,
        session=client.cookies[settings.SESSION_COOKIE_NAME].value,
        seed=f"{connection.vendor} {request.param}",
    ).make


@pytest.fixture
def application(static_root):
    """What gunicorn serves. Imported only now that there is a folder for static files, which WhiteNoise looks for."""
    from config.wsgi import Application

    return Application()


@pytest.fixture
def raised():
    """Where requests leave what they raised; between requests the connection stays open, with the test's transaction."""
    found = []

    def note(**_):
        found.append(traceback.format_exc(limit=-4))

    got_request_exception.connect(note)
    for ended in (request_started, request_finished):
        ended.disconnect(close_old_connections)
    logging.disable(logging.CRITICAL)
    yield found
    logging.disable(logging.NOTSET)
    for ended in (request_started, request_finished):
        ended.connect(close_old_connections)
    got_request_exception.disconnect(note)


def answer(application, environ):
    """The status; the answer's body is read to its end, as a server would."""
    statuses = []
    body = application(
        environ, lambda status, headers, exc_info=None: statuses.append(int(status.split()[0]))
    )
    try:
        for piece in body:
            assert isinstance(piece, bytes)
    finally:
        body.close()
    return statuses[-1]


@pytest.mark.parametrize("make_request", range(PARTS), indirect=True)
def test_bad_requests_are_never_our_mistake(application, make_request, raised):
    failed, seen = [], Counter()

    for _ in range(REQUESTS // PARTS):
        bad = make_request()
        raised.clear()
        with transaction.atomic():
            try:
                status = answer(application, bad.environ())
            except Exception:  # noqa: BLE001 - whichever: a server would answer 500
                raised.append(traceback.format_exc(limit=-4))
                status = 500
            transaction.set_rollback(True)
        seen[status // 100] += 1
        if status >= 500:
            failed.append(f"{status}: {bad}\n{''.join(raised)}")

    assert failed == [], "\n".join(failed[:20])
    # Had nearly all been turned away at the door, nothing would have been tried.
    assert seen[2] > REQUESTS // PARTS / 20
