"""What is wrong with a text, told to the person who wrote it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from toolkit.nearest_name import nearest

_SHOWN = 80
# Stands, while a text is checked, for what is in order.
_CONTROL = re.compile("[\x01-\x03]")


@dataclass(frozen=True)
class TextProblem:
    """One mistake: a sentence for the writer, and the field, key, address or words it is about."""

    message: str
    name: str


def shortened(words: str) -> str:
    """The words on one line, cut where they would flood a message."""
    line = " ".join(_CONTROL.sub("…", words[: 2 * _SHOWN]).split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def unknown_field(name: str, known: Collection[str]) -> TextProblem:
    """The name is in no list of merge fields."""
    message = f"There is no merge field {{{{ {shortened(name)} }}}}."
    near = nearest(name, known)
    return TextProblem(message if near is None else f"{message} Did you mean {{{{ {near} }}}}?", name)


def unknown_key(key: str, known: Collection[str]) -> TextProblem:
    """No source has this key."""
    message = f"No source has the key “{shortened(key)}”."
    near = nearest(key, known)
    return TextProblem(message if near is None else f"{message} Did you mean “{near}”?", key)
