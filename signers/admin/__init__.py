"""The people in the admin: signatures, supporters, what waits for staff, and the mail they are owed."""

from signers.admin import mail_preview, outgoing_mail, signatures, submissions, supporters

__all__ = ["mail_preview", "outgoing_mail", "signatures", "submissions", "supporters"]
