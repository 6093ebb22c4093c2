"""Notes: their numbers, their lists and how one reads."""

import datetime
import re
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.footnotes import Notes, note_html, note_text
from toolkit.safe_html import clean


@dataclass(frozen=True)
class Publication:
    key: str = "rivera-2026"
    authors: list[str] = field(default_factory=lambda: ["Ana Rivera"])
    title: str = "Sunday Hours"
    publication: str = "The Example Ledger"
    date: datetime.date | None = datetime.date(2026, 1, 27)
    url: str = "https://ledger.example/sunday"
    archived_url: str = ""


RIVERA = Publication()
OKAFOR = replace(RIVERA, key="okafor-2025", authors=["Ben Okafor"], title="A Card for Everyone")


def notes() -> Notes:
    return Notes({source.key: source for source in (RIVERA, OKAFOR)})


def short(**changes: object) -> str:
    """The note's text without its addresses."""
    return note_text(replace(RIVERA, **changes), addresses=False)


def test_a_note_names_authors_title_publication_and_date() -> None:
    assert note_text(RIVERA) == (
        "Ana Rivera, “Sunday Hours,” The Example Ledger, Jan. 27, 2026. https://ledger.example/sunday"
    )


def test_a_note_in_html_links_its_title() -> None:
    assert note_html(RIVERA) == (
        'Ana Rivera, “<a href="https://ledger.example/sunday" rel="nofollow noopener">Sunday Hours</a>,” '
        "<em>The Example Ledger</em>, Jan. 27, 2026."
    )


@pytest.mark.parametrize(
    ("authors", "start"),
    [
        ([], "“Sunday Hours,”"),
        (["", " "], "“Sunday Hours,”"),
        (["Ana Rivera", "Ben Okafor"], "Ana Rivera and Ben Okafor, “Sunday"),
        (["Ana Rivera", "Ben Okafor", "Chi Lam"], "Ana Rivera, Ben Okafor and Chi Lam, “Sunday"),
    ],
)
def test_authors_are_listed_in_their_order(authors: list[str], start: str) -> None:
    assert short(authors=authors).startswith(start)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"date": None}, "Ana Rivera, “Sunday Hours,” The Example Ledger."),
        ({"publication": ""}, "Ana Rivera, “Sunday Hours,” Jan. 27, 2026."),
        ({"publication": "", "date": None}, "Ana Rivera, “Sunday Hours.”"),
        ({"publication": "", "date": None, "title": "Why Not Sunday?"}, "Ana Rivera, “Why Not Sunday?”"),
        ({"title": ""}, "Ana Rivera, The Example Ledger, Jan. 27, 2026."),
        (
            {"publication": "Example Books Inc.", "date": None},
            "Ana Rivera, “Sunday Hours,” Example Books Inc.",
        ),
        ({"authors": [], "title": "", "publication": "", "date": None}, "https://ledger.example/sunday"),
    ],
)
def test_what_is_not_known_is_left_out(changes: dict[str, object], text: str) -> None:
    assert short(**changes) == text


@pytest.mark.parametrize(
    ("month", "written"),
    list(
        enumerate(
            [
                "Jan.",
                "Feb.",
                "March",
                "April",
                "May",
                "June",
                "July",
                "Aug.",
                "Sept.",
                "Oct.",
                "Nov.",
                "Dec.",
            ],
            start=1,
        )
    ),
)
def test_months_are_shortened_as_newspapers_do(month: int, written: str) -> None:
    assert short(date=datetime.date(2026, month, 3)).endswith(f" {written} 3, 2026.")


@pytest.mark.parametrize(
    ("title", "quoted"),
    [
        ('Readers "Love" Sundays', "“Readers ‘Love’ Sundays,”"),
        ("Readers “Love” Sundays", "“Readers ‘Love’ Sundays,”"),
        ('Mayor Promises "Longer Hours"', "“Mayor Promises ‘Longer Hours,’”"),
        ("Mayor Promises “Longer Hours”", "“Mayor Promises ‘Longer Hours,’”"),
        ("Mayor Promises 'Longer Hours'", "“Mayor Promises ‘Longer Hours,’”"),
        ("Mayor Asks, 'Why Not?'", "“Mayor Asks, ‘Why Not?,’”"),
        ('"Open" Means Open', "“‘Open’ Means Open,”"),
        ("The City's Readers' Votes", "“The City’s Readers’ Votes,”"),
        ("A Word From the Readers'", "“A Word From the Readers’,”"),
        ("'Yes' to the Readers'", "“‘Yes’ to the Readers’,”"),
        ("Back in the '90s", "“Back in the ’90s,”"),
        ("'Twas a Sunday", "“’Twas a Sunday,”"),
        ('It ("Sunday") Works', "“It (‘Sunday’) Works,”"),
        ("Can They Be Defended?", "“Can They Be Defended?,”"),
    ],
)
def test_quotes_inside_a_title_are_single_and_the_comma_is_inside(title: str, quoted: str) -> None:
    assert short(title=title) == f"Ana Rivera, {quoted} The Example Ledger, Jan. 27, 2026."


def test_a_final_quotation_takes_the_full_stop_inside() -> None:
    assert short(title='Mayor Says "Yes"', publication="", date=None) == "Ana Rivera, “Mayor Says ‘Yes.’”"


def test_an_archived_copy_is_a_second_address() -> None:
    archived = replace(RIVERA, archived_url="https://archive.example/1")

    assert note_html(archived).endswith(
        '2026. (<a href="https://archive.example/1" rel="nofollow noopener">archived</a>)'
    )
    assert note_text(archived).endswith("https://ledger.example/sunday (archived: https://archive.example/1)")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://ledger.example", "ledger.example", "", "data:text/html,x"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    source = replace(RIVERA, url=url, archived_url=url)
    listed = Notes({"x": source})
    listed.cite("x")

    assert "<a" not in note_html(source)
    assert note_text(source) == note_text(source, addresses=False)
    assert listed.plain()[0]["url"] == listed.plain()[0]["archived_url"] == ""


def test_what_sources_hold_is_escaped() -> None:
    hostile = "<script>alert('x')</script>&"
    source = replace(
        RIVERA, authors=[hostile], title=hostile, publication=hostile, url='https://a.example/"><b>'
    )

    html = note_html(source)

    assert "<script" not in html
    assert "<b>" not in html
    assert clean(html) == html


def test_notes_are_numbered_by_first_use() -> None:
    page = notes()

    assert page.cite("okafor-2025") == (1, 1)
    assert page.cite("rivera-2026") == (2, 1)
    assert page.cite("okafor-2025") == (1, 2)
    assert page.used == ("okafor-2025", "rivera-2026")


def test_asking_for_a_number_is_no_use() -> None:
    page = notes()

    assert page.number("rivera-2026") == 1
    assert page.cite("okafor-2025") == (2, 1)
    assert page.cite("rivera-2026") == (1, 1)


def test_keys_are_the_same_in_capitals() -> None:
    page = notes()

    assert page.cite("Rivera-2026") == (1, 1)
    assert page.cite("RIVERA-2026") == (1, 2)
    assert "rIVERA-2026" in page


def test_an_unknown_key_takes_no_number() -> None:
    page = notes()

    with pytest.raises(KeyError):
        page.cite("nobody")
    assert page.reference_html("nobody") == page.reference_text("nobody") == ""
    assert page.used == ()


def test_references_lead_to_the_note_with_ids_of_their_own() -> None:
    page = notes()

    first, second = page.reference_html("rivera-2026"), page.reference_html("rivera-2026")

    assert first == '<sup><a href="#note-1" id="ref-1" role="doc-noteref" aria-label="Note 1">1</a></sup>'
    assert second == '<sup><a href="#note-1" id="ref-1-2" role="doc-noteref" aria-label="Note 1">1</a></sup>'
    assert page.reference_text("rivera-2026") == "[1]"


def test_the_list_leads_back_to_a_single_use() -> None:
    page = notes()
    page.cite("rivera-2026")

    html = page.html()

    assert html.startswith(
        '<section role="doc-endnotes" aria-labelledby="notes-heading">\n<h2 id="notes-heading">Notes</h2>\n<ol>\n'
        '<li id="note-1">Ana Rivera, '
    )
    assert '<a href="#ref-1" role="doc-backlink" aria-label="Back to text, note 1">↩\ufe0e</a></li>' in html
    assert 'doc-endnote"' not in html


def test_the_list_tells_several_uses_apart() -> None:
    page = notes()
    page.cite("rivera-2026")
    page.cite("rivera-2026")

    html = page.html()

    assert '<a href="#ref-1" role="doc-backlink" aria-label="Back to note 1, use 1">' in html
    assert '<a href="#ref-1-2" role="doc-backlink" aria-label="Back to note 1, use 2">' in html


def test_a_page_without_citations_has_no_list() -> None:
    page = notes()

    assert (page.html(), page.text(), page.plain()) == ("", "", [])


def test_two_lists_on_a_page_share_no_id() -> None:
    def ids(prefix: str) -> set[str]:
        page = Notes({"x": RIVERA}, prefix=prefix)
        return set(
            re.findall(r' id="([^"]+)"', page.reference_html("x") + page.html(heading="Sources", level=3))
        )

    assert not ids("") & ids("update-")


def test_heading_and_its_level_can_be_chosen() -> None:
    page = notes()
    page.cite("rivera-2026")

    html = page.html(heading="Sources & more", level=3)

    assert '<h3 id="notes-heading">Sources &amp; more</h3>' in html
    assert clean(html) == html


def test_the_list_in_plain_text_has_one_note_a_line() -> None:
    page = notes()
    page.cite("okafor-2025")
    page.cite("rivera-2026")

    lines = page.text().splitlines()

    assert lines[:2] == ["Notes", ""]
    assert [line[:8] for line in lines[2:]] == ["[1] Ben ", "[2] Ana "]


def test_notes_as_data_keep_addresses_apart() -> None:
    page = notes()
    page.cite("rivera-2026")

    assert page.plain() == [
        {
            "number": 1,
            "text": "Ana Rivera, “Sunday Hours,” The Example Ledger, Jan. 27, 2026.",
            "url": "https://ledger.example/sunday",
            "archived_url": "",
        }
    ]


sources = st.builds(
    Publication,
    authors=st.lists(st.text(max_size=8), max_size=4),
    title=st.text("\"'“”‘’ aA9?.,<&\x00\ud800"),
    publication=st.text(max_size=8),
    date=st.none() | st.dates(),
    url=st.text() | st.text('htps:/?#[]@"<> .e').map("https://".__add__),
    archived_url=st.text() | st.sampled_from(["https://a.example/\ud800", "https://archive.example/1"]),
)


@given(sources)
def test_no_source_is_too_odd(source: Publication) -> None:
    page = Notes({"x": source})
    page.cite("X")

    html = page.html()

    assert clean(html) == html
    assert page.text().encode()
    assert str(page.plain()).encode()
    assert not re.search(r"<[^>]*(?:javascript:|\son\w+=)", html)
