"""What a parsed text uses, and what in it its writer has to mend."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from toolkit.footnotes import folded_key
from toolkit.markdown_pieces import Citation, lone_field, special
from toolkit.markdown_syntax import DEEPEST
from toolkit.merge_fields import FIELD_PLACE, MergeField, brace_problems
from toolkit.safe_html import link_start
from toolkit.text_problems import TextProblem, shortened, unknown_field, unknown_key

_CITATION_PLACE = "\x02"
_OTHER_PLACE = "\x03"
_WORTH_A_LOOK = re.compile(rf"[{{}}<\[\]]|^{_CITATION_PLACE}:", re.MULTILINE)

_RAW_HTML = re.compile(r"<(?:!--|/[A-Za-z]|[A-Za-z][A-Za-z0-9-]*(?=[\s/>]|\Z))")
_BROKEN_CITATION = re.compile(r"\[\^")
_NOTE_TEXT = re.compile(rf"^{_CITATION_PLACE}:", re.MULTILINE)
_BROKEN_LINK = re.compile(r"\]\(|\] \((?=https?:|mailto:|www\.)")
_LINK_DEFINITION = re.compile(r"^\[[^\[\]\n]{1,200}\]:", re.MULTILINE)
_IN_ADDRESS = re.compile(r"\{\{|%7B%7B|\[\^|%5B%5E|%5B\^|\[%5E", re.IGNORECASE)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A merge field, and whether it has a paragraph to itself."""

    field: MergeField
    alone: bool

    @property
    def is_block(self) -> bool:
        """Whether it names a block, which has no dot, rather than a value."""
        return self.alone and "." not in self.field.name


@dataclass(frozen=True, slots=True)
class LooseText:
    """The text of a paragraph between its fields, citations and code, in which broken syntax shows."""

    text: str


Finding = FieldUse | Citation | LooseText | TextProblem


def findings(tokens: Sequence[Token]) -> tuple[Finding, ...]:
    """Everything worth checking, in reading order."""
    found: list[Finding] = []
    for place, token in enumerate(tokens):
        if token.type == "inline":
            children = token.children or []
            alone = (
                tokens[place - 1].type == "paragraph_open"
                and token.level == 1
                and lone_field(children) is not None
            )
            found += _in_paragraph(children, alone=alone)
    if any(token.nesting == 1 and token.level >= DEEPEST - 1 for token in tokens):
        found.append(TextProblem("Lists or quotations are nested too deeply; use fewer levels.", "nesting"))
    return tuple(found)


def problems(
    found: Sequence[Finding], *, fields: Collection[str], keys: Collection[str], blocks: Collection[str]
) -> list[TextProblem]:
    """The findings that are mistakes, given what may be used; each once."""
    names = [*fields, *blocks]
    known_keys = {folded_key(key) for key in keys}
    result: dict[TextProblem, None] = {}
    for finding in found:
        match finding:
            case TextProblem():
                result[finding] = None
            case FieldUse(field, alone) if field.name in blocks:
                if not alone:
                    result[_not_alone(field.name)] = None
            case FieldUse(field) if field.name not in fields:
                result[unknown_field(field.name, names)] = None
            case Citation(key) if key not in known_keys:
                result[unknown_key(key, keys)] = None
            case LooseText(text):
                result |= dict.fromkeys(brace_problems(text, known=names))
    return list(result)


def _not_alone(name: str) -> TextProblem:
    return TextProblem(
        f"{{{{ {shortened(name)} }}}} has to stand alone, with an empty line before and after it.", name
    )


def _in_paragraph(children: Sequence[Token], *, alone: bool) -> Iterator[Finding]:
    for token in children:
        match special(token):
            case MergeField() as field:
                yield FieldUse(field, alone)
            case Citation() as citation:
                yield citation
            case None if token.type == "link_open":
                yield from _link_problems(str(token.attrs.get("href", "")))
            case None if token.type == "image":
                yield _image_problem(token)
                yield from _in_paragraph(token.children or [], alone=False)
    loose = "".join(_loose(token) for token in children)
    if _WORTH_A_LOOK.search(loose):
        yield LooseText(loose)
        yield from _syntax_problems(loose)


def _loose(token: Token) -> str:
    match token.type:
        case "text":
            return token.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "merge_field":
            return FIELD_PLACE
        case "citation":
            return _CITATION_PLACE
        case "code_inline" | "text_special" | "image":
            return _OTHER_PLACE
        case _:
            return ""


def _link_problems(address: str) -> Iterator[TextProblem]:
    if _IN_ADDRESS.search(address):
        yield TextProblem(
            f"A link address cannot contain a merge field or a citation: {shortened(address)}", address
        )
    elif not link_start(address):
        yield TextProblem(
            f"A link has to begin with https://, http:// or mailto: “{shortened(address)}” is not followed.",
            address,
        )


def _image_problem(token: Token) -> TextProblem:
    address = str(token.attrs.get("src", ""))
    return TextProblem(
        f"Images are not shown in letters: {shortened(address) or 'an image without address'}", address
    )


def _syntax_problems(loose: str) -> Iterator[TextProblem]:
    if tag := _RAW_HTML.search(loose):
        words = _from(loose, tag)
        yield TextProblem(
            f"HTML is shown as it is written, not used: “{words}”. Write Markdown instead.", words
        )
    if broken := _BROKEN_CITATION.search(loose):
        words = _from(loose, broken)
        yield TextProblem(
            f"A citation is not written right near “{words}”. Write it like [^smith-2026].", words
        )
    if _NOTE_TEXT.search(loose):
        words = "[^…]:"
        yield TextProblem(
            "The text of a note comes from its source; leave out lines that begin with [^…]:", words
        )
    if link := _BROKEN_LINK.search(loose):
        words = _from(loose, link)
        yield TextProblem(
            f"A link is not written right near “{words}”. Write it like [words](https://…).", words
        )
    if definition := _LINK_DEFINITION.search(loose):
        words = _from(loose, definition)
        yield TextProblem(f"Write a link as [words](https://…), not as “{words}”.", words)


def _from(loose: str, match: re.Match[str]) -> str:
    """The words a writer will recognise, from the mistake onwards."""
    return shortened(loose[match.start() : match.start() + _SHOWN])
