"""Making any string fit to be stored, shown and sent."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Controls and noncharacters: PostgreSQL refuses NUL, HTML and PDF refuse the rest.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def storable(text: str) -> str:
    """The same text, always encodable as UTF-8, without control characters, its lines ended by a line feed."""
    # A subclass such as Django's SafeString would carry its "already escaped" mark along.
    text = str.__str__(text)
    if text.isprintable():
        return text  # as most are; what is taken away or replaced below is never printable
    return _CONTROL.sub("", _SURROGATE.sub("\ufffd", _LINE_BREAK.sub("\n", text)))


def one_line(text: str) -> str:
    """The storable text on a single line, without blanks around it."""
    return storable(text).replace("\n", " ").strip()
