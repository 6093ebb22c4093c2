"""The worker's sign of life, which `/readyz` and the admin read."""

from datetime import datetime

from staff.models import Heartbeat


def beat(*, at: datetime) -> None:
    """Notes that a worker is alive; one row, whichever worker writes it."""
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": at})


def last_beat() -> datetime | None:
    return Heartbeat.objects.filter(pk=1).values_list("at", flat=True).first()
