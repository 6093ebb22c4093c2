"""The processes of a web server and of the database, and what the system says about them."""

from pathlib import Path


def workers_of(address: str) -> list[int]:
    """The processes that answer at an address: children of the one gunicorn that was given its port."""
    port = address.rpartition(":")[2]
    masters = [
        process
        for process in Path("/proc").glob("[0-9]*")
        if f"PORT={port}\0" in text(process / "environ") and "gunicorn" in text(process / "cmdline")
    ]
    numbers = {int(process.name) for process in masters}
    return sorted(number for number in numbers if parent_of(number) in numbers)


def parent_of(process: int) -> int:
    return int(text(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()[1])


def text(path: Path) -> str:
    """Nothing where it is gone, or not ours to read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def sessions() -> list[int]:
    """The processes of the database."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        return [pid for (pid,) in cursor.fetchall()]


def processor_time(processes: list[int]) -> float:
    """Seconds, of all threads."""
    files = (path for process in processes for path in Path(f"/proc/{process}/task").glob("*/schedstat"))
    return sum(int(text(path).split()[0]) for path in files) / 1e9
