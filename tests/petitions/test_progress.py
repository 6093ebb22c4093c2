"""The goal ladder and what is shown."""

import pytest

from petitions.models import Petition, Tally
from petitions.progress import goal_for, progress_of, rung_above


@pytest.mark.parametrize(
    ("count", "goal"),
    [(0, 100), (99, 100), (100, 150), (150, 250), (999, 1000), (1000, 1500), (1204, 1500), (7500, 10_000)],
)
def test_goal_climbs_the_ladder(count: int, goal: int) -> None:
    assert goal_for(count, None) == goal


def test_staff_goal_stands_until_it_is_reached() -> None:
    assert goal_for(0, 320) == 320
    assert goal_for(319, 320) == 320
    assert goal_for(320, 320) == 500


def test_a_small_first_goal_is_respected() -> None:
    assert goal_for(3, 20) == 20
    assert goal_for(20, 20) == 25


@pytest.mark.parametrize("number", range(0, 20_000, 37))
def test_every_rung_is_above(number: int) -> None:
    assert number < rung_above(number) <= max(10, number * 2)


def test_below_the_floor_nothing_is_shown(petition: Petition) -> None:
    petition.tally = Tally(petition=petition, count=9, local=4)
    petition.campaign.count_floor = 10

    progress = progress_of(petition)

    assert progress.as_json() == {"count": None, "goal": 100, "local": None}
    assert progress.percent == 0


def test_from_the_floor_on_the_number_is_shown(petition: Petition) -> None:
    petition.tally = Tally(petition=petition, count=1204, local=312)
    petition.campaign.count_floor = 10

    progress = progress_of(petition)

    assert progress.as_json() == {"count": 1204, "goal": 1500, "local": 312}
    assert progress.next_goal == 2500
    assert progress.percent == 80


def test_local_share_keeps_the_floor_too(petition: Petition) -> None:
    petition.tally = Tally(petition=petition, count=1204, local=9)
    petition.campaign.count_floor = 10

    assert progress_of(petition).local is None


def test_a_petition_without_tally_starts_at_zero(petition: Petition) -> None:
    assert progress_of(petition).as_json() == {"count": 0, "goal": 100, "local": None}
