"""Our Markdown: CommonMark without raw HTML, indented code and reference links, but with merge fields and citations."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, image
from markdown_it.token import Token

from toolkit.merge_fields import field_at

# Block levels nested deeper than this are left out of the text, and reported.
DEEPEST = 20

_CITATION = re.compile(r"\[\^([^\[\]{}\\`\n]{1,100})\]")
# An address with a merge field in it may hold blanks, which no other address may.
_ADDRESS_WITH_FIELD = re.compile(r"\(([^()\s{}]{0,2000}\{\{[^{}\n]{0,200}\}\}[^()\s]{0,2000})\)")
_BLANKS = re.compile(r"[ \t\n]*")


def read(text: str) -> list[Token]:
    """The tokens of a storable text. Ours are `merge_field` (meta: field) and `citation` (meta: key, as written)."""
    return _PARSER.parse(text)


class _Parser(MarkdownIt):
    """Takes every address as a link; what may be followed is decided by `safe_html`, and the rest is reported."""

    def validateLink(self, url: str) -> bool:
        return True


def _merge_field(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "{":
        return False
    field = field_at(state.src, state.pos)
    if field is None or state.pos + len(field.raw) > state.posMax:
        return False
    if not silent:
        state.push("merge_field", "", 0).meta = {"field": field}
    state.pos += len(field.raw)
    return True


def _citation(state: StateInline, silent: bool) -> bool:
    match = _CITATION.match(state.src, state.pos, state.posMax)
    if match is None or not match.group(1).strip():
        return False
    if not silent:
        state.push("citation", "", 0).meta = {"key": match.group(1).strip()}
    state.pos = match.end()
    return True


def _image(state: StateInline, silent: bool) -> bool:
    """An exclamation mark before a citation is the end of a sentence, not the start of an image."""
    return not state.src.startswith("![^", state.pos) and image(state, silent)


def _link(state: StateInline, silent: bool) -> bool:
    """`[words](address)`, and no other kind of link; a title after the address is dropped."""
    if state.src[state.pos] != "[":
        return False
    label_end = _label_end(state)
    if label_end < 0 or not state.src.startswith("(", label_end + 1):
        return False
    found = _address(state, label_end + 1)
    if found is None:
        return False
    address, end = found
    if not silent:
        _push_link(state, address, label_end)
    state.pos = end
    return True


def _push_link(state: StateInline, address: str, label_end: int) -> None:
    whole = state.posMax
    state.pos, state.posMax = state.pos + 1, label_end
    state.push("link_open", "a", 1).attrs = {"href": address}
    state.linkLevel += 1
    state.md.inline.tokenize(state)
    state.linkLevel -= 1
    state.push("link_close", "a", -1)
    state.posMax = whole


def _label_end(state: StateInline) -> int:
    """Where the words of a link end, or -1. Like markdown-it's own, but a citation may stand among the words."""
    start, end, level = state.pos, -1, 1
    state.pos += 1
    while state.pos < state.posMax:
        here, mark = state.pos, state.src[state.pos]
        if mark == "]":
            level -= 1
            if level == 0:
                end = here
                break
        state.md.inline.skipToken(state)
        if mark == "[":
            if state.pos == here + 1:
                level += 1
            elif not _CITATION.match(state.src, here):
                break
    state.pos = start
    return end


def _address(state: StateInline, start: int) -> tuple[str, int] | None:
    """The address in the parentheses that open at start, and the position after them."""
    if with_field := _ADDRESS_WITH_FIELD.match(state.src, start, state.posMax):
        return with_field.group(1), with_field.end()
    helpers, src = state.md.helpers, state.src
    position = _after_blanks(state, start + 1)
    if src.startswith(")", position, state.posMax):
        return "", position + 1
    destination = helpers.parseLinkDestination(src, position, state.posMax)
    if not destination.ok:
        return None
    after = _after_blanks(state, destination.pos)
    title = helpers.parseLinkTitle(src, after, state.posMax)
    if after > destination.pos and title.ok:
        after = _after_blanks(state, title.pos)
    if after >= state.posMax or src[after] != ")":
        return None
    return state.md.normalizeLink(destination.str), after + 1


def _after_blanks(state: StateInline, position: int) -> int:
    match = _BLANKS.match(state.src, position, state.posMax)
    return match.end() if match else position


def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "maxNesting": DEEPEST})
    # `reference` would swallow "[^key]: …" and lets a short text grow without bound; `text_join` would make
    # an escaped "\{{" look like braces; `code` turns a paragraph indented by four blanks into code.
    parser.disable(["code", "html_block", "html_inline", "reference", "text_join"])
    parser.inline.ruler.at("link", _link)
    parser.inline.ruler.at("image", _image)
    parser.inline.ruler.before("link", "citation", _citation)
    parser.inline.ruler.before("link", "merge_field", _merge_field)
    return parser


_PARSER = _parser()
