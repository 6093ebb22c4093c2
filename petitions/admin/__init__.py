"""Campaigns with their letters, petitions and the audit log in the admin."""

from petitions.admin import audit_log, campaigns, petitions, targets

__all__ = ["audit_log", "campaigns", "petitions", "targets"]
