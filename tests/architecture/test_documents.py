"""The documents speak of things that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?:\]\(|src=\")([^)\"#:]+)[)#\"]")
# `signers/folding.py` and the like; what a running site writes, under var/, is not in the repository.
PATH = re.compile(r"`((?!var/)[\w.-]+(?:/[\w.-]+)+\.(?:py|md|conf|service|css|js|toml))`")
TARGET = re.compile(r"`make ([a-z-]+)")


def name(document):
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    links = LINK.findall(document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_named_files_exist(document):
    paths = PATH.findall(document.read_text())
    homes = [ROOT, *(path for path in ROOT.iterdir() if path.is_dir())]

    assert [path for path in paths if not any((home / path).exists() for home in homes)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_named_commands_exist(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))

    assert set(TARGET.findall(document.read_text())) <= targets


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))
