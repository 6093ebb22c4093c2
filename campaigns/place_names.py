"""Names of places as people type them, brought to one form so that they can be compared."""

import re
import unicodedata
from dataclasses import dataclass

LONGEST_KEY = 200
LONGEST_TYPED = 200
QUALIFIER_WORDS = 5  # “United States of America” after a region
ANYWHERE = {"st": "saint", "ste": "sainte", "sta": "santa", "sto": "santo", "sankt": "saint"}
BEGINNINGS = {"ft": "fort", "mt": "mount"}
# “De Kalb” and “DeKalb”, “O Fallon” and “O’Fallon”: the post and the people write them differently.
JOINED_FIRST = frozenset({"de", "du", "el", "la", "le", "mac"})
JOINED = frozenset({"d", "l", "mc", "o"})
# Letters of their own, which no normalization takes apart.
LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)
APOSTROPHES = re.compile(r"[’‘'ʼʻ`´]")
PLAIN_WORDS = re.compile(r"[a-z0-9]+")
IN_FRONT = re.compile(
    r"^\s*(?:the\s+)?(?:city|town|village|borough|municipality)\s+of\s+(?:the\s+)?(?=\w)", re.IGNORECASE
)
BEHIND = re.compile(r"(\w)\s+city\s*(?=,|$)", re.IGNORECASE)
ZIP = re.compile(r"(?<!\d)(\d{5})(?:-?\d{4})?(?!\d)")


def name_key(name: str) -> str:
    """Small letters without accents and punctuation; “St.” and “Saint” are the same. At most 200 characters.

    “St. Mary’s” and “Saint Marys” both become “saint marys”.
    """
    return key_of(words_of(name))


def words_of(text: str) -> list[str]:
    """The words in small letters, without accents and punctuation."""
    text = APOSTROPHES.sub("", text)
    if text.isascii():
        return PLAIN_WORDS.findall(text.lower())
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(LETTERS)
    kept = (letter for letter in plain if not unicodedata.combining(letter))
    # Vowels of many scripts are marks, and belong to the word.
    return "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in kept).split()


def key_of(words: list[str]) -> str:
    written_out = [ANYWHERE.get(word, word) for word in words]
    if written_out:
        written_out[0] = BEGINNINGS.get(written_out[0], written_out[0])
    return " ".join(joined(written_out))[:LONGEST_KEY].rstrip()


def joined(words: list[str]) -> list[str]:
    """With short articles at one with the word they belong to: “coeur d alene” becomes “coeur dalene”."""
    result: list[str] = []
    before = ""
    for index, word in enumerate(words):
        if index + 1 < len(words) and (word in JOINED or (index == 0 and word in JOINED_FIRST)):
            before += word
        else:
            result.append(before + word)
            before = ""
    return result


@dataclass(frozen=True)
class Reading:
    """One way to understand what was typed: a name, and what stands after it to tell it from its namesakes."""

    name: str
    qualifier: str = ""


@dataclass(frozen=True)
class Typed:
    """What somebody typed into the finder, taken apart. All parts are in the form in which they are compared."""

    text: str
    zip_code: str  # five digits, or ""
    postal_code: str  # all of it, should it be a code: capitals and digits without spaces; or ""
    readings: tuple[Reading, ...]  # the likeliest first; none where it holds no letter
    beginnings: tuple[Reading, ...]  # names that may not be finished yet


def read(text: str) -> Typed:
    """Takes apart “Springfield, OR 97477”. Whatever it is given, no error; beyond 200 characters nothing is read."""
    # Control characters and halves of letters can neither be compared nor shown again.
    shown = (
        " " if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in text[:LONGEST_TYPED]
    )
    line = " ".join("".join(shown).split())
    digits = with_plain_digits(line)
    found = ZIP.search(digits)
    words = ZIP.sub(" ", digits) if found else digits
    readings = tuple(readings_of(words))
    return Typed(
        text=line,
        zip_code=found[1] if found else "",
        postal_code=plain_code(digits) if any(letter.isdigit() for letter in digits) else "",
        readings=readings,
        beginnings=tuple(beginnings_of(words)),
    )


def with_plain_digits(text: str) -> str:
    """Full-width and other decimal digits as 0 to 9; dashes of every kind as hyphens."""
    return "".join(
        str(unicodedata.decimal(letter))
        if letter.isdecimal()
        else "-"
        if unicodedata.category(letter) == "Pd"
        else letter
        for letter in text
    )


def plain_code(code: str) -> str:
    """A postal code in capitals, without spaces and hyphens."""
    return "".join(letter for letter in code.upper() if letter.isalnum())


def readings_of(text: str) -> list[Reading]:
    """“Springfield Oregon” may be a name of two words, or Springfield in Oregon; a comma tells."""
    found: dict[Reading, None] = {}
    for variant in dict.fromkeys((text, without_city(text))):
        name, comma, rest = variant.partition(",")
        words = words_of(variant)
        if comma:
            found[Reading(name_key(name), name_key(rest))] = None
        found[Reading(key_of(words))] = None
        if not comma:
            for index in range(len(words) - 1, max(0, len(words) - 1 - QUALIFIER_WORDS), -1):
                found[Reading(key_of(words[:index]), key_of(words[index:]))] = None
    return [reading for reading in found if reading.name]


def without_city(text: str) -> str:
    """“City of Rivermouth” and “Rivermouth City, Westmark” are Rivermouth, unless a city is called so."""
    return BEHIND.sub(r"\1", IN_FRONT.sub("", text, count=1), count=1)


def beginnings_of(text: str) -> list[Reading]:
    """As typed so far: “st” may begin “saint” or “stockton”."""
    name, _comma, rest = IN_FRONT.sub("", text, count=1).partition(",")
    words = words_of(name)
    unfinished = " ".join(joined([*(ANYWHERE.get(word, word) for word in words[:-1]), *words[-1:]]))
    return [Reading(key, name_key(rest)) for key in dict.fromkeys((key_of(words), unfinished)) if key]
