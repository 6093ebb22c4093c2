"""Merge fields and the one-line texts that hold them: `{{ target.name }}`, `{{ supporter.first_name|friend }}`."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from toolkit.plain_text import one_line, storable
from toolkit.text_problems import TextProblem, shortened, unknown_field

# Stands for a well-formed field; storable text cannot contain it.
FIELD_PLACE = "\x01"

# Around the fallback of a value that only the reader's own copy knows; private use, so no text of staff has them.
LATER_BEGINS, LATER_ENDS = "\ue000", "\ue001"

_FIELD = re.compile(r"\{\{([^{}|]*)(?:\|([^{}]*))?\}\}")
_STRAY_BRACES = re.compile(rf"\{{\{{|\}}\}}|\{{{FIELD_PLACE}|{FIELD_PLACE}\}}")
_SINGLE_BRACES = re.compile(r"\{([^{}|]*)(?:\|[^{}]*)?\}")
_SHOWN = 40


class Later(str):
    """A value that is not known yet: the field leaves a mark with its fallback, for `filled_later`."""

    __slots__ = ()


LATER = Later()
_LATER_MARK = re.compile(f"{LATER_BEGINS}([^{LATER_ENDS}]*){LATER_ENDS}")


def filled_later(text: str, value: str) -> str:
    """The text with the value, or each mark's fallback where there is none, in the places that `LATER` left."""
    return _LATER_MARK.sub(lambda match: value or match[1], text)


@dataclass(frozen=True)
class MergeField:
    """A place to be filled. Without a fallback (None) a value must be there; an empty fallback may stay empty."""

    name: str
    fallback: str | None
    raw: str

    def filled(self, values: Mapping[str, str | None]) -> str:
        """The value on one line, as it is; the fallback where it is missing or blank."""
        value = values.get(self.name)
        if isinstance(value, Later):
            return f"{LATER_BEGINS}{self.fallback or ''}{LATER_ENDS}"
        return (one_line(str(value)) if value is not None else "") or self.fallback or ""


def field_at(text: str, position: int) -> MergeField | None:
    """The field that begins exactly there."""
    match = _FIELD.match(text, position)
    return _field(match) if match else None


def find(text: str) -> tuple[MergeField, ...]:
    """Every field of a plain text, repeats included, in order."""
    return tuple(field for match in _FIELD.finditer(storable(text)) if (field := _field(match)))


def fill(text: str, values: Mapping[str, str | None]) -> str:
    """The plain text with its fields filled, in one pass: braces inside a value stay what they are."""

    def filled(match: re.Match[str]) -> str:
        field = _field(match)
        return field.filled(values) if field else match.group()

    return _FIELD.sub(filled, storable(text))


def problems(text: str, *, known: Collection[str]) -> list[TextProblem]:
    """Unknown fields and broken braces of a plain text, each once."""
    unknown = [unknown_field(field.name, known) for field in find(text) if field.name not in known]
    return list(dict.fromkeys([*unknown, *brace_problems(without_fields(text), known=known)]))


def missing(fields: Iterable[MergeField], values: Mapping[str, str | None]) -> list[MergeField]:
    """The fields that would stay empty by mistake: no value, no fallback. Each name once."""
    empty = (field for field in fields if field.fallback is None and not field.filled(values))
    return list({field.name: field for field in empty}.values())


def without_fields(text: str) -> str:
    """The text with `FIELD_PLACE` for every well-formed field: what `brace_problems` looks at."""
    return _FIELD.sub(lambda match: FIELD_PLACE if _field(match) else match.group(), storable(text))


def brace_problems(text: str, *, known: Collection[str]) -> list[TextProblem]:
    """Braces that look like a merge field gone wrong."""
    found = []
    if stray := _STRAY_BRACES.search(text):
        words = _around(text, stray)
        message = f"A merge field is not written right near “{words}”. Write it like {{{{ target.name }}}}."
        found.append(TextProblem(message, words))
    for match in _SINGLE_BRACES.finditer(text):
        name = match.group(1).strip()
        if name in known:
            found.append(TextProblem(f"{{{name}}} needs two braces on each side: {{{{ {name} }}}}.", name))
    return found


def _field(match: re.Match[str]) -> MergeField | None:
    name, fallback = match.groups()
    name = " ".join(name.split())
    if not name:
        return None
    return MergeField(name, None if fallback is None else one_line(fallback), match.group())


def _around(text: str, braces: re.Match[str]) -> str:
    """The words a writer will recognise: after opening braces, before closing ones."""
    if braces.group().startswith("{"):
        return shortened(text[braces.start() : braces.end() + _SHOWN])
    return shortened(text[max(0, braces.start() - _SHOWN) : braces.end()])
