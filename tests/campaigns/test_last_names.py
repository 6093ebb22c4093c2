"""The part of a name that follows an office."""

import pytest

from campaigns.last_names import LONGEST, guess_last_name
from campaigns.models import Target
from tests.factories import make_campaign, make_place


@pytest.mark.parametrize(
    ("name", "last_name"),
    [
        ("Ada Okafor", "Okafor"),
        ("Jan van der Berg", "van der Berg"),
        ("Ada Okafor, Jr.", "Okafor"),
        ("Ada", "Ada"),
        ("", ""),
    ],
)
def test_last_name_is_the_last_word_with_what_belongs_to_it(name, last_name):
    assert guess_last_name(name) == last_name


def test_a_name_of_one_endless_word_can_be_stored(db):
    target = Target.objects.create(campaign=make_campaign(), place=make_place(), name="A" * 160)

    assert len(target.last_name) == LONGEST
