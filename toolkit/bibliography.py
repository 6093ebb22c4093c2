"""How one source reads in a note: Authors, “Title,” *Publication*, Jan. 27, 2017."""

import datetime
from collections.abc import Sequence
from typing import Protocol

from toolkit.plain_text import one_line
from toolkit.safe_html import escape, link_start

# The Associated Press's short months, which our notes follow.
_MONTHS = (
    *("Jan.", "Feb.", "March", "April", "May", "June"),
    *("July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."),
)
_ELISIONS = ("em", "n", "round", "til", "tis", "twas")


class Source(Protocol):
    """What a note is made from; every text may be empty."""

    @property
    def key(self) -> str: ...
    @property
    def authors(self) -> Sequence[str]: ...
    @property
    def title(self) -> str: ...
    @property
    def publication(self) -> str: ...
    @property
    def date(self) -> datetime.date | None: ...
    @property
    def url(self) -> str: ...
    @property
    def archived_url(self) -> str: ...


def note_html(source: Source) -> str:
    """The note with its title as a link, and a link to the archived copy where there is one."""
    archived = link_start(source.archived_url.strip())
    linked = link_start(source.url.strip())
    parts = _parts(source)
    html = []
    for place, (kind, words) in enumerate(parts):
        before, core, after = _dressed(kind, words, last=place == len(parts) - 1)
        core = f"<em>{escape(core)}</em>" if kind == "publication" else escape(core)
        if linked and kind == _linked_kind(parts):
            core = f"{linked}{core}</a>"
        html.append(f"{before}{core}{escape(after)}")
    if archived:
        html.append(f"({archived}archived</a>)")
    return " ".join(html)


def note_text(source: Source, *, addresses: bool = True) -> str:
    """The note as plain text, followed by its addresses unless they are shown elsewhere."""
    parts = _parts(source)
    text = [
        "".join(_dressed(kind, words, last=place == len(parts) - 1))
        for place, (kind, words) in enumerate(parts)
    ]
    if addresses:
        url, archived = source.url.strip(), source.archived_url.strip()
        text += [one_line(url)] if link_start(url) else []
        text += [f"(archived: {one_line(archived)})"] if link_start(archived) else []
    return " ".join(text)


def _parts(source: Source) -> list[tuple[str, str]]:
    """What is there, in order, as (kind, words)."""
    written = [
        ("authors", _listed([name for author in source.authors if (name := one_line(author))])),
        ("title", _single_quoted(one_line(source.title))),
        ("publication", one_line(source.publication)),
        ("date", _dated(source.date) if source.date else ""),
    ]
    present = [(kind, words) for kind, words in written if words]
    return present or [("address", one_line(source.url) or one_line(source.key))]


def _linked_kind(parts: list[tuple[str, str]]) -> str:
    kinds = [kind for kind, _ in parts]
    return next((kind for kind in ("title", "publication", "address") if kind in kinds), kinds[-1])


def _dressed(kind: str, words: str, *, last: bool) -> tuple[str, str, str]:
    """The words with what stands before and after them; a title takes its comma inside the quotes."""
    if kind == "address":
        return "", words, ""
    quoted = kind == "title" and _ends_in_quotation(words)
    core = words[:-1] if quoted else words
    if last:
        mark = "" if core.endswith((".", "?", "!", "…")) else "."
    else:
        mark = "" if core.endswith(",") else ","
    if quoted:
        return "“", f"{core}{mark}’", "”"
    return ("“", words, f"{mark}”") if kind == "title" else ("", words, mark)


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _dated(date: datetime.date) -> str:
    return f"{_MONTHS[date.month - 1]} {date.day}, {date.year}"


def _single_quoted(title: str) -> str:
    """The title as it stands inside double quotes: its own quotes become ‘single’ ones, apostrophes ’."""
    return "".join(_quote(title, place) if mark in "\"“”„'" else mark for place, mark in enumerate(title))


def _quote(title: str, place: int) -> str:
    mark = title[place]
    if mark in "“„":
        return "‘"
    if mark == "”":
        return "’"
    opens = (place == 0 or title[place - 1] in " \u00a0\t([{—–-/\"'“‘") and title[
        place + 1 : place + 2
    ].strip() != ""
    if mark == "'" and opens:
        opens = not _is_elision(title[place + 1 : place + 8])
    return "‘" if opens else "’"


def _is_elision(following: str) -> bool:
    """Whether an apostrophe, not a quote, begins a word: ’90s, ’tis."""
    word = following.split(" ")[0].rstrip(".,:;!?’'\"").casefold()
    return following[:1].isdigit() or word in _ELISIONS


def _ends_in_quotation(title: str) -> bool:
    """Whether the last mark closes a quotation, and is not the apostrophe of “the Mayors’”."""
    if not title.endswith("’"):
        return False
    open_quotes = 0
    for place, mark in enumerate(title[:-1]):
        if mark == "‘":
            open_quotes += 1
        elif mark == "’" and open_quotes and not title[place + 1].isalnum():
            open_quotes -= 1
    return open_quotes > 0
