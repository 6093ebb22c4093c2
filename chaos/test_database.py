"""The database is away in every way it can be: what visitors see, what /readyz says, how it comes back."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from chaos.http import Answer, get
from chaos.ledger import Ledger, sign
from chaos.postgres import Postgres
from chaos.proxies import Line
from chaos.site import SLUG, Site
from chaos.waiting import eventually

ANSWERED_WITHIN = 5  # seconds
CONNECTIONS = 20
PAGE = f"/petitions/{SLUG}/"
TYPED = {"first_name": "Wilhelmina", "last_name": "O’Neill-Straße"}


def keeps_the_form(answer: Answer) -> bool:
    """Everything typed is in the page, in a form that sends it again."""
    return (
        answer.status == 503
        and all(f'value="{value}"' in answer.text for value in TYPED.values())
        and 'value="wilhelmina@people.example"' in answer.text
        and f'action="/petitions/{SLUG}/sign/"' in answer.text
        and "Retry-After" in answer.text
    )


def said(answer: Answer) -> str:
    return re.findall(r"{.*}", answer.text)[-1]


def signs(site: Site) -> Answer:
    return sign(site.port, "wilhelmina@people.example", **TYPED)


class Course:
    """What visitors go through while a fault lasts, seen by many at once and by one who looks closely."""

    def __init__(self, site: Site, postgres: Postgres) -> None:
        self.site, self.postgres = site, postgres
        self.ledger = Ledger(site.port, visitors=8)

    @contextlib.contextmanager
    def under_load(self) -> Iterator[None]:
        with self.ledger:
            self.ledger.wait_for(30, within=60)
            yield
            before = self.ledger.count()
            self.ledger.wait_for(before + 30, within=60)

    def look(self) -> str:
        """The form is kept, /readyz says what is wrong, and all of it comes soon."""
        answer = signs(self.site)
        ready = get(self.site.port, "/readyz")
        page = get(self.site.port, PAGE)
        slowest = max(answer.seconds, ready.seconds, page.seconds)
        assert keeps_the_form(answer), answer.text[:3000]
        assert ready.status == 503, ready.text
        assert page.status in {200, 503}, page.text[:1000]
        assert slowest < ANSWERED_WITHIN, (answer.seconds, ready.seconds, page.seconds)
        return (
            f"sign 503 with the form after {answer.seconds:.1f} s, page {page.status} after {page.seconds:.1f} s,"
            f" readyz {said(ready)} after {ready.seconds:.1f} s"
        )

    def recovers(self, began: float) -> str:
        """Without anything being restarted."""
        answered = eventually(lambda: signs(self.site).status == 303)
        eventually(self.site.ready)
        return f"signing again after {answered:.1f} s, ready after {time.monotonic() - began:.1f} s"


@pytest.fixture
def started(site: Site) -> Site:
    site.start_web()
    site.start_worker()
    eventually(site.ready)
    return site


def play(
    course: Course,
    note: Callable[[str], None],
    begin: Callable[[], None],
    end: Callable[[], None],
    lasts: float = 4,
) -> None:
    starts = [service.starts for service in course.site.services]
    with course.under_load():
        begin()
        time.sleep(0.3)
        seen = course.look()
        time.sleep(lasts)
        seen += f"; after a while {course.look()}"
        end()
        seen += f"; {course.recovers(time.monotonic())}"
    result = course.ledger.prove(course.postgres)
    note(f"{seen}; under load {result}")
    assert course.ledger.slowest < ANSWERED_WITHIN, course.ledger.slowest
    assert [service.starts for service in course.site.services] == starts


def test_database_refuses(started: Site, postgres: Postgres, note: Callable[[str], None]) -> None:
    play(Course(started, postgres), note, postgres.stop, postgres.start)


def test_database_hangs(started: Site, postgres: Postgres, note: Callable[[str], None]) -> None:
    play(Course(started, postgres), note, postgres.freeze, postgres.thaw)


def test_line_to_the_database_goes_dead(
    folders: Callable[[], Path], postgres: Postgres, note: Callable[[str], None]
) -> None:
    with Line(postgres.port) as line, Site(folders(), postgres.url(line.port)) as site:
        site.start_web()
        site.start_worker()
        eventually(site.ready)

        play(Course(site, postgres), note, line.dies, line.comes_back)


def test_threads_do_not_wait_for_a_database_that_hangs_either(
    site: Site, postgres: Postgres, note: Callable[[str], None]
) -> None:
    site.start_web(WEB_CONCURRENCY="1", WEB_THREADS="8")
    site.start_worker()
    eventually(site.ready)

    play(Course(site, postgres), note, postgres.freeze, postgres.thaw)


def test_database_only_reads(started: Site, postgres: Postgres, note: Callable[[str], None]) -> None:
    def only_read(value: str) -> None:
        postgres.query(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        postgres.query("SELECT pg_reload_conf()")

    play(Course(started, postgres), note, lambda: only_read("on"), lambda: allow_writing(postgres))


def allow_writing(postgres: Postgres) -> None:
    connection = psycopg2.connect(postgres.url(), options="-c default_transaction_read_only=off")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM RESET default_transaction_read_only")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()


def test_database_is_out_of_connections(
    folders: Callable[[], Path], template: Postgres, note: Callable[[str], None]
) -> None:
    """Somebody else takes all of them while ours are lost."""
    postgres = Postgres(folders(), like=template)
    postgres.start(max_connections=CONNECTIONS, superuser_reserved_connections=0)
    others: list = []

    def take_all() -> None:
        postgres.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        with contextlib.suppress(psycopg2.OperationalError):
            while True:
                others.append(psycopg2.connect(postgres.url()))
        # Whoever was quicker: theirs end as well, and nobody can come back.
        others[0].autocommit = True  # in one transaction the list of sessions stays as it was first read
        cursor = others[0].cursor()
        while len(others) < CONNECTIONS:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND NOT pid = ANY(%s)",
                [[other.info.backend_pid for other in others]],
            )
            with contextlib.suppress(psycopg2.OperationalError):
                others.append(psycopg2.connect(postgres.url()))

    def give_back() -> None:
        for other in others:
            other.close()

    try:
        with Site(folders(), postgres.url()) as site:
            site.start_web()
            site.start_worker()
            eventually(site.ready)
            play(Course(site, postgres), note, take_all, give_back)
    finally:
        postgres.stop()


def test_disk_is_full(
    small_disk: Path, folders: Callable[[], Path], template: Postgres, note: Callable[[str], None]
) -> None:
    postgres = Postgres(small_disk, like=template)
    postgres.start(max_wal_size="32MB")
    filling = small_disk / "filling"

    def fill_up() -> None:
        with contextlib.suppress(OSError), filling.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        # And what PostgreSQL has in reserve: its log of changes needs a new file soon.
        with contextlib.suppress(psycopg2.Error):
            while True:
                postgres.query("SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000))")
        eventually(lambda: signs(site).status == 503)

    def make_room() -> None:
        filling.unlink()
        gave_up = eventually(lambda: postgres.answers() or postgres.process.poll() is not None) and (
            postgres.process.poll() is not None
        )
        note(
            "PostgreSQL had given up, as it does without room to recover" if gave_up else "PostgreSQL went on"
        )
        if gave_up:
            postgres.start(max_wal_size="32MB")

    try:
        with Site(folders(), postgres.url()) as site:
            site.start_web()
            site.start_worker()
            eventually(site.ready)
            play(Course(site, postgres), note, fill_up, make_room)
    finally:
        postgres.stop()
