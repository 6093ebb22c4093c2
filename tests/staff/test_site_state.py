"""What the site does at the moment: asked for rarely, remembered while nobody can be asked, switched with a trace."""

import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, ProgrammingError, transaction

from staff import site_state
from staff.models import AuditEntry, SiteState
from staff.site_state import Notice, State, Watch, current, known, look, notice, stored, switch
from tests.factories import NOW, make_staff

pytestmark = pytest.mark.django_db
PAUSED = Notice(State.SIGNING_PAUSED, "Back at noon.", NOW)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Answers with `says`, or raises it; asking takes `takes` seconds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.says: Any = None
        self.takes = 0.0
        self.asked = 0

    def __call__(self) -> Notice | None:
        self.asked += 1
        self.clock.now += self.takes
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source(clock: Clock) -> Source:
    return Source(clock)


@pytest.fixture
def watch(source: Source, clock: Clock) -> Watch:
    return Watch(source, clock)


@pytest.fixture
def unasked() -> None:
    """As in a process that has asked nobody yet."""
    site_state.remember(Notice(), for_seconds=-1)


class TestWatch:
    def test_asks_once_a_second(self, watch: Watch, source: Source, clock: Clock) -> None:
        watch.look()
        clock.now += 0.9
        watch.look()
        source.says = PAUSED
        clock.now += 0.2

        assert watch.look() == PAUSED
        assert source.asked == 2

    def test_what_was_known_holds_while_nobody_answers(
        self, watch: Watch, source: Source, clock: Clock
    ) -> None:
        source.says = PAUSED
        watch.look()
        clock.now += 1.1
        source.says = OperationalError("gone")

        with pytest.raises(OperationalError):
            watch.look()

        assert watch.look() == PAUSED
        assert source.asked == 2

    def test_one_that_hangs_is_left_alone_for_longer(
        self, watch: Watch, source: Source, clock: Clock
    ) -> None:
        source.says, source.takes = OperationalError("timed out"), 3
        with pytest.raises(OperationalError):
            watch.look()
        source.says, source.takes = PAUSED, 0
        clock.now += 14.9

        assert watch.look() == Notice()
        clock.now += 0.2
        assert watch.look() == PAUSED

    def test_others_do_not_wait_for_who_asks(self, clock: Clock) -> None:
        seen = []
        watch = Watch(lambda: seen.append(watch.look()), clock)
        watch.remember(PAUSED, for_seconds=-1)

        watch.look()

        assert seen == [PAUSED]

    def test_a_process_that_has_just_started_takes_nothing_for_granted(self, clock: Clock) -> None:
        seen, looks = [], threading.Event()
        another = threading.Thread(target=lambda: (looks.set(), seen.append(watch.look())))

        def ask() -> Notice:
            another.start()
            looks.wait()
            return PAUSED

        watch = Watch(ask, clock)

        watch.look()

        another.join()
        assert seen == [PAUSED]


def test_everything_is_on_where_nobody_ever_switched(unasked: None) -> None:
    assert current() is State.FULL
    assert State.FULL == "full"


def test_switching_is_known_here_at_once_and_told_in_the_audit_log() -> None:
    owner = make_staff()

    changed = switch(State.READ_ONLY, actor=owner, at=NOW, message="Moving.", reason="New machine")

    assert changed
    assert notice() == stored() == Notice(State.READ_ONLY, "Moving.", NOW)
    entry = AuditEntry.objects.get()
    assert (entry.actor_name, entry.reason) == (owner.username, "New machine")
    assert (entry.subject_label, entry.details) == (
        "Read-only",
        {"before": "Everything is on", "message": "Moving."},
    )


def test_switching_to_what_is_so_already_changes_nothing() -> None:
    switch(State.READ_ONLY, actor=None, at=NOW)

    assert not switch(State.READ_ONLY, actor=None, at=NOW + timedelta(hours=1))
    assert AuditEntry.objects.count() == 1


def test_another_message_keeps_since_when() -> None:
    switch(State.READ_ONLY, actor=None, at=NOW, message="Until noon")
    switch(State.READ_ONLY, actor=None, at=NOW + timedelta(hours=1), message="Until one")

    assert stored() == Notice(State.READ_ONLY, "Until one", NOW)


def test_a_message_is_cut_and_cleaned() -> None:
    switch(State.READ_ONLY, actor=None, at=NOW, message=" a\x00b\udfff" + "c" * 10_000)

    assert stored().message == "ab�" + "c" * 497


def test_the_database_is_asked_once(unasked: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert (current(), current(), current()) == (State.FULL,) * 3


@pytest.mark.parametrize("error", [OperationalError("gone"), ProgrammingError("no such table")])
def test_without_a_database_the_last_known_state_holds(monkeypatch: Any, error: Exception) -> None:
    def fail(**_: Any) -> None:
        raise error

    site_state.remember(PAUSED, for_seconds=-1)
    monkeypatch.setattr(SiteState.objects, "filter", fail)

    assert notice() == PAUSED


def test_who_looks_is_told_that_the_database_is_away(monkeypatch: Any, unasked: None) -> None:
    def fail(**_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(SiteState.objects, "filter", fail)

    with pytest.raises(OperationalError):
        look()
    assert known() == Notice()


@pytest.mark.parametrize("row", [{"pk": 2, "state": "full"}, {"pk": 1, "state": "asleep"}])
def test_the_database_holds_one_state_that_exists(row: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SiteState.objects.create(since=NOW, **row)


class TestHere:
    @pytest.fixture(autouse=True)
    def elsewhere(self, settings: Any, tmp_path: Any) -> None:
        settings.VAR_DIR = tmp_path / "var"

    def test_this_machine_alone_is_in_maintenance(self) -> None:
        site_state.switch_here(on=True, message="New disk")

        assert notice() == Notice(State.MAINTENANCE, "New disk")
        assert stored() is None
        site_state.switch_here(on=False)
        assert current() is State.FULL

    def test_odd_bytes_in_the_file_are_survived(self) -> None:
        site_state.switch_here(on=True)
        site_state.file_here().write_bytes(b"\xff\x00" + b"x" * 1_000_000)

        assert site_state.written_here().state is State.MAINTENANCE

    def test_command_needs_no_database(self, monkeypatch: Any) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(SiteState.objects, "filter", fail)
        monkeypatch.setattr(site_state, "switch", fail)
        said = StringIO()

        call_command("site_state", "maintenance", "--here", "--message", "New disk", stdout=said)

        assert "this machine alone: maintenance (Maintenance)\n  New disk" in said.getvalue()
        assert "the database does not answer" in said.getvalue()
        with pytest.raises(CommandError, match="--here"):
            call_command("site_state", "read-only")

    def test_command_knows_maintenance_only_for_one_machine(self) -> None:
        with pytest.raises(CommandError, match="only maintenance"):
            call_command("site_state", "read-only", "--here")


def test_command_tells_and_switches() -> None:
    said = StringIO()

    call_command("site_state", stdout=said)
    call_command(
        "site_state", "signing-paused", "--message", "Back at noon.", "--reason", "Flood", stdout=said
    )

    first, second, message = said.getvalue().splitlines()
    assert first == "the site: full (Everything is on)"
    assert second.startswith("the site: signing-paused (Signing is paused, since ")
    assert message.strip() == "Back at noon."
    assert AuditEntry.objects.get().actor_name == "system"


def test_no_message_outlives_what_it_explained() -> None:
    switch(State.READ_ONLY, actor=None, at=NOW, message="Back at ten.")

    switch(State.FULL, actor=None, at=NOW, message="Back at ten.")

    assert stored() == Notice(State.FULL, "", NOW)
