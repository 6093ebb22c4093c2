"""The collected style sheet: one file, in the order of its imports, saying what the sources say."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from config.static_files import squeezed

SOURCES = Path(__file__).resolve().parents[2] / "static" / "css"


@pytest.fixture
def collected(settings, tmp_path: Path) -> str:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "config.static_files.CollectedStaticFiles"}
    }
    call_command("collectstatic", interactive=False, stdout=StringIO())
    (hashed,) = tmp_path.glob("css/site.*.css")
    return hashed.read_text()


def test_collected_style_sheet_is_one_file(collected):
    assert "@import" not in collected
    assert collected.startswith("@layer tokens,base,layout,components,print;")


def test_collected_style_sheet_names_its_fonts_by_content(collected):
    assert re.search(r"brygada-1918\.[0-9a-f]{12}\.woff2", collected)


def test_every_source_is_in_the_collected_style_sheet(collected):
    # The admin has style sheets of its own.
    sources = [
        path
        for path in SOURCES.glob("*.css")
        if path.name != "site.css" and not path.name.startswith("admin")
    ]

    assert sources
    for source in sources:
        selectors = re.findall(r"^\s*(\.[a-z_-]+) \{", source.read_text(), re.MULTILINE)
        assert all(selector in collected for selector in selectors), source.name


def test_squeezing_takes_comments_and_spaces_only():
    css = "/* why */\na {\n  color: red;\n  width: calc(1px + 2px);\n}\n"

    assert squeezed(css) == "a{color: red;width: calc(1px + 2px);}\n"


def test_no_string_in_a_source_would_be_changed_by_squeezing():
    for source in SOURCES.glob("*.css"):
        for string in re.findall(r'"[^"\n]*"', source.read_text()):
            assert squeezed(string) == string + "\n", source.name


def test_only_tokens_hold_raw_colors_and_fonts():
    for source in SOURCES.glob("*.css"):
        if source.name != "tokens.css":
            assert not re.search(
                r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(|font-family:(?! var)", source.read_text()
            ), source.name
