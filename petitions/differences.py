"""What changed between two published texts, word by word."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from petitions.models import Version
from petitions.rendering import Rendered

SHOWN = (
    ("headline", "Headline"),
    ("addressee", "Addressee"),
    ("statement", "Statement"),
    ("letter_text", "Letter and notes"),
    ("call_to_action", "Call to action"),
    ("button", "Button"),
    ("share_title", "Share title"),
    ("share_text", "Share text"),
)
# What a reader sees in a page's markup but not in the texts above: emphasis, links, the lead-in, the thank-you page.
MARKUP = (
    ("lead_in_html", "Lead-in"),
    ("thanks_html", "Thank-you page"),
    ("statement_html", "Statement, formatting"),
    ("letter_html", "Letter, formatting"),
    ("notes_html", "Notes, formatting"),
)
TAGS = re.compile(r"<[^>]*>")

Words = list[tuple[str, str]]


@dataclass(frozen=True)
class Difference:
    """One part of a page that changed, with its text before and after."""

    label: str
    old: str
    new: str

    @cached_property
    def words(self) -> Words:
        return word_diff(self.old, self.new)


def word_diff(old: str, new: str) -> Words:
    """`(op, text)` pairs in reading order; op is "same", "added" or "removed". White space goes with its word."""
    before, after = re.findall(r"\S+\s*", old), re.findall(r"\S+\s*", new)
    # Words that stand everywhere in a long text are no landmarks: with them, a letter takes seconds, in public.
    matcher = difflib.SequenceMatcher(
        None, [word.strip() for word in before], [word.strip() for word in after], autojunk=True
    )
    pairs: Words = []
    for op, a, b, c, d in matcher.get_opcodes():
        if op == "equal":
            pairs.append(("same", "".join(after[c:d])))
            continue
        if a != b:
            pairs.append(("removed", "".join(before[a:b])))
        if c != d:
            pairs.append(("added", "".join(after[c:d])))
    return pairs


def differences(old: Version | Rendered, new: Version | Rendered) -> list[Difference]:
    """The parts that differ. A part whose text is equal but whose markup is not is named as formatting."""
    return list(_differences(old, new))


def _differences(old: Version | Rendered, new: Version | Rendered) -> Iterator[Difference]:
    for name, label in SHOWN:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Difference(label, before, after)
    for name, label in MARKUP:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        plain_before, plain_after = TAGS.sub("", before), TAGS.sub("", after)
        if name.startswith(("lead_in", "thanks")) and plain_before != plain_after:
            yield Difference(label, plain_before, plain_after)
        elif plain_before == plain_after:
            yield Difference(f"{label} (markup)", before, after)
