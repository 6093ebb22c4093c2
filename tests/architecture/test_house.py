"""The rules of the house that no tool knows."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "toolkit", "campaigns", "petitions", "signers", "fraud", "mailings", "staff")
DRAWERS = {"utils", "helpers", "common", "core", "services", "managers", "misc"}
COMMENTS = re.compile(r"\{#.*?#\}|\{% comment.*?endcomment %\}|<!--.*?-->", re.DOTALL)
INLINE = {
    "style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    # Blocks of data are not executed, so the policy lets them be.
    "script without src": re.compile(
        r"<script\b(?![^>]*\ssrc=)(?![^>]*\stype=\"application/(?:ld\+)?json\")", re.IGNORECASE
    ),
    "event handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "javascript: address": re.compile(r"[\"']\s*javascript:", re.IGNORECASE),
}


def templates_of_pages():
    """Every template but those of mails, which have to carry their style with them."""
    folders = [ROOT / "templates", *(ROOT / app / "templates" for app in APPS)]
    return [path for folder in folders for path in folder.rglob("*.html") if "emails" not in path.parts]


def test_no_module_is_a_drawer():
    modules = [path for app in APPS for path in (ROOT / app).rglob("*") if path.suffix in {"", ".py"}]

    assert [str(path.relative_to(ROOT)) for path in modules if path.stem in DRAWERS] == []


@pytest.mark.parametrize("kind", INLINE)
def test_templates_keep_to_the_content_security_policy(kind):
    texts = {path: COMMENTS.sub("", path.read_text()) for path in templates_of_pages()}

    assert texts
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if INLINE[kind].search(text)] == []
