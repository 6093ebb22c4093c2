"""The number on the page and the goal it climbs toward."""

from dataclasses import dataclass

from petitions.models import Petition

# Within each power of ten the goal climbs these steps: 100, 250, 500, 750, 1,000, 1,500, 2,500, 5,000, …
FIRST_GOAL = 100
STEPS = (10, 15, 25, 50, 75)


@dataclass(frozen=True)
class Progress:
    """What may be shown. `count` is None below the floor staff set; `local` likewise, and without a place."""

    count: int | None
    goal: int
    next_goal: int
    local: int | None
    place_name: str

    @property
    def percent(self) -> int:
        """Whole percent of the goal, 0 to 100; 0 where no count is shown."""
        return min(100, (self.count or 0) * 100 // self.goal)

    def as_json(self) -> dict[str, int | None]:
        return {"count": self.count, "goal": self.goal, "local": self.local}


def rung_above(number: int) -> int:
    """The first rung of the ladder that is higher than `number`."""
    scale = 1
    while True:
        for step in STEPS:
            if step * scale > number:
                return step * scale
        scale *= 10


def goal_for(count: int, first_goal: int | None) -> int:
    """The goal announced at `count`: the one staff set (or 100) until it is reached, then rung by rung."""
    start = first_goal or FIRST_GOAL
    return start if count < start else rung_above(count)


def progress_of(petition: Petition) -> Progress:
    """From a petition loaded with tally, letter, campaign and place (`PetitionQuerySet.for_page`)."""
    tally = getattr(petition, "tally", None)
    count, local = (tally.count, tally.local) if tally else (0, 0)
    place_name = petition.target.place.name if petition.target else ""
    return progress(
        count, local, first_goal=petition.goal, floor=petition.campaign.count_floor, place_name=place_name
    )


def progress(count: int, local: int, *, first_goal: int | None, floor: int, place_name: str) -> Progress:
    """What may be shown of these numbers; `place_name` is "" where there is no place."""
    if count < floor:
        # The goal must not tell what the count does not.
        goal = goal_for(0, first_goal)
        return Progress(None, goal, rung_above(goal), None, place_name)
    goal = goal_for(count, first_goal)
    shows_local = bool(place_name) and local >= max(floor, 1)
    return Progress(count, goal, rung_above(goal), local if shows_local else None, place_name)
