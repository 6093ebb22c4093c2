"""Names as people write them, in any script, made safe to show in lists and to put into mail."""

import re
import unicodedata

from django.core.exceptions import ValidationError

MAX_LENGTH = 80
_MORE_THAN_ANY_NAME = 2_000  # beyond this the text is not even looked at
_MOST_MARKS_IN_A_ROW = 4  # pointed Hebrew and Vietnamese need three; dozens paint over the lines around them

# Most names on the hot path; the rules below would change nothing about them.
_CERTAINLY_A_NAME = re.compile(r"[A-Za-z]+(?:[ '-][A-Za-z]+)*", re.ASCII)
# Letters without a shape: a name of these looks empty. (Hangul and Khmer fillers, combining grapheme joiner.)
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
_JOINERS = frozenset("\u200c\u200d")
# Arabic to Mongolian, and the later Indic blocks: the scripts in which a joiner changes how a name is written.
_SCRIPTS_WITH_JOINERS = ((0x0600, 0x18AF), (0xA800, 0xABFF), (0x10A00, 0x11FFF))
_HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_VARIATION_SELECTORS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))

# Endings that only addresses have; "St.John" and "J.R.Smith" must pass. Two-letter ones need a longer word before
# them, for "M.de Vries" typed without a space.
_LONG_ENDINGS = (
    "com|net|org|info|biz|xyz|top|shop|store|site|online|website|club|link|live|app|dev|click|win|vip|icu|pro|work"
    "|space|tech|news|blog|casino|bet|loan|buzz|life|page|cloud|edu|gov|рф|онлайн|сайт"
)
_SHORT_ENDINGS = (
    "co|io|me|ly|gg|to|tv|cc|ws|ru|su|cn|tk|ml|ga|cf|gq|us|uk|eu|de|fr|nl|at|ch|pl|cz|it|es|se|in|ai|gl"
)
_ADDRESS = re.compile(
    r"://|\bwww\d*\.|@|[<>]"
    r"|\b(?:https?|ftp|mailto|javascript|data|tel|sms)\s*:"
    rf"|[\w-]\.(?:{_LONG_ENDINGS})(?!\w)"
    rf"|[\w-]{{3,}}\.(?:{_SHORT_ENDINGS})(?!\w)"
    r"|[\w-]\.\w{2,}/"
    r"|\bt\.me\b|\b\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)


def clean_name(text: str) -> str:
    """The name in NFC, with single spaces and without invisible characters, of at most 80 characters.

    Raises `ValidationError` with a plain message: empty, too long, an address or markup in it, no letter.
    """
    if len(text) <= MAX_LENGTH and _CERTAINLY_A_NAME.fullmatch(text):
        return text
    if len(text) > _MORE_THAN_ANY_NAME:
        raise _too_long()
    name = " ".join(unicodedata.normalize("NFC", text).split())
    name = " ".join(_without_invisible(name).split())
    if not name:
        raise ValidationError("Enter a name.", code="required")
    if len(name) > MAX_LENGTH:
        raise _too_long()
    if any(unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} for character in name):
        raise ValidationError(
            "There is a character in this name that cannot be shown. Type it again.", code="invalid"
        )
    if _ADDRESS.search(_plain_dots(name)):
        raise ValidationError(
            "Enter only a name here, without a web or e-mail address.", code="address_in_name"
        )
    if not any(unicodedata.category(character).startswith("L") for character in name):
        raise ValidationError("Enter a name with at least one letter.", code="no_letter")
    if _piles_up_marks(name):
        raise ValidationError("There are too many accents on one letter of this name.", code="invalid")
    return name


def _too_long() -> ValidationError:
    return ValidationError(f"A name can have at most {MAX_LENGTH} characters.", code="max_length")


def _without_invisible(name: str) -> str:
    """Drops direction marks, zero-width spaces and the like; keeps joiners and variants where a script has them."""
    kept: list[str] = []
    for at, character in enumerate(name):
        before = kept[-1] if kept else ""
        if character in _JOINERS:
            after = name[at + 1 : at + 2]
            if _is_in(before, _SCRIPTS_WITH_JOINERS) and _is_in(after, _SCRIPTS_WITH_JOINERS):
                kept.append(character)
        elif _is_in(character, _VARIATION_SELECTORS):
            if _is_in(before, _HAN):
                kept.append(character)
        elif character not in _BLANK_LETTERS and unicodedata.category(character) != "Cf":
            kept.append(character)
    return "".join(kept)


def _is_in(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return bool(character) and any(first <= ord(character) <= last for first, last in ranges)


def _plain_dots(name: str) -> str:
    """Full-width and ideographic dots and letters as plain ones, for they lead to the same address."""
    return unicodedata.normalize("NFKC", name).replace("。", ".").replace("｡", ".")


def _piles_up_marks(name: str) -> bool:
    marks = 0
    for character in name:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks > _MOST_MARKS_IN_A_ROW:
            return True
    return False
