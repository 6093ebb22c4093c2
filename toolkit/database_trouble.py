"""What Django raises when the database is away or in trouble, whatever was asked of it."""

from django.db import InterfaceError, OperationalError

# PostgreSQL that only reads, as a standby does, is among them: see config.postgresql.
AWAY = (InterfaceError, OperationalError)
