"""What Django raises when the database is away, in trouble or takes nothing, whatever was asked of it."""

from django.db import InterfaceError, InternalError, OperationalError

# PostgreSQL that only reads, as a standby does, says InternalError (25006).
AWAY = (InterfaceError, OperationalError, InternalError)
