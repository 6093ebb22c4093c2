"""What may be stored as HTML, and what is taken away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.plain_text import storable
from toolkit.safe_html import clean, escape, link_start


@pytest.mark.parametrize(
    "html",
    [
        "<p>One <strong>two</strong> <em>three</em><br>\nfour &amp; &lt; &gt; &nbsp; \"quoted\" 'too'</p>",
        '<ul>\n<li>a<ol start="3">\n<li>b</li>\n</ol>\n</li>\n</ul>',
        "<h2>a</h2><h3>b</h3><h4>c</h4><hr><blockquote><p>d</p></blockquote><pre><code>e\n</code></pre>",
        '<a href="mailto:desk@example.org">a</a>',
        '<a href="https://example.org/?a=1&amp;b=2" rel="nofollow noopener">b</a>',
        '<p class="call-to-action"><a class="button" href="#sign">Sign</a></p>',
        '<sup><a href="#note-3" id="ref-3-2" role="doc-noteref" aria-label="Note 3">3</a></sup>',
        '<section role="doc-endnotes" aria-labelledby="notes-heading"><h2 id="notes-heading">Notes</h2></section>',
        '<ol><li id="note-3">x <a href="#ref-3" role="doc-backlink" aria-label="Back to text, note 3">↩</a></li></ol>',
        '<a href="#update-ref-3" role="doc-backlink" aria-label="Back to note 3, use 2">↩<sup>2</sup></a>',
    ],
)
def test_what_we_make_passes_unchanged(html: str) -> None:
    assert clean(html) == html


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("a<script>alert(1)</script>b", "ab"),
        ("a<style>p{}</style>b", "ab"),
        ("<p onclick=x style=y title=z id=sign-form>a</p>", "<p>a</p>"),
        ('<a href="javascript:alert(1)">a</a>', "<a>a</a>"),
        ('<a href=" java\tscript:alert(1)">a</a>', "<a>a</a>"),
        ('<a href="data:text/html,x">a</a>', "<a>a</a>"),
        ('<a href="/relative">a</a>', "<a>a</a>"),
        ('<a href="//example.org">a</a>', "<a>a</a>"),
        (
            '<a href="https://example.org/" target=_blank rel="opener">a</a>',
            '<a href="https://example.org/">a</a>',
        ),
        (
            '<a id="sign" role="button" class="nav button" aria-label="Log in">a</a>',
            '<a class="button">a</a>',
        ),
        ('<img src="https://example.org/x.png"><iframe src=x></iframe><svg/onload=x>a</svg>', "a"),
        ("<h1>a</h1><div>b</div><form><input></form>", "ab"),
        ("<!-- a -->b<![CDATA[c]]>", "b"),
        ("a\x00b\ud800c", "ab\ufffdc"),
    ],
)
def test_all_else_is_taken_away(html: str, left: str) -> None:
    assert clean(html) == left


@given(st.text())
def test_escaped_text_is_already_clean(text: str) -> None:
    escaped = escape(storable(text))

    assert clean(escaped) == escaped


@pytest.mark.parametrize(
    "address", ["https://example.org", "HTTP://example.org/a?b=c#d", "mailto:desk@example.org"]
)
def test_an_address_that_may_be_followed_opens_a_link(address: str) -> None:
    assert link_start(address).startswith(f'<a href="{address}"')


@pytest.mark.parametrize(
    "address",
    [
        "",
        " https://example.org",
        "https://",
        "https:///x",
        "http://[1",
        "https://exa mple.org",
        "www.example.org",
        "//example.org",
        "/petitions/",
        "#sign",
        "javascript:alert(1)",
        "JAVASCRIPT://example.org/%0aalert(1)",
        "data:text/html,x",
        "ftp://example.org",
        "tel:123",
        "https://example.org/\ud800",
        "https://example.org/\x00",
    ],
)
def test_any_other_address_opens_none(address: str) -> None:
    assert link_start(address) == ""


def test_an_address_cannot_leave_its_attribute() -> None:
    assert '"onclick' not in link_start('https://example.org/"onclick="x')
