"""Writing beside the counts what the worker finds out about many petitions at once."""

from collections.abc import Mapping

from django.db import transaction

from petitions.models import Tally

WRITTEN_AT_ONCE = 500


def write(changes: Mapping[int, Mapping[str, int | None]]) -> int:
    """Writes `{petition: {field: value}}` into the tallies; returns how many it wrote.

    What somebody else is writing to is left for the next time: who never waits holds nobody up, and cannot be in
    a deadlock with those who count.
    """
    ids = sorted(changes)
    written = 0
    for start in range(0, len(ids), WRITTEN_AT_ONCE):
        with transaction.atomic():
            free = Tally.objects.select_for_update(skip_locked=True).only("pk")
            tallies = list(free.filter(pk__in=ids[start : start + WRITTEN_AT_ONCE]))
            for tally in tallies:
                for field, value in changes[tally.pk].items():
                    setattr(tally, field, value)
            if tallies:
                Tally.objects.bulk_update(tallies, list(changes[tallies[0].pk]))
            written += len(tallies)
    return written
