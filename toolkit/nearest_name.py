"""Finding the name somebody probably meant."""

import difflib
from collections.abc import Iterable

# The comparison takes time by the square of the length, and nobody mistypes a longer name.
_LONGEST = 100
_SIMILAR_ENOUGH = 0.6


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name most like this one, or None where nothing is like it; case and punctuation count for nothing."""
    wanted = _letters(name)
    if not wanted:
        return None

    by_letters: dict[str, str] = {}
    for candidate in valid:
        by_letters.setdefault(_letters(candidate), candidate)
    close = difflib.get_close_matches(wanted, by_letters, n=1, cutoff=_SIMILAR_ENOUGH)
    return by_letters[close[0]] if close else None


def _letters(name: str) -> str:
    return "".join(character for character in name[:_LONGEST].casefold() if character.isalnum())
