"""What names and addresses look like once what differs between made-up people is taken out."""

import re
import unicodedata

from toolkit.email_addresses import mailbox_key
from toolkit.mail_providers import KNOWN

GIBBERISH = "letters at random"
_DIGITS = re.compile(r"\d+")
# “Hirschsprung” has seven in a row, and no j, q or x among them.
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{5,}")
_RARE, _VOWELS = frozenset("jqx"), frozenset("aeiouy")
_LONG_WORD = 6  # “Krč” and “Škvrň” are names
_LONG_RUN = 9
_SHORT_ENDING, _SHORT_LABEL = 2, 3  # .co.uk, .com.au


def name_pattern(first_name: str, last_name: str) -> str:
    """The name without digits, so that “Tester 1” and “Tester 2” are alike; one word for names without vowels."""
    words = _DIGITS.sub("", f"{first_name} {last_name}".casefold()).split()
    return GIBBERISH if any(map(is_gibberish, words)) else " ".join(words)


def is_gibberish(word: str) -> bool:
    """Whether nobody could say this word. Only ever of Latin letters: about other scripts we know too little."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter)
    )
    if len(plain) < _LONG_WORD or not (plain.isascii() and plain.isalpha()):
        return False
    return _VOWELS.isdisjoint(plain) or any(
        not _RARE.isdisjoint(run) or len(run) >= _LONG_RUN for run in _CONSONANTS.findall(plain)
    )


def mailbox_pattern(email: str) -> str:
    """`signer#@mail.example` for addresses that differ in a number only; "" for those without a number or a word."""
    local, _, domain = mailbox_key(email).rpartition("@")
    stem = _DIGITS.sub("#", local)
    return f"{stem}@{domain}" if "#" in stem and any(map(str.isalpha, stem)) else ""


def own_domain(email: str) -> str:
    """The domain a mailbox provider has not many people under: what one can register; "" for the large providers."""
    domain = mailbox_key(email).rpartition("@")[2]
    if domain in KNOWN:
        return ""
    labels = domain.split(".")
    second = labels[-2] if len(labels) > 1 else ""
    taken = 3 if len(labels[-1]) == _SHORT_ENDING and len(second) <= _SHORT_LABEL else 2
    return ".".join(labels[-taken:])[:253]
