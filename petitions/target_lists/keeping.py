"""Lists on their way between upload and applying: kept, corrected row by row, dropped, and deleted after a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from campaigns.models import Campaign
from petitions.models import TargetList
from petitions.target_lists.applying import AppliedAlready
from petitions.target_lists.columns import BEYOND, COLUMNS
from petitions.target_lists.reading import LONGEST_CELL, ReadList, cleaned
from staff.models import User
from toolkit.plain_text import one_line

KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Correction:
    """What staff typed for one row: the columns that were shown, and whether the row is to be left out."""

    cells: Mapping[str, str]
    left_out: bool


def keep(*, campaign: Campaign, read: ReadList, name: str, actor: User | None, at: datetime) -> TargetList:
    """Stores a list for the preview."""
    longest = TargetList._meta.get_field("name").max_length or 0
    return TargetList.objects.create(
        campaign=campaign,
        name=one_line(name)[:longest],
        rows=read.rows,
        ignored=read.ignored,
        created_at=at,
        created_by=actor,
    )


@transaction.atomic
def correct(*, campaign: Campaign, key: int, corrections: Mapping[int, Correction]) -> None:
    """Puts what was typed into the rows, by their index; other rows stay. Raises AppliedAlready.

    An emptied cell says nothing, as in the file.
    """
    target_list = TargetList.objects.select_for_update().filter(pk=key, campaign=campaign).first()
    if target_list is None:
        raise AppliedAlready
    for index, correction in corrections.items():
        if not 0 <= index < len(target_list.rows):
            continue
        row = target_list.rows[index]
        typed = {
            column: cleaned(column, text[:LONGEST_CELL])
            for column, text in correction.cells.items()
            if column in COLUMNS
        }
        # Somebody has looked at the row, also at what stood beyond its last column.
        row["cells"] = {
            column: text
            for column, text in (row["cells"] | typed).items()
            if text and (column != BEYOND or correction.left_out)
        }
        row["left_out"] = correction.left_out
    target_list.save(update_fields=["rows"])


def drop(*, campaign: Campaign, key: int) -> None:
    TargetList.objects.filter(pk=key, campaign=campaign).delete()


def forget_lists(*, at: datetime) -> int:
    """Deletes lists that nobody applied for a day; returns how many."""
    deleted, _by_model = TargetList.objects.filter(created_at__lte=at - KEPT).delete()
    return deleted
