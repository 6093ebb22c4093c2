"""Staff's Markdown as HTML and as plain text, and the mistakes in it."""

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.footnotes import Notes
from toolkit.markdown import parse
from toolkit.merge_fields import missing
from toolkit.safe_html import clean


@dataclass(frozen=True)
class Publication:
    key: str
    authors: list[str] = field(default_factory=list)
    title: str = "Sunday Hours"
    publication: str = "The Example Ledger"
    date: datetime.date | None = None
    url: str = "https://ledger.example/"
    archived_url: str = ""


SOURCES = {key: Publication(key) for key in ("a", "b", "rivera-2026")}
VALUES = {"target.name": "Mayor Ana Ruiz", "place.name": "Exampleville"}
BLOCKS: Mapping[str, Callable[[], str]] = {
    "call_to_action": lambda: '<p class="call-to-action"><a class="button" href="#sign">Sign</a></p>\n',
    "local": lambda: "<p>Here at home.</p>\n",
}
FIRST = '<sup><a href="#note-1" id="ref-1" role="doc-noteref" aria-label="Note 1">1</a></sup>'
AGAIN = '<sup><a href="#note-1" id="ref-1-2" role="doc-noteref" aria-label="Note 1">1</a></sup>'
SECOND = '<sup><a href="#note-2" id="ref-2" role="doc-noteref" aria-label="Note 2">2</a></sup>'


def html(text: str, values: Mapping[str, str | None] = VALUES, *, inline: bool = False) -> str:
    return parse(text).html(values, notes=Notes(SOURCES), blocks=BLOCKS, inline=inline)


def line(text: str, values: Mapping[str, str | None] = VALUES) -> str:
    return html(text, values, inline=True)


def plain(text: str, values: Mapping[str, str | None] = VALUES) -> str:
    blocks = {"call_to_action": lambda: "Sign: https://example.org/", "local": lambda: ""}
    return parse(text).text(values, notes=Notes(SOURCES), blocks=blocks)


def problems(text: str) -> list[tuple[str, str]]:
    found = parse(text).problems(fields=list(VALUES), keys=list(SOURCES), blocks=list(BLOCKS))
    return [(problem.name, problem.message) for problem in found]


# Markdown


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        (" \n\n ", ""),
        ("One\ntwo\n\nThree", "<p>One\ntwo</p>\n<p>Three</p>\n"),
        ("One  \ntwo\\\nthree", "<p>One<br>\ntwo<br>\nthree</p>\n"),
        ("**b** _e_ `<c>`", "<p><strong>b</strong> <em>e</em> <code>&lt;c&gt;</code></p>\n"),
        ("- a\n- b\n  - c", "<ul>\n<li>a</li>\n<li>b<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("- a\n\n- b", "<ul>\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n"),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("***", "<hr>\n"),
        ("```\n<a>\n```", "<pre><code>&lt;a&gt;\n</code></pre>\n"),
        ("    not code", "<p>not code</p>\n"),
        ("a\u00a0&amp; b &copy;", "<p>a&nbsp;&amp; b ©</p>\n"),
        ("\"straight\" -- 'quotes'...", "<p>\"straight\" -- 'quotes'...</p>\n"),
        ("| a | b |\n|---|---|", "<p>| a | b |\n|---|---|</p>\n"),
        ("\r\na\r\n\r\nb\rc", "<p>a</p>\n<p>b\nc</p>\n"),
    ],
)
def test_markdown_becomes_html(text: str, written: str) -> None:
    assert html(text) == written


def test_headings_follow_the_page_without_a_gap() -> None:
    assert html("## A\n\n#### B\n\n###### C\n\n## D") == "<h3>A</h3>\n<h4>B</h4>\n<h4>C</h4>\n<h3>D</h3>\n"
    assert parse("# A\n\n## B").html({}, notes=Notes({}), first_heading=2) == "<h2>A</h2>\n<h3>B</h3>\n"


def test_headings_and_paragraphs_without_words_are_left_out() -> None:
    assert html("#\n\n![](https://example.org/x.png)\n\na") == "<p>a</p>\n"


@pytest.mark.parametrize(
    "address", ["https://example.org/?a=1&b=2", "http://example.org", "mailto:desk@example.org"]
)
def test_links_are_kept(address: str) -> None:
    written = html(f"[words]({address})")

    assert f'href="{address.replace("&", "&amp;")}"' in written
    assert problems(f"[words]({address})") == []


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "java&#10;script:x",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:x",
        "ftp://example.org",
        "/petitions/",
        "#sign",
        "www.example.org",
        "//example.org",
        "",
    ],
)
def test_other_links_are_words_and_a_problem(address: str) -> None:
    assert html(f"[words]({address})") == "<p>words</p>\n"
    assert [message for _, message in problems(f"[words]({address})") if "begin with https://" in message]


def test_a_link_without_words_shows_its_address() -> None:
    assert ">https://example.org</a>" in html("[](https://example.org)")
    assert ">https://example.org</a>" in html("<https://example.org>")


def test_a_link_inside_the_words_of_another_is_only_words() -> None:
    written = html("[![[a](https://a.example)](https://b.example)](https://c.example)")

    assert written.count("<a ") == 1
    assert clean(written) == written


def test_images_are_their_words_and_a_problem() -> None:
    assert html("![A **full** room](https://example.org/x.png)") == "<p>A <strong>full</strong> room</p>\n"
    assert problems("![x](https://example.org/x.png)")[0][0] == "https://example.org/x.png"


def test_raw_html_is_shown_as_text_and_a_problem() -> None:
    text = '<script>alert(1)</script>\n\na <b onclick="x">b</b>'

    written = html(text)

    assert "<script" not in written
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in written
    assert len([message for _, message in problems(text) if message.startswith("HTML")]) == 2


def test_a_lone_less_than_sign_is_no_html() -> None:
    assert problems("2 < 3, I <3 libraries, \\<b>, `<b>`") == []


def test_nesting_beyond_measure_is_reported() -> None:
    assert problems("> " * 5) == []
    assert [name for name, _ in problems("> " * 30 + "lost")] == ["nesting"]


# Merge fields


def test_fields_are_filled_wherever_words_stand() -> None:
    text = "# {{ target.name }}\n\n- **{{ target.name }}** [{{ place.name }}](https://example.org)"

    written = html(text)

    assert "<h3>Mayor Ana Ruiz</h3>" in written
    assert "<strong>Mayor Ana Ruiz</strong>" in written
    assert ">Exampleville</a>" in written


def test_fallback_stands_in_for_a_missing_value() -> None:
    assert line("Dear {{ supporter.first_name|friend }},") == "Dear friend,"
    assert line("Dear {{ supporter.first_name|<b>*x* }},") == "Dear &lt;b&gt;*x*,"


def test_fields_in_code_and_behind_a_backslash_stay() -> None:
    assert line("`{{ target.name }}`") == "<code>{{ target.name }}</code>"
    assert line("\\{{ target.name }}") == "{{ target.name }}"
    assert parse("`{{ target.name }}` \\{\\{ place.name }}").fields == ()


@pytest.mark.parametrize(
    "value",
    [
        "<script>alert(1)</script>",
        "*bold* _em_ `code`",
        "[^a]",
        "[words](https://example.org)",
        "{{ place.name }}",
        "# heading",
        "- item",
        '" onmouseover="x',
        "מאיה לוי",
        "&amp; \\*",
    ],
)
def test_values_are_data(value: str) -> None:
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert html("**{{ target.name }}**", {"target.name": value}) == f"<p><strong>{escaped}</strong></p>\n"
    assert plain("**{{ target.name }}**", {"target.name": value}) == value


def test_values_can_always_be_stored() -> None:
    values = {"target.name": "A\x00n\ud800a\r\n\r\nRuiz\u2028"}

    assert line("{{ target.name }}\x00\udfff", values) == "An\ufffda  Ruiz\ufffd"
    assert plain("{{ target.name }}\x00\udfff", values) == "An\ufffda  Ruiz\ufffd"


def test_a_document_names_its_fields_citations_and_blocks() -> None:
    document = parse(
        "{{ target.name }}[^A] in {{ place.name|town }}[^b][^a]\n\n{{ call_to_action }}\n\n{{ local }}\n\n"
        "{{ place.name }}\n\n{{ call_to_action }}"
    )

    assert [field.name for field in document.fields] == ["target.name", "place.name", "place.name"]
    assert document.citations == ("a", "b", "a")
    assert document.blocks == ("call_to_action", "local", "call_to_action")
    assert [field.name for field in missing(document.fields, {})] == ["target.name", "place.name"]


def test_a_field_broken_over_two_lines_is_still_one() -> None:
    assert line("Dear {{\ntarget.name }}") == "Dear Mayor Ana Ruiz"


# Blocks


def test_a_block_takes_the_place_of_its_paragraph() -> None:
    assert html("One\n\n{{ local }}\n\nTwo") == "<p>One</p>\n<p>Here at home.</p>\n<p>Two</p>\n"


def test_an_empty_block_leaves_nothing() -> None:
    document = parse("One\n\n{{ local }}\n\nTwo")

    written = document.html({}, notes=Notes({}), blocks={"local": lambda: ""})

    assert written == "<p>One</p>\n<p>Two</p>\n"
    assert document.text({}, notes=Notes({}), blocks={"local": lambda: ""}) == "One\n\nTwo"


def test_notes_inside_a_block_count_in_reading_order() -> None:
    notes = Notes(SOURCES)
    local = parse("Here[^b].")
    blocks = {"local": lambda: local.html({}, notes=notes)}

    written = parse("One[^a].\n\n{{ local }}\n\nTwo[^b][^rivera-2026].").html({}, notes=notes, blocks=blocks)

    assert notes.used == ("a", "b", "rivera-2026")
    assert 'id="ref-2"' in written
    assert 'id="ref-2-2"' in written


def test_a_paragraph_of_one_value_is_a_paragraph_or_nothing() -> None:
    assert html("{{ target.name }}") == "<p>Mayor Ana Ruiz</p>\n"
    assert html("{{ target.name }}", {}) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Please {{ call_to_action }} now",
        "- {{ call_to_action }}",
        "# {{ local }}",
        "{{ local }}\n{{ local }}",
    ],
)
def test_a_block_among_other_words_is_a_problem(text: str) -> None:
    assert "has to stand alone" in problems(text)[0][1]
    assert "Here at home" not in html(text)


def test_blocks_have_no_place_in_a_line() -> None:
    assert line("{{ call_to_action }}\n\nOne") == "One"


# Citations


def test_a_source_cited_twice_keeps_its_number() -> None:
    assert html("One[^a], two[^b], one[^A].") == f"<p>One{FIRST}, two{SECOND}, one{AGAIN}.</p>\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("- item[^a]", f"<ul>\n<li>item{FIRST}</li>\n</ul>\n"),
        ("**bold[^a]**", f"<p><strong>bold{FIRST}</strong></p>\n"),
        ("# head[^a]", f"<h3>head{FIRST}</h3>\n"),
        ("Act now![^a]", f"<p>Act now!{FIRST}</p>\n"),
        ("[^a][^b]", f"<p>{FIRST}{SECOND}</p>\n"),
        ("[^a](https://example.org)", f"<p>{FIRST}(https://example.org)</p>\n"),
        ("![^a](https://example.org)", f"<p>!{FIRST}(https://example.org)</p>\n"),
        ("[^a]: text", f"<p>{FIRST}: text</p>\n"),
        ("\\[^a]", "<p>[^a]</p>\n"),
        ("`[^a]`", "<p><code>[^a]</code></p>\n"),
        ("[^nobody] [^]", "<p> [^]</p>\n"),
    ],
)
def test_citations_stand_wherever_words_do(text: str, written: str) -> None:
    assert html(text) == written


def test_a_citation_in_the_words_of_a_link_follows_the_link() -> None:
    link = '<a href="https://example.org" rel="nofollow noopener">'

    assert line("[see [^a] here](https://example.org).") == f"{link}see  here</a>{FIRST}."
    assert line("[[^a]](https://example.org)") == f"{link}https://example.org</a>{FIRST}"


def test_a_statement_is_rendered_without_paragraphs() -> None:
    assert line("Keep **one**[^a].\n\nKeep two.") == f"Keep <strong>one</strong>{FIRST}.<br>Keep two."


def test_one_document_serves_many_petitions() -> None:
    document = parse("{{ target.name }}[^a]")

    written = [document.html({"target.name": name}, notes=Notes(SOURCES)) for name in ("Ana", "Ben")]

    assert written == [f"<p>Ana{FIRST}</p>\n", f"<p>Ben{FIRST}</p>\n"]


# Mistakes


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (
            "**{{ target.nmae }}**",
            "target.nmae",
            "There is no merge field {{ target.nmae }}. Did you mean {{ target.name }}?",
        ),
        (
            "{{ call_to_acton }}",
            "call_to_acton",
            "There is no merge field {{ call_to_acton }}. Did you mean {{ call_to_action }}?",
        ),
        (
            "x[^rivera-2025]",
            "rivera-2025",
            "No source has the key “rivera-2025”. Did you mean “rivera-2026”?",
        ),
        (
            "x[^Rivera 2026]",
            "rivera 2026",
            "No source has the key “rivera 2026”. Did you mean “rivera-2026”?",
        ),
    ],
)
def test_unknown_names_are_reported_with_the_nearest(text: str, name: str, message: str) -> None:
    assert problems(text) == [(name, message)]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Dear {{ target.name", "not written right near “{{ target.name”"),
        ("Dear target.name }}", "not written right near “Dear target.name }}”"),
        ("{{{ target.name }}}", "not written right"),
        ("Dear **{{** target.name }}", "Did you mean {{ target.name }}?"),
        ("Dear {target.name}", "needs two braces"),
        ("x[^a", "citation is not written right near “[^a”"),
        ("Words\n[^a]: Rivera, 2026", "text of a note comes from its source"),
        ("[words](https://example.org/a b)", "link is not written right near “](https"),
        ("[words] (https://example.org/a)", "link is not written right"),
        ("[one [two](https://example.org) three](https://example.org)", "link is not written right"),
        ("[words]: https://example.org", "Write a link as [words]"),
        ("[x](https://example.org/{{ target.name }})", "cannot contain a merge field"),
        ("[x](https://example.org/{{target.name}}/y)", "cannot contain a merge field"),
        ("<https://example.org/{{target.name}}>", "cannot contain a merge field"),
        ("[x](https://example.org/[^a])", "cannot contain a merge field or a citation"),
        ("![{{ target.nmae }}](https://example.org/x.png)", "There is no merge field"),
    ],
)
def test_broken_syntax_is_reported(text: str, part: str) -> None:
    assert any(part in message for _, message in problems(text))


def test_each_mistake_is_reported_once_in_reading_order() -> None:
    assert [name for name, _ in problems("[^x] {{ y.z }}\n\n{{ y.z }} [^x] [^q]")] == ["x", "y.z", "q"]


def test_a_right_letter_has_no_problems() -> None:
    text = (
        "# Dear {{ target.name }}\n\nA **bold[^a]** ask{see} of [words](https://example.org).\n\n- [^Rivera-2026]\n\n"
        "{{ call_to_action }}\n\n{{ local }}\n\n[ ] not yet :-} 2 < 3 [brackets] (and more) a: b"
    )

    assert problems(text) == []


# Plain text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("One\ntwo  \nthree\n\nFour", "One two\nthree\n\nFour"),
        ("# Head\n\n**b** _e_ `c` &amp; \\*", "Head\n\nb e c & *"),
        ("a\n\n- b\n- c\n  - d\n\ne", "a\n\n• b\n• c\n  • d\n\ne"),
        ("9. a\n10. b\n    c", "9. a\n10. b c"),
        ("- a\n\n  b\n\n- c", "• a\n\n  b\n\n• c"),
        ("- - a", "• • a"),
        ("> a  \n> b", "> a\n> b"),
        ("> a\n\n***\n\n- b\\\n  c", "> a\n\n* * *\n\n• b\n  c"),
        ("```\na\n\nb\n```", "a\n\nb"),
        ("[words](https://example.org).", "words (https://example.org)."),
        ("[write](mailto:desk@example.org)", "write (desk@example.org)"),
        ("<https://example.org> <desk@example.org>", "https://example.org desk@example.org"),
        ("[](https://example.org)", "https://example.org"),
        ("[words](javascript:x)", "words"),
        ("![a room](https://example.org/x.png)", "a room"),
        ("One[^b], two[^a], one[^b], none[^x].", "One[1], two[2], one[1], none."),
        ("{{ local }}\n\n{{ call_to_action }}\n\n{{ target.name }}\n\n{{ target.none }}\n\na", ""),
    ],
)
def test_markdown_becomes_plain_text(text: str, written: str) -> None:
    expected = written or "Sign: https://example.org/\n\nMayor Ana Ruiz\n\na"

    assert plain(text) == expected


def test_plain_text_takes_the_numbers_of_the_page_and_counts_no_use() -> None:
    notes = Notes(SOURCES)
    letter, thanks = parse("One[^a]."), parse("Two[^b], one[^a].")
    letter.html({}, notes=notes)

    assert thanks.text({}, notes=notes) == "Two[2], one[1]."
    assert notes.html().count("doc-backlink") == 1


# Anything at all


class Structure(HTMLParser):
    """Collects what the oddest text must not smuggle in."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.suspicious: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name.startswith("on") or name == "style" or "javascript:" in (value or ""):
                self.suspicious.append(f"{name}={value}")
        if tag in ("script", "style", "img", "iframe"):
            self.suspicious.append(tag)


SNIPPETS = [
    *(
        "[^a]",
        "[^b]",
        "[^",
        "^",
        "{{ target.name }}",
        "{{ local }}",
        "{{",
        "}}",
        "|",
        "{",
        "\n",
        "\n\n",
        "  \n",
        "    ",
    ),
    *(
        "- ",
        "1. ",
        "> ",
        "# ",
        "## ",
        "***",
        "**",
        "*",
        "_",
        "`",
        "```\n",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "<",
        ">",
        "\\",
    ),
    *(
        "https://example.org",
        "javascript:x",
        "mailto:a@b.example",
        "<script>",
        " onclick=x ",
        '"',
        "'",
        "&amp;",
        "&#0;",
    ),
    *(
        "\x00",
        "\ud800",
        "\u00a0",
        "é",
        "\u202e",
        "word",
        " ",
        "\t",
        "=\n",
        "---\n",
        ":",
        "&lt;",
        "http://[",
        "xn--\u00df",
    ),
]
odd_texts = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=4), max_size=40).map("".join)


@given(odd_texts, odd_texts)
@example("[" * 3_000 + "a" + "](x)" * 3_000, "<" * 1000)
@example("> - " * 3_000, "")
@example("**{{ target.name }}[^a]\n" * 1_000, "\ud800")
def test_no_text_is_too_odd(text: str, value: str) -> None:
    document = parse(text)
    notes = Notes(SOURCES)
    values = dict.fromkeys((found.name for found in document.fields), value)

    page = document.html(values, notes=notes, blocks=BLOCKS)
    structure = Structure()
    structure.feed(page + notes.html())

    assert clean(page) == page
    assert structure.suspicious == []
    assert len(set(structure.ids)) == len(structure.ids)
    assert "\x00" not in document.text(values, notes=notes).encode().decode()
    assert all(message.encode() for _, message in problems(text))


@given(odd_texts, odd_texts)
def test_no_statement_is_too_odd(text: str, value: str) -> None:
    written = line(text, {"target.name": value})

    assert clean(written) == written
    assert not re.search(r"<(?:p|ul|ol|li|h\d|blockquote|pre|section)\b", written)
