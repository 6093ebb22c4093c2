"""docs/privacy.md says what is true of the models."""

import re
from pathlib import Path

import pytest
from django.apps import apps

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "privacy.md").read_text()
SECTIONS = {
    part.partition("\n")[0].strip(): part for part in re.split(r"^#{2,3} ", DOCUMENT, flags=re.MULTILINE)
}
WITH_PEOPLE = [model for model in apps.get_models() if getattr(model, "PERSONAL_FIELDS", None)]


def documented(model: str) -> set[str]:
    """The fields in the first column of the model's table."""
    rows = re.findall(r"^\| (`.*?) \|", SECTIONS[model], flags=re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize("model", WITH_PEOPLE, ids=lambda model: model.__name__)
def test_every_personal_field_is_documented_and_the_other_way_round(model):
    assert documented(model.__name__) == set(model.PERSONAL_FIELDS)


def test_every_section_about_a_table_is_about_one_of_ours():
    tables = re.findall(r"^### (\w+)$", DOCUMENT, flags=re.MULTILINE)

    assert sorted(tables) == sorted(model.__name__ for model in WITH_PEOPLE)
