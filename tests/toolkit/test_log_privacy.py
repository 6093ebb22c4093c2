"""What is secret is never logged."""

import logging

from toolkit.log_privacy import WithoutSecrets, redact


def test_tokens_queries_and_addresses_are_replaced() -> None:
    line = "Not Found: /confirm/s3cr3t-T0ken/ /petitions/a/?r=abc connie@people.example"

    assert redact(line) == "Not Found: /confirm/[token]/ /petitions/a/?[query] [address]"


def test_records_lose_secrets_in_message_arguments_and_traceback() -> None:
    try:
        raise ValueError("no such mailbox: connie@people.example")
    except ValueError as error:
        record = logging.LogRecord(
            "x",
            logging.ERROR,
            __file__,
            1,
            "Failed for %s",
            ("bo@people.example",),
            (type(error), error, None),
        )

    WithoutSecrets().filter(record)

    text = logging.Formatter().format(record)
    assert "people.example" not in text
    assert "Failed for [address]" in text
