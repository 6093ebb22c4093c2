"""Momentum: where people are signing right now, by which a campaign's cities are sorted."""

from datetime import date, datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from petitions import tallies
from petitions.models import DayTally, Tally

DAYS = 3  # today included: long enough for small cities to show, short enough to be news


def remember(*, at: datetime) -> int:
    """Writes what each petition gained in the last `DAYS` days, where it changed; returns how many changed.

    Beside the count, so that a page of a thousand petitions reads one number instead of adding up three thousand.
    """
    gained = dict(
        DayTally.objects.filter(day__gte=first_day(at))
        .order_by()
        .values_list("petition")
        .annotate(Sum("gained"))
    )
    stored = dict(Tally.objects.exclude(gained_lately=0).values_list("pk", "gained_lately"))
    return tallies.write(
        {
            petition: {"gained_lately": gained.get(petition, 0)}
            for petition in gained.keys() | stored.keys()
            if gained.get(petition, 0) != stored.get(petition, 0)
        }
    )


def first_day(at: datetime) -> date:
    """The first day that still counts, in the site's time zone."""
    return timezone.localdate(at) - timedelta(days=DAYS - 1)
