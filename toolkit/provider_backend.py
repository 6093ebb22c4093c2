"""Sending through a mail provider by HTTPS, so that it is known of each mail whether the provider took it."""

from collections.abc import Callable, Sequence
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import requests
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from toolkit.emails import Deferred, DeliveryError, InDoubt, RawMail, Refused, ServerUnavailable

# What the provider's reports bring back, so that they can be told apart: the mail's own Message-ID, which few keep.
MAIL = "mail"
# Said about our account or the whole service: a wrong key, no money, too fast, closed for now.
_ACCOUNT = frozenset({401, 402, 403, 404, 407, 429, 503})


class ProviderBackend(BaseEmailBackend):
    """django-anymail's backend of the provider in the settings, with a delivery whose outcome is known."""

    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        super().__init__(fail_silently=fail_silently)
        self.provider = get_connection(settings.EMAIL_PROVIDER_BACKEND, **options)

    def open(self) -> bool | None:
        return self.provider.open()

    def close(self) -> None:
        self.provider.close()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return self.provider.send_messages(email_messages) or 0

    def deliver(self, message: EmailMessage | RawMail, *, before_handover: Callable[[], None]) -> None:
        """See `toolkit.emails.deliver`. The provider gets the mail in one go, so the hand-over comes before that."""
        written = message.as_message() if isinstance(message, RawMail) else message
        written.metadata = {MAIL: written.extra_headers.get("Message-ID", "")}  # type: ignore[attr-defined]
        written.from_email = decoded(written.from_email)
        # Providers date a mail themselves, and some refuse one that is dated.
        written.extra_headers.pop("Date", None)
        self.open()
        before_handover()
        try:
            taken = self.send_messages([written])
        except AnymailError as error:
            # Not the error's own text, which quotes the mail.
            raise outcome(error) from None
        if not taken:
            raise Deferred("The mail provider did not take the mail.")


def decoded(sender: str) -> str:
    """A name and an address with the name as it is read: a provider encodes it anew, and would encode encoded words."""
    name, address = parseaddr(sender)
    shown = str(make_header(decode_header(name)))
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>' if shown else address


def outcome(error: AnymailError) -> DeliveryError:
    """What is known about the mail after this error."""
    if isinstance(error, AnymailRecipientsRefused):
        return Refused("The mail provider writes to this address no more.")
    if isinstance(error, requests.RequestException) and error.response is None:
        name = type(error.__cause__ or error).__name__
        return (ServerUnavailable if never_connected(error) else InDoubt)(f"The mail provider: {name}")
    status = error.status_code
    if status is None:
        return Deferred(f"This mail cannot be written for the mail provider: {type(error).__name__}.")
    reason = f"The mail provider answered {status}."
    if status in _ACCOUNT:
        return ServerUnavailable(reason)
    # Other 5xx are answers of something that broke in the middle; 2xx is a yes that cannot be read.
    return Deferred(reason) if 300 <= status < 500 else InDoubt(reason)


def never_connected(error: BaseException) -> bool:
    """Whether the provider cannot have seen the request."""
    cause = error.__cause__
    if isinstance(cause, requests.ConnectTimeout):
        return True
    why = getattr(cause.args[0], "reason", None) if cause is not None and cause.args else None
    return isinstance(why, NewConnectionError | ConnectTimeoutError)
