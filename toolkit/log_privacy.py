"""Keeps people out of the log: what is secret or says who somebody is, is replaced before a line is written."""

import ipaddress
import json
import logging
import re
import traceback
from datetime import UTC, datetime

TOKEN_PATHS = re.compile(r"/(confirm|not-me|unsubscribe|me|new-address|dear|signed|thanks)/[^\s/?\"']+")
# Each looks at a run of characters from its beginning only, or a long one would take seconds.
ADDRESSES = re.compile(r"(?<![^\s@<>\"'(),;:])[^\s@<>\"'(),;:]++@[^\s@<>\"'(),;:]+\.[^\s@<>\"'(),;:]+")
# What PostgreSQL adds to an error quotes the row: names, comments and all.
DETAILS = re.compile(r"\bDETAIL:.*?(?=\n\n(?:The above|During handling)|\nTraceback|\Z)", re.DOTALL)
QUERIES = re.compile(r"(?<![^\s?\"'])([^\s?\"'/]*+/[^\s?\"']*+)\?[^\s\"']+")
NETWORK_ADDRESSES = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f.]{0,15}){2,8}(?![\w:]))"
)
# Errors whose text speaks of our code or of the database, not of what somebody typed. Others keep it to themselves.
TELLING = (
    "AttributeError",
    "ImportError",
    "ImproperlyConfigured",
    "IntegrityError",
    "InterfaceError",
    "ModuleNotFoundError",
    "NameError",
    "OperationalError",
    "ProgrammingError",
    "TemplateDoesNotExist",
    "TemplateSyntaxError",
    "TypeError",
)
# What a line of the log may hold beside its message.
EXTRA = ("route", "method", "status", "milliseconds")


def redact(text: str) -> str:
    """`text` with token paths, query strings, addresses and quoted rows replaced by what they were."""
    text = DETAILS.sub("[row]\n", text)
    text = TOKEN_PATHS.sub(r"/\1/[token]", text)
    text = QUERIES.sub(r"\1?[query]", text)
    text = ADDRESSES.sub("[address]", text)
    return NETWORK_ADDRESSES.sub(_network, text)


def _network(found: re.Match[str]) -> str:
    try:
        address = ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]  # a time of day, say
    # Where we listen ourselves is no visitor's address.
    return found[0] if address.is_loopback or address.is_unspecified else "[network address]"


def words_of(error: BaseException) -> str:
    """The error's kind, and the first line of its text where that cannot quote a person."""
    kind = type(error).__name__
    if kind not in TELLING:
        return kind
    try:
        text = redact(str(error)).partition("\n")[0]
    except Exception:  # noqa: BLE001 - an error whose text cannot be had has none
        text = ""
    return f"{kind}: {text}" if text else kind


def trace(error: BaseException | None) -> str:
    """Where the error, and those that led to it, came from; like Python's own, but with `words_of` for each."""
    pieces: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        pieces.append(f"Traceback (most recent call last):\n{frames}{words_of(error)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return redact("\n\nwhich came of this:\n\n".join(pieces))


class WithoutSecrets(logging.Filter):
    """A logging filter that rewrites the message and any traceback of each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - the values do not fit the message, or cannot be shown
            message = str(record.msg)
        record.msg = " ".join(redact(message).split("\n")).replace("\r", " ")
        record.args = None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = trace(record.exc_info[1])
        elif record.exc_text:
            record.exc_text = redact(record.exc_text)
        # Nobody formats it anew.
        record.exc_info = None
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line, of these fields only: what libraries attach to a record may be a whole request."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        } | {name: getattr(record, name) for name in EXTRA if hasattr(record, name)}
        if record.exc_text:
            line["trace"] = record.exc_text
        return (
            json.dumps(line, ensure_ascii=False, default=lambda value: type(value).__name__)
            .encode("utf-8", "backslashreplace")
            .decode()
        )
