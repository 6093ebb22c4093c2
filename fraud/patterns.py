"""What names and addresses look like once what differs between made-up people is taken out."""

import re
import unicodedata
from functools import lru_cache

from toolkit.mail_providers import KNOWN

GIBBERISH = "letters at random"
_DIGITS = re.compile(r"\d+")
_LETTER = re.compile(r"[^\W\d_]")
_MARKS = re.compile(r"[\u0300-\u036f]")
# “Hirschsprung” has seven in a row, and no j, q or x among them.
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{5,}")
_RARE, _VOWELS = frozenset("jqx"), frozenset("aeiouy")
_LONG_WORD = 6  # “Krč” and “Škvrň” are names
_LONG_RUN = 9
_SHORT_ENDING, _SHORT_LABEL = 2, 3  # .co.uk, .com.au


def name_pattern(first_name: str, last_name: str) -> str:
    """The name without digits, so that “Tester 1” and “Tester 2” are alike; one word for names without vowels."""
    words = _DIGITS.sub("", f"{first_name} {last_name}".casefold()).split()
    return (
        GIBBERISH
        if any(len(word) >= _LONG_WORD and is_gibberish(word) for word in words)
        else " ".join(words)
    )


def is_gibberish(word: str) -> bool:
    """Whether nobody could say this word. Only ever of Latin letters: about other scripts we know too little."""
    plain = word if word.isascii() else _MARKS.sub("", unicodedata.normalize("NFD", word))
    if len(plain) < _LONG_WORD or not (plain.isascii() and plain.isalpha()):
        return False
    if _VOWELS.isdisjoint(plain):
        return True
    return any(not _RARE.isdisjoint(run) or len(run) >= _LONG_RUN for run in _CONSONANTS.findall(plain))


def mailbox_pattern(mailbox: str) -> str:
    """`signer#@mail.example` for mailbox keys that differ in a number only; "" for those without a number or a word."""
    local, _, domain = mailbox.rpartition("@")
    stem = _DIGITS.sub("#", local)
    return f"{stem}@{domain}" if stem != local and _LETTER.search(stem) else ""


@lru_cache(maxsize=1024)
def own_domain(domain: str) -> str:
    """What somebody registered of a mail domain; "" for providers under whose domain many have their mailbox."""
    if domain in KNOWN:
        return ""
    labels = domain.split(".")
    second = labels[-2] if len(labels) > 1 else ""
    taken = 3 if len(labels[-1]) == _SHORT_ENDING and len(second) <= _SHORT_LABEL else 2
    return ".".join(labels[-taken:])[:253]
