"""Mailings in the admin: written, checked, looked at, sent, and what came of them."""

from mailings.admin import mailings

__all__ = ["mailings"]
