"""What is secret is never logged."""

import logging

import pytest

from toolkit.log_privacy import WithoutSecrets, redact


def test_tokens_queries_and_addresses_are_replaced() -> None:
    line = "Not Found: /confirm/s3cr3t-T0ken/ /petitions/a/?r=abc connie@people.example"

    assert redact(line) == "Not Found: /confirm/[token]/ /petitions/a/?[query] [address]"


@pytest.mark.parametrize("piece", ["a", "/", "a@", "/me/", "1.", ":", "a@b?/"])
def test_a_long_line_takes_no_longer_than_it_is(piece: str) -> None:
    """Whoever tried each of its places anew would be at it for minutes; gunicorn logs what it cannot read."""
    line = piece * (200_000 // len(piece))

    assert len(redact(line)) <= len(line)


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


def test_rows_that_the_database_quotes_are_left_out() -> None:
    text = (
        "IntegrityError: violates check constraint\n"
        "DETAIL:  Failing row contains (7, Connie, Example, Because\n\nI care).\n"
        "\nThe above exception was the direct cause of the following exception:"
    )

    clean = redact(text)

    assert "Connie" not in clean
    assert "I care" not in clean
    assert clean.startswith("IntegrityError: violates check constraint\n[row]")
    assert "The above exception" in clean
