"""Django’s SQLite, in which whoever writes waits for their turn."""
