"""Indexes are made beside whoever writes, again where an attempt was broken off."""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

INDEX = "signature_unconfirmed"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite makes indexes while nobody writes")
@pytest.mark.django_db(transaction=True)
def test_an_index_that_is_of_no_use_is_made_anew():
    loader = MigrationLoader(connection)
    key = ("signers", "0009_unconfirmed")
    before, after = loader.project_state(key, at_end=False), loader.project_state(key)
    (operation,) = loader.get_migration(*key).operations
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [INDEX])

    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("signers", editor, before, after)

    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [INDEX])
        assert cursor.fetchall() == [(True,)]
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchall() == [("30s",)]
