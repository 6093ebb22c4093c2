"""Petition pages from memory: Django's own bytes, at once, and never for long after they changed."""

import gzip
import ipaddress
import logging
import re
import threading
import zlib
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.signals import request_finished, request_started
from django.db import OperationalError, close_old_connections
from django.urls import clear_script_prefix
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from campaigns.models import Campaign, Organization, Place
from config.page_front import keeping
from config.page_front.front import PageFront
from config.page_front.held import Shelf
from config.page_front.keeping import KEPT_WHILE_AWAY, Keeper
from config.page_front.pieces import NOTHING, cut
from petitions.models import Petition, ShareImage, Stand, Tally
from petitions.public_pages import without_stamp
from petitions.readdressing import move_to
from signers.forms import stamp_scope
from staff import site_state
from staff.site_state import Notice, State
from tests.factories import make_campaign, make_letter, make_petition, make_version
from toolkit.signed_tokens import stamp_age

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
    def raw(self):
        return gzip.decompress(self.body) if self.headers.get("Content-Encoding") == "gzip" else self.body

    @property
    def text(self):
        return self.raw.decode()

    @property
    def same_for_everybody(self):
        """Lengths differ by what compressed it, stamps by the moment."""
        headers = {name: value for name, value in self.headers.items() if name != "Content-Length"}
        return self.status, headers, without_stamp(self.raw)


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


def new_application():
    """Not at once: importing it starts the application, which looks for static files."""
    from config.wsgi import Application

    return Application()


class Django:
    """Django, which counts what it is asked, and can be gone."""

    def __init__(self):
        self.application, self.asked = new_application(), 0

    def __call__(self, environ, start_response):
        self.asked += 1
        return self.application(environ, start_response)


@pytest.fixture(autouse=True)
def one_connection():
    """That of the test, as with Django's own test client; and no traces of odd requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    clear_script_prefix()


@pytest.fixture(scope="module")
def application():
    return Django()


@pytest.fixture
def django(application):
    application.asked = 0
    return application


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def front(django, clock):
    return PageFront(django, in_background=False, clock=clock)


@pytest.fixture
def petition():
    petition = make_petition(at=timezone.now() - timedelta(days=1), slug="open-rivermouth")
    sign(petition, count=1234, local=77)
    return petition


@pytest.fixture
def path(front, petition):
    """Where the front holds a page."""
    hold(front, petition.get_absolute_url())
    return petition.get_absolute_url()


def sign(petition, **numbers):
    Tally.objects.filter(petition=petition).update(**numbers)


def hold(front, path, **environ):
    ask(front, path, **environ)
    front.keeper.fill_next(at=timezone.now())
    assert path in front.shelf.by_path


def look(front):
    front.keeper.look(at=timezone.now())


def refresh(front):
    """A look, and whatever it finds to be made anew."""
    look(front)
    while front.keeper._wanted:
        front.keeper.fill_next(at=timezone.now())


def without_django(front):
    """The same pages, where asking Django is a mistake."""
    only = PageFront(unreachable, in_background=False, clock=front.clock, shelf=front.shelf)
    return lambda path, **environ: ask(only, path, **environ)


def unreachable(environ, start_response):
    raise AssertionError(f"{environ['PATH_INFO']} reached Django")


# --- The same bytes ---

ENCODINGS = [
    "",
    "gzip",
    "gzip, deflate, br, zstd",
    "gzip;q=0",
    "br, gzip;q=0.0, *",
    "identity",
    "GZIP",
    "\udc80",
]


def test_answers_as_django_does_in_every_encoding(front, django, path):
    for encoding in ENCODINGS:
        held = without_django(front)(path, HTTP_ACCEPT_ENCODING=encoding)

        assert held.same_for_everybody == ask(django, path, HTTP_ACCEPT_ENCODING=encoding).same_for_everybody


def test_head_says_all_but_the_body(front, path):
    for encoding in ENCODINGS:
        whole = without_django(front)(path, HTTP_ACCEPT_ENCODING=encoding)
        head = without_django(front)(path, method="HEAD", HTTP_ACCEPT_ENCODING=encoding)

        assert whole.headers["Content-Length"] == str(len(whole.body))
        assert (head.status, head.headers, head.body) == (whole.status, whole.headers, b"")


NUMBERS = st.integers(min_value=0, max_value=2**31 - 1)


@pytest.mark.parametrize(("ending", "floor"), [("open", 0), ("open", 50), ("closed", 0), ("won", 50)])
def test_whatever_the_number_the_page_is_djangos(front, django, ending, floor):
    now = timezone.now()
    ended = {"open": {}, "closed": {"closed_at": now}, "won": {"closed_at": now, "won_at": now}}[ending]
    letter = make_letter(campaign=make_campaign(count_floor=floor, shows_league=True))
    petition = make_petition(at=now - timedelta(days=1), letter=letter, **ended)
    path = petition.get_absolute_url()
    numbers = [
        (0, 0, None),
        (1, 0, 1),
        (49, 49, 2),
        (50, 49, 3),
        (99, 50, 3),
        (100, 60, 11),
        (2**31 - 1, 10**9, 22),
    ]

    for count, local, rank in numbers:
        sign(petition, count=count, local=local, rank=rank, ranked=rank and 112)
        if path in front.shelf.by_path:
            refresh(front)
        else:
            hold(front, path)

        held = without_django(front)(path)
        assert held.same_for_everybody == ask(django, path).same_for_everybody


@given(count=NUMBERS, share=st.fractions(0, 1), rank=st.integers(1, 500))
@example(count=0, share=0, rank=1)
def test_a_spliced_page_has_no_trace_of_the_number_before(count, share, rank):
    content = b"first 1000000001 signed, second 1,000,000,001 of 2000000002."
    pieces = cut(content, {b"1000000001": "count", b"1,000,000,001": "shown", b"2000000002": "rank"})
    values = {"count": b"%d" % count, "shown": f"{count:,}".encode(), "rank": b"%d" % rank, NOTHING: b""}

    whole = b"".join(pieces.parts(values))

    expected = f"first {count} signed, second {count:,} of {rank}.".encode()
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert whole == expected
    assert reader.decompress(pieces.gzipped(values, whole)) == expected
    assert (reader.eof, reader.unused_data) == (True, b"")


def test_the_number_of_an_open_page_is_held_as_well(front, django, petition, path):
    hold(front, path + "count.json")
    sign(petition, count=2000, local=300)
    refresh(front)

    held = without_django(front)(path + "count.json", HTTP_ACCEPT_ENCODING="gzip")

    assert held.text == '{"count": 2000, "goal": 2500, "local": 300}'
    assert held.same_for_everybody == ask(django, path + "count.json").same_for_everybody


TAGS = ["{etag}", '"other", {etag}', "*", "{strong}", '"other"', "", "W/", 'W/"', "\x00", "{etag}" * 500]


def test_who_has_the_page_gets_what_django_says(front, django, path):
    etag = ask(django, path).headers["ETag"]
    for tags in TAGS:
        said = tags.format(etag=etag, strong=etag.removeprefix("W/"))

        held = without_django(front)(path, HTTP_IF_NONE_MATCH=said)

        assert held.same_for_everybody == ask(django, path, HTTP_IF_NONE_MATCH=said).same_for_everybody, tags


def test_a_304_has_no_length_of_its_own(front, path):
    etag = without_django(front)(path).headers["ETag"]

    held = without_django(front)(path, HTTP_IF_NONE_MATCH=etag)

    assert (held.status, held.body) == ("304 Not Modified", b"")
    assert "Content-Length" not in held.headers


QUERIES = ["utm_source=mail", "fbclid=x&gclid=y", "r=abcdefghjk", "x=1&x=2", "%00", "\udcff" * 99]


def test_no_query_changes_the_page(front, django, path):
    for query in QUERIES:
        held = without_django(front)(path, QUERY_STRING=query)

        assert held.same_for_everybody == ask(django, path, QUERY_STRING=query).same_for_everybody


def test_cookies_do_not_matter(front, path):
    held = without_django(front)(path, HTTP_COOKIE="staff=somebody; csrf=broken")

    assert held.status == "200 OK"
    assert "Set-Cookie" not in held.headers


# --- What goes through ---


ODD = [
    {"HTTP_HOST": "elsewhere.example"},
    {"HTTP_HOST": ""},
    {"HTTP_HOST": "testserver@elsewhere.example"},
    {"HTTP_HOST": "test\x00server"},
    {"HTTP_RANGE": "bytes=0-99"},
    {"HTTP_IF_MATCH": '"x"'},
    {"HTTP_IF_UNMODIFIED_SINCE": "Wed, 21 Oct 2015 07:28:00 GMT"},
    {"SCRIPT_NAME": "/elsewhere"},
    {"method": "POST"},
    {"method": "OPTIONS"},
    {"method": "get"},
]


def test_what_is_odd_is_djangos(front, django, path):
    for odd in ODD:
        django.asked = 0

        ask(front, path, **odd)

        assert django.asked == 1, odd


def test_every_host_of_ours_is_answered(front, path):
    for host in ("testserver:8443", "TESTSERVER", "localhost", "testserver."):
        assert without_django(front)(path, HTTP_HOST=host).status == "200 OK"


ELSEWHERE = [
    "/",
    "/petitions/never-there/",
    "/petitions/open-rivermouth",
    "/petitions/open-rivermouth/sign/",
    "/petitions/open-rivermouth/versions/",
    "//petitions/open-rivermouth/",
    "/petitions/open-rivermouth/\n",
    "/petitions/\x00/",
    "/petitions/" + "x" * 9999 + "/",
    "",
]


def test_nothing_else_is_held(front, petition):
    for address in ELSEWHERE:
        ask(front, address)
    refresh(front)

    assert not front.shelf.by_path


def test_a_former_address_is_not_held(front, petition):
    move_to(petition=petition, slug="open-riverton", actor=None, at=timezone.now())

    assert ask(front, "/petitions/open-rivermouth/").status.startswith("301")
    refresh(front)
    assert not front.shelf.by_path


@pytest.fixture
def behind_proxy(settings, django, clock):
    settings.SECURE_SSL_REDIRECT = True
    settings.SITE_URL = "https://testserver"
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]
    settings.SECURE_HSTS_SECONDS = 60
    plain, django.application = django.application, new_application()
    yield PageFront(django, in_background=False, clock=clock)
    django.application = plain


CAME_BY = [
    ({}, "301"),
    ({"wsgi.url_scheme": "https"}, "200"),
    ({"HTTP_X_FORWARDED_PROTO": "https"}, "301"),
    ({"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "10.0.0.1"}, "200"),
    ({"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "::ffff:10.0.0.1"}, "200"),
    ({"HTTP_X_FORWARDED_PROTO": "http", "REMOTE_ADDR": "10.0.0.1", "wsgi.url_scheme": "https"}, "301"),
    ({"HTTP_X_FORWARDED_PROTO": "http", "wsgi.url_scheme": "https"}, "200"),
    ({"HTTP_X_FORWARDED_PROTO": "https,http", "REMOTE_ADDR": "10.0.0.1"}, "200"),
    ({"HTTP_X_FORWARDED_PROTO": "\x00", "REMOTE_ADDR": "nowhere"}, "301"),
]


def test_only_who_came_by_https_gets_a_page(behind_proxy, django, petition):
    path = petition.get_absolute_url()
    hold(behind_proxy, path, **{"wsgi.url_scheme": "https"})
    for environ, status in CAME_BY:
        answer = ask(behind_proxy, path, **environ)

        assert answer.status.startswith(status), environ
        assert answer.same_for_everybody == ask(django, path, **environ).same_for_everybody


# --- Never stale for long ---


def test_a_signature_makes_nobody_render(front, django, petition, path):
    django.asked = 0

    sign(petition, count=1499, local=78)
    refresh(front)

    page = without_django(front)(path).text
    assert '<strong class="progress__number" data-live="count">1,499</strong>' in page
    assert '<strong data-live="count">1,499</strong> signed' in page
    assert 'value="1499" max="1500"' in page
    assert ">99 %</progress>" in page
    assert '<span data-live="local">78</span>' in page
    assert django.asked == 0


def test_a_goal_that_climbs_makes_nobody_render(front, django, petition, path):
    django.asked = 0

    sign(petition, count=1500)
    refresh(front)

    assert '<span data-live="goal">2,500</span>' in without_django(front)(path).text
    assert django.asked == 0


def published(petition):
    make_version(petition, at=timezone.now(), headline="Open it at last")


def stand_taken(petition):
    other = make_petition(letter=make_letter(campaign=petition.campaign, kind="thank-you"), at=timezone.now())
    Stand.objects.create(
        campaign=petition.campaign,
        target=petition.target,
        taken_on=date(2026, 5, 1),
        reason="The mayor opened it.",
        left=petition,
        joined=other,
        recorded_at=timezone.now(),
    )
    Petition.objects.filter(pk=petition.pk).update(closed_at=PAST, won_at=PAST)


def league_shown(petition):
    Campaign.objects.update(shows_league=True)
    sign(petition, rank=3, ranked=112)


def closing(**fields):
    return lambda petition: Petition.objects.filter(pk=petition.pk).update(**fields)


PAST = timezone.now() - timedelta(minutes=1)
CHANGES = {
    "published": published,
    "closed": closing(closed_at=PAST, closing_note="Enough."),
    "won": closing(closed_at=PAST, won_at=PAST),
    "closed by itself": closing(closes_at=PAST),
    "a stand taken": stand_taken,
    "a goal of its own": closing(goal=5000),
    "another color": lambda petition: Organization.objects.update(accent="#14596b"),
    "another name": lambda petition: Organization.objects.update(name="Lamp & Page"),
    "another logo": lambda petition: Organization.objects.update(
        logo_digest="abc", logo_width=9, logo_height=9
    ),
    "a floor": lambda petition: Campaign.objects.update(count_floor=2000),
    "another title": lambda petition: Campaign.objects.update(title="Open Mondays"),
    "another field": lambda petition: Campaign.objects.update(asks_postal_code=True, asks_country=True),
    "a league": league_shown,
    "an image": lambda petition: ShareImage.objects.create(
        petition=petition, digest="d1", png=b"", drawn_at=timezone.now()
    ),
    "another place": lambda petition: Place.objects.update(name="Riverton"),
    "nobody's tally": lambda petition: Tally.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_a_page_shows_at_the_next_look(front, django, petition, path, change):
    before = ask(django, path).same_for_everybody

    change(petition)
    refresh(front)

    now = ask(django, path).same_for_everybody
    assert now != before
    assert without_django(front)(path).same_for_everybody == now


def test_time_alone_closes_a_page(front, petition):
    path = petition.get_absolute_url()
    now = timezone.now()
    Petition.objects.update(closes_at=now + timedelta(hours=1))
    hold(front, path)

    front.keeper.look(at=now + timedelta(minutes=59))
    assert path not in front.keeper._wanted
    front.keeper.look(at=now + timedelta(minutes=61))
    assert path in front.keeper._wanted


def test_others_get_the_old_page_until_the_new_one_is_made(front, django, clock, petition, path):
    published(petition)
    look(front)
    django.asked = 0

    meanwhile = ask(front, path)
    clock.now += 0.9
    later = ask(front, path)

    assert "Open it at last" not in meanwhile.text
    assert "Open it at last" in later.text
    assert django.asked == 1


@pytest.mark.parametrize("gone", [{"live_at": None}, {"slug": "elsewhere"}])
def test_a_page_taken_off_the_site_is_gone_at_the_next_look(front, petition, path, gone):
    Petition.objects.update(**gone)
    look(front)

    assert ask(front, path).status.startswith("404")


def test_a_process_that_was_idle_learns_what_others_have_seen_long_ago(django, clock, petition):
    path = petition.get_absolute_url()
    busy, idle = (PageFront(django, in_background=False, clock=clock) for _ in range(2))
    for front in (busy, idle):
        hold(front, path)
    sign(petition, count=2000)
    for _ in range(20):
        clock.now += 0.9
        look(busy)
        ask(busy, path)
    sign(petition, count=2001)

    look(idle)

    assert ">2,001<" in without_django(idle)(path).text


def test_forms_carry_a_fresh_stamp(front, petition, path):
    soon = timezone.now() + timedelta(seconds=25)

    front.keeper.look(at=soon)

    stamps = re.findall('name="stamp" value="([^"]*)"', without_django(front)(path).text)
    ages = [stamp_age(stamp, scope=stamp_scope(petition.pk), at=soon) for stamp in stamps]
    assert len(ages) == 1
    assert ages[0] < timedelta(seconds=10)


@pytest.mark.parametrize("pages", [1, 3])
def test_one_look_is_one_query_however_many_pages(front, pages, django_assert_num_queries):
    for number in range(pages):
        hold(front, make_petition(at=PAST, slug=f"page-{number}").get_absolute_url())

    with django_assert_num_queries(1):
        look(front)


# --- When things break ---


def away(*arguments, **options):
    raise OperationalError("could not connect\nto server")


def test_pages_stay_while_the_database_is_away(front, clock, path, monkeypatch, caplog):
    monkeypatch.setattr(keeping, "inputs_of", away)

    for _ in range(100):
        clock.now += 5
        look(front)

    assert without_django(front)(path).status == "200 OK"
    assert [record.getMessage() for record in caplog.records] == [
        "Pages are served as they are: could not connect"
    ]


def test_after_ten_minutes_without_database_django_is_asked(front, django, clock, path, monkeypatch):
    monkeypatch.setattr(keeping, "inputs_of", away)
    look(front)
    django.asked = 0

    clock.now += KEPT_WHILE_AWAY + 1
    ask(front, path)

    assert django.asked == 1


def test_a_page_that_cannot_be_made_anew_stays(front, clock, petition, path, monkeypatch):
    published(petition)
    look(front)
    monkeypatch.setattr(keeping, "inputs_of", away)

    front.keeper.fill_next(at=timezone.now())
    clock.now += 30

    assert without_django(front)(path).status == "200 OK"


def test_the_database_comes_back(front, petition, path, monkeypatch):
    with monkeypatch.context() as gone:
        gone.setattr(keeping, "inputs_of", away)
        look(front)
    sign(petition, count=4321)

    look(front)

    assert ">4,321<" in without_django(front)(path).text


def test_a_page_that_does_not_come_out_as_djangos_is_left_to_django(django, clock, petition, caplog):
    def other(environ, start_response):
        return django(environ, lambda status, headers, error=None: start_response(
            status, [(name, "W/'x'" if name == "ETag" else value) for name, value in headers]
        ))  # fmt: skip

    front = PageFront(other, in_background=False, clock=clock)
    path = petition.get_absolute_url()

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            ask(front, path)
            front.keeper.fill_next(at=timezone.now())

    assert not front.shelf.by_path
    assert len(caplog.records) == 1
    clock.now += 61
    look(front)
    front.keeper.want(path)
    assert path in front.keeper._wanted


def test_a_page_that_fails_in_an_unexpected_way_takes_no_other_with_it(front, path, monkeypatch, caplog):
    look(front)

    def broken(path, headers, *, at):
        raise RuntimeError("unexpected")

    monkeypatch.setattr(front.keeper, "fill", broken)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            front.keeper.want("/petitions/another/")
            front.keeper.fill_next(at=timezone.now())

    assert list(front.shelf.by_path) == [path]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("header", [("Set-Cookie", "a=b"), ("Cache-Control", "private"), ("Vary", "Cookie")])
def test_what_is_for_one_person_is_never_held(django, clock, petition, header):
    def personal(environ, start_response):
        return django(environ, lambda status, headers, error=None: start_response(
            status, [*(pair for pair in headers if pair[0] != header[0]), header]
        ))  # fmt: skip

    front = PageFront(personal, in_background=False, clock=clock)

    ask(front, petition.get_absolute_url())
    refresh(front)

    assert not front.shelf.by_path


@pytest.fixture
def state():
    """Switches the site as if the database said so."""
    yield lambda now, message="": site_state.remember(Notice(now, message), for_seconds=1e9)
    site_state.remember(Notice(), for_seconds=1e9)


def test_pages_say_that_signing_is_paused(front, django, path, state):
    assert 'name="first_name"' in without_django(front)(path).text

    state(State.SIGNING_PAUSED, "Back at noon.")
    look(front)

    assert "Back at noon." in ask(front, path).text
    front.keeper.fill_next(at=timezone.now())
    assert without_django(front)(path).same_for_everybody == ask(django, path).same_for_everybody


def test_in_maintenance_nothing_is_held(front, path, state, monkeypatch):
    state(State.MAINTENANCE)
    monkeypatch.setattr(keeping, "inputs_of", away)
    look(front)

    assert ask(front, path).status.startswith("503")
    refresh(front)
    assert not front.shelf.by_path


# --- Within bounds ---


def test_whoever_was_not_asked_for_longest_makes_room(django, clock):
    front = PageFront(django, in_background=False, clock=clock, shelf=Shelf(most_pages=2))
    paths = [make_petition(at=PAST).get_absolute_url() for _ in range(3)]
    for path in (paths[0], paths[1], paths[0], paths[2]):
        clock.now += 1
        ask(front, path)
        front.keeper.fill_next(at=timezone.now())

    assert set(front.shelf.by_path) == {paths[0], paths[2]}


def test_no_more_bytes_are_held_than_allowed(django, clock, petition):
    front = PageFront(django, in_background=False, clock=clock, shelf=Shelf(most_bytes=1000))

    ask(front, petition.get_absolute_url())
    front.keeper.fill_next(at=timezone.now())

    assert not front.shelf.by_path


def test_what_nobody_asks_for_is_forgotten(front, clock, path):
    clock.now += 601
    look(front)

    assert path not in front.shelf.by_path


def test_a_page_is_made_anew_now_and_then_whatever_was_overlooked(front, clock, path):
    for _ in range(6):
        clock.now += 55
        ask(front, path)
        look(front)

    assert path in front.keeper._wanted


# --- The thread ---


def test_the_thread_outlives_what_nobody_expected():
    again = threading.Event()

    class Broken(Keeper):
        looks = 0

        def look(self, *, at):
            self.looks += 1
            if self.looks == 1:
                self._wake.set()
                self._left["x"] = 0.0
                raise RuntimeError("unexpected")
            again.set()
            self._left.clear()

    keeper = Broken(unreachable, Shelf(), lambda: 1e9 * (keeper.looks + 1))
    keeper.start()
    keeper._wake.set()

    assert again.wait(10)


def test_a_forked_process_holds_nothing_until_it_has_a_thread(front, path):
    front.keeper._after_fork()

    assert not front.shelf.by_path
