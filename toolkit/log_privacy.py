"""Keeps secrets out of the log: tokens in paths and e-mail addresses are replaced before a line is written."""

import logging
import re

TOKEN_PATHS = re.compile(r"/(confirm|not-me|unsubscribe|me|new-address|dear)/[^\s/?\"']+")
ADDRESSES = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[^\s@<>\"'(),;:]+")
# What PostgreSQL adds to an error quotes the row: names, comments and all.
DETAILS = re.compile(r"\bDETAIL:.*?(?=\n\n(?:The above|During handling)|\nTraceback|\Z)", re.DOTALL)
QUERIES = re.compile(r"(/[^\s?\"']*)\?[^\s\"']+")


def redact(text: str) -> str:
    """`text` with token paths, query strings, e-mail addresses and quoted rows replaced by what they were."""
    text = DETAILS.sub("[row]\n", text)
    text = TOKEN_PATHS.sub(r"/\1/[token]", text)
    text = QUERIES.sub(r"\1?[query]", text)
    return ADDRESSES.sub("[address]", text)


class WithoutSecrets(logging.Filter):
    """A logging filter that rewrites the message and any traceback of each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        elif record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
