"""Rendering a thousand petitions comes to the very same as rendering each."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Campaign, Organization, Place, Source, Target
from petitions import rendering_many
from petitions.models import Letter, Petition
from petitions.rendering import CompiledLetter, Rendered, library, render
from petitions.rendering_many import Renderer
from toolkit.safe_html import clean

FIELDS = [
    "target.name",
    "target.office|Mayor",
    "target.last_name",
    "place.name",
    "place.region|",
    "nobody",
    "local",
]
PIECES = st.one_of(
    st.sampled_from([f"{{{{ {name} }}}}" for name in FIELDS]),
    st.sampled_from(
        ["[^one]", "[^two]", "[^gone]", "**", "*", "\n\n", "\n", "- ", "> ", "# ", "## ", "1. ", "`", "```\n"]
    ),
    st.sampled_from(
        ["[", "](https://lantern.example/)", "](mailto:a@b.example)", "<b>", "&amp;", "&", "<", "![", "\\"]
    ),
    st.sampled_from(
        ["\n\n{{ local }}\n\n", "\n\n{{ call_to_action }}\n\n", "\n\n---\n\n", "words", " ", "\u00a0"]
    ),
    st.text(max_size=6),
)
MARKDOWN = st.lists(PIECES, max_size=14).map("".join)
LINE = st.lists(PIECES, max_size=4).map(lambda pieces: " ".join("".join(pieces).split("\n")))
VALUE = st.one_of(
    st.sampled_from(
        ["", " ", "Ada", "<b>", "&amp;", "{{ place.name }}", "\u00a0", "[^one]", "**x**", "a\nb", "'\"", "\0"]
    ),
    st.text(max_size=8),
)
SOURCES = [
    Source(key="one", title="Opening hours", url="https://lantern.example/"),
    Source(key="two", authors=["Bo Ek"]),
]


# What is drawn is plain text, so that a failure can be read.
LETTERS = st.fixed_dictionaries(
    {"organization": VALUE, "title": VALUE}
    | dict.fromkeys(
        (
            "headline",
            "lead_in",
            "call_to_action",
            "greeting",
            "closing",
            "signed_by",
            "share_title",
            "share_text",
        ),
        LINE,
    )
    | dict.fromkeys(("statement", "body", "thanks"), MARKDOWN)
)
PETITIONS = st.fixed_dictionaries(
    {"is_group": st.booleans(), "headline": st.just("") | LINE, "local": st.just("") | MARKDOWN}
    | dict.fromkeys(("name", "office", "last_name", "place", "region"), VALUE)
)


def drawn_letter(*, organization: str, title: str, **texts: str) -> Letter:
    campaign = Campaign(organization=Organization(name=organization, parent="from Lamp & Page"), title=title)
    return Letter(campaign=campaign, button="Sign", **texts)


def drawn_petition(
    letter: Letter,
    *,
    is_group: bool,
    name: str,
    place: str,
    region: str,
    headline: str,
    local: str,
    **target: str,
) -> Petition:
    petition = Petition(letter=letter, headline=headline, local=local)
    if is_group:
        petition.addressee = name
    else:
        petition.target = Target(name=name, place=Place(name=place, region=region), **target)
    return petition


@given(letter=LETTERS, many=st.lists(PETITIONS, min_size=1, max_size=4))
def test_each_comes_out_as_if_it_were_the_only_one(
    letter: dict[str, str], many: list[dict[str, Any]]
) -> None:
    written = drawn_letter(**letter)
    compiled, sources = CompiledLetter.of(written), library(SOURCES)
    renderer = Renderer(compiled, sources)

    for fields in many:
        petition = drawn_petition(written, **fields)
        alone = render(petition, compiled=compiled, sources=sources)
        together = renderer.render(petition)

        assert together.fields == alone.fields
        assert together.digest == alone.digest
        for name in ("lead_in_html", "statement_html", "letter_html", "notes_html", "thanks_html"):
            assert clean(getattr(together, name)) == getattr(together, name)


def a_letter(**fields: Any) -> Letter:
    campaign = Campaign(organization=Organization(name="Readers’ Common"), title="Open Sundays")
    body = "Dear {{ target.last_name }}.[^one]\n\n{{ local }}\n\nWe ask {{ place.name }}."
    return Letter(campaign=campaign, **{"headline": "Open {{ place.name }}", "body": body} | fields)


def a_petition(letter: Letter, name: str = "Okafor", **fields: Any) -> Petition:
    place = Place(name=f"{name}ton", region="Westmark")
    return Petition(letter=letter, target=Target(name=f"Ada {name}", last_name=name, place=place), **fields)


@pytest.fixture
def rendered_alone(monkeypatch: pytest.MonkeyPatch) -> list[Petition]:
    """The petitions that could not be filled in."""
    alone: list[Petition] = []

    def counted(petition: Petition, **kwargs: Any) -> Rendered:
        alone.append(petition)
        return render(petition, **kwargs)

    monkeypatch.setattr(rendering_many, "render", counted)
    return alone


def test_petitions_of_one_shape_are_rendered_once(rendered_alone: list[Petition]) -> None:
    letter = a_letter()
    renderer = Renderer(CompiledLetter.of(letter), library(SOURCES))

    pages = [renderer.render(a_petition(letter, name)) for name in ("Okafor", "Lind", "<b>")]
    with_local = [renderer.render(a_petition(letter, local=f"In *{name}*.")) for name in ("A", "B")]

    assert rendered_alone == []
    assert len(renderer.sheets) == 2
    assert "Dear Lind." in pages[1].letter_html
    assert "Dear &lt;b&gt;." in pages[2].letter_html
    assert "<p>In <em>B</em>.</p>" in with_local[1].letter_html


def test_local_paragraph_with_notes_of_its_own_is_rendered_by_itself(rendered_alone: list[Petition]) -> None:
    letter = a_letter()
    petition = a_petition(letter, local="Shut.[^two]")

    page = Renderer(CompiledLetter.of(letter), library(SOURCES)).render(petition)

    assert rendered_alone == [petition]
    assert [note["number"] for note in page.notes] == [1, 2]


def test_letter_that_cleaning_changes_is_cleaned_for_each(
    rendered_alone: list[Petition], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a writer ever make what the cleaner does not take, no value reaches a page uncleaned."""
    letter = a_letter()
    compiled = CompiledLetter.of(letter)
    broken = SimpleNamespace(html=lambda values, **_kwargs: f"<i>{values['target.last_name']}</i>")
    monkeypatch.setitem(vars(compiled), "thanks", broken)

    page = Renderer(compiled, library(SOURCES)).render(a_petition(letter, "<script>x</script>Okafor"))

    assert len(rendered_alone) == 1
    assert page.thanks_html == "Okafor"
