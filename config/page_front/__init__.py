"""Stands before Django and answers petition pages from finished bytes. How it fits together: docs/architecture.md."""
