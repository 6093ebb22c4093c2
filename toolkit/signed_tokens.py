"""Short tokens for links in mail, stamps that tell how old a form is, and marks that survive mail servers."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings

CLOCK_SKEW = timedelta(minutes=5)
# Only we can have made a token; where its date lies ahead, a clock went wrong and was set right, and its mail is out.
CLOCK_SET_BACK = timedelta(days=2)

# Whole base64 groups of three bytes: no padding and no spare bits, so each token has exactly one spelling.
TOKEN_LENGTH, _SUBJECT_BYTES, _TIME_BYTES, _TOKEN_MAC_BYTES = 40, 8, 5, 17
STAMP_LENGTH, _STAMP_MAC_BYTES = 20, 10
# The same in base32, whose groups have five bytes.
MARK_LENGTH, _MARK_MAC_BYTES = 32, 12
_URL_SAFE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_BASE32 = re.compile(r"[a-z2-7]+", re.ASCII)
_LARGEST_SUBJECT = 2**63 - 1
_LARGEST_SECOND = int(datetime.max.replace(tzinfo=UTC).timestamp())


class InvalidToken(Exception):
    """Forged, garbled, made for another purpose, or dated in the future."""


class ExpiredToken(InvalidToken):
    """Genuine but too old: `subject` and `made_at` can be trusted, but no longer acted upon."""

    def __init__(self, subject: int, made_at: datetime) -> None:
        super().__init__("The token is genuine, but too old.")
        self.subject = subject
        self.made_at = made_at


def make(purpose: str, subject: int, *, at: datetime) -> str:
    """40 letters, digits, `-` and `_`; what it carries can be read by anybody, but not changed.

    Made again for the same purpose, subject and second it is the same token.
    """
    if not 0 <= subject <= _LARGEST_SUBJECT:
        raise ValueError("A token's subject is a row's number: from 0 to 2**63 - 1.")
    payload = subject.to_bytes(_SUBJECT_BYTES, "big") + _seconds(at).to_bytes(_TIME_BYTES, "big")
    mac = _mac(settings.SECRET_KEY, "token", purpose, payload, _TOKEN_MAC_BYTES)
    return base64.urlsafe_b64encode(payload + mac).decode()


def read(purpose: str, token: str, *, at: datetime, max_age: timedelta | None) -> int:
    """The subject. Raises `ExpiredToken` for a genuine token older than `max_age`, else `InvalidToken`."""
    payload = _verified(token, "token", purpose, TOKEN_LENGTH, _TOKEN_MAC_BYTES)
    if payload is None:
        raise InvalidToken("The token is not one of ours.")
    subject = int.from_bytes(payload[:_SUBJECT_BYTES], "big")
    made_at = _moment(payload[_SUBJECT_BYTES:])
    if made_at is None or made_at - at > CLOCK_SET_BACK:
        raise InvalidToken("The token is dated far in the future.")
    if max_age is not None and at - made_at > max_age:
        raise ExpiredToken(subject, made_at)
    return subject


def stamp(*, scope: str, at: datetime, granularity_seconds: int = 10) -> str:
    """20 characters, the same for everybody within `granularity_seconds`, so that the page stays cacheable."""
    seconds = _seconds(at)
    payload = (seconds - seconds % granularity_seconds).to_bytes(_TIME_BYTES, "big")
    mac = _mac(settings.SECRET_KEY, "stamp", scope, payload, _STAMP_MAC_BYTES)
    return base64.urlsafe_b64encode(payload + mac).decode()


def stamp_age(stamp: str | None, *, scope: str, at: datetime) -> timedelta | None:
    """How long ago the form was rendered, never negative; None for a missing or forged stamp, or another scope's."""
    payload = _verified(stamp, "stamp", scope, STAMP_LENGTH, _STAMP_MAC_BYTES)
    rendered_at = _moment(payload) if payload is not None else None
    if rendered_at is None or rendered_at - at > CLOCK_SKEW:
        return None
    return max(at - rendered_at, timedelta(0))


def make_mark(purpose: str, subject: int, *, about: str) -> str:
    """32 small letters and digits, for where case gets lost; it never expires.

    `about` is not carried, but has to be known to prove the mark.
    """
    payload = subject.to_bytes(_SUBJECT_BYTES, "big")
    mac = _mac(settings.SECRET_KEY, "mark", purpose, payload + _bytes_of(about), _MARK_MAC_BYTES)
    return base64.b32encode(payload + mac).decode().lower()


def claimed_subject(mark: str) -> int | None:
    """What a mark says it is about, proven by nothing yet; None for what cannot be a mark."""
    if len(mark) != MARK_LENGTH or not _BASE32.fullmatch(mark):
        return None
    subject = int.from_bytes(base64.b32decode(mark.upper())[:_SUBJECT_BYTES], "big")
    return subject if subject <= _LARGEST_SUBJECT else None


def is_genuine(purpose: str, mark: str, *, about: str) -> bool:
    """Whether we made this mark, for this purpose and about this."""
    if claimed_subject(mark) is None:
        return False
    signed = base64.b32decode(mark.upper())
    payload, mac = signed[:_SUBJECT_BYTES], signed[_SUBJECT_BYTES:]
    return any(
        hmac.compare_digest(mac, _mac(secret, "mark", purpose, payload + _bytes_of(about), _MARK_MAC_BYTES))
        for secret in _secrets()
    )


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _verified(text: str | None, kind: str, purpose: str, length: int, mac_bytes: int) -> bytes | None:
    """What was signed, or None."""
    if not isinstance(text, str) or len(text) != length or not _URL_SAFE.fullmatch(text):
        return None
    signed = base64.urlsafe_b64decode(text)
    payload, mac = signed[:-mac_bytes], signed[-mac_bytes:]
    for secret in _secrets():
        if hmac.compare_digest(mac, _mac(secret, kind, purpose, payload, mac_bytes)):
            return payload
    return None


def _secrets() -> Iterator[str | bytes]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _mac(secret: str | bytes, kind: str, purpose: str, payload: bytes, size: int) -> bytes:
    name = purpose.encode()
    # The length keeps purpose and payload apart: no other pair gives the same bytes.
    return hashlib.blake2b(
        len(name).to_bytes(4, "big") + name + payload, key=_key(secret, kind), digest_size=size
    ).digest()


@lru_cache(maxsize=16)
def _key(secret: str | bytes, kind: str) -> bytes:
    """A key of its own for each kind, so that a stamp can never pass for a token."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    return hashlib.blake2b(b"toolkit.signed_tokens:" + kind.encode() + b":" + raw, digest_size=64).digest()


def _seconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("A token's moment needs a time zone.")
    return int(at.timestamp())


def _moment(payload: bytes) -> datetime | None:
    seconds = int.from_bytes(payload, "big")
    return datetime.fromtimestamp(seconds, UTC) if seconds <= _LARGEST_SECOND else None
