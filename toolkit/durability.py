"""Which commits have to be on disk before anything goes on."""

from django.db import connection


def can_be_redone() -> None:
    """Says of the transaction under way: should it be lost, all of it is simply done again.

    So its commit does not wait for PostgreSQL's disk, which writes it down a moment later. Only a crash of the server
    itself may lose it, whole, with what it has deleted back in its place. Whoever waits for the disk after it, such as
    a mail before its handover, waits for it as well: the log is written in one order.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
