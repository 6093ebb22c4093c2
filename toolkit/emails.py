"""Mail as messages, and handing one message to the mail server so that it is known whether it arrived."""

import re
import smtplib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import Header
from email.utils import formataddr, parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import css_inline
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.template.backends.django import DjangoTemplates
from django.template.loader import get_template

from toolkit import colors
from toolkit.email_addresses import sendable
from toolkit.plain_text import storable
from toolkit.smtp_conversation import Conversation, SecureConversation

DEFAULT_ACCENT = "#1f3d5c"
DEFAULT_TIMEOUT = 10  # seconds, for a server that says nothing
# Seconds the server has after the final dot, as a multiple of the timeout: it may check the content first
# (RFC 5321 §4.5.3.2.6), and giving up too early leaves a mail in doubt.
_PATIENCE_AFTER_DOT = 3
_PAPER, _NIGHT = "#ffffff", "#16191d"  # backgrounds of the layout, light and dark
_LONGEST_REASON = 200  # characters
_SERVER_OR_LOGIN = frozenset(
    {421, 454, 530, 534, 535, 538}
)  # going away; TLS or login wanted (RFC 3207, 4954)
_NOBODY = frozenset({550, 551, 553})  # what RFC 5321 §4.2.3 has for mailboxes
_ENHANCED = re.compile(rb"\s*[245]\.\d{1,3}\.\d{1,3}\b")
_NOBODY_ENHANCED = re.compile(rb"\s*5\.1\.(?![78]\b)\d")  # of RFC 3463's 5.1.x, 7 and 8 are about the sender
_POLICY = re.compile(rb"(?i)black|block|spam|polic|reputation|listed|sender|denied|reject|abuse|https?:")
_MADE_BY_DJANGO = frozenset({"subject", "from", "to", "reply-to", "mime-version"})
_ENVELOPE_ADDRESS = re.compile(r"[!-~]+@[A-Za-z0-9.\[\]:_-]+", re.ASCII)

# At-rules stay in a <style> element: they are the dark and the narrow view, which no style attribute can express.
_INLINER = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


# --- Messages ----------------------------------------------------------------------------------------------


def compose(
    *,
    template: str,
    context: Mapping[str, Any],
    from_email: str,
    from_name: str,
    to: str,
    reply_to: str = "",
    message_id: str,
    headers: Mapping[str, str] | None = None,
) -> EmailMultiAlternatives:
    """Renders `emails/<template>.subject.txt`, and what `compose_parts` makes of the rest, into one message."""
    text, html = compose_parts(template=template, context=context)
    message = EmailMultiAlternatives(
        subject=_one_line(_render_text(f"emails/{template}.subject.txt", context)),
        body=text,
        from_email=mailbox(from_name, from_email),
        to=[sendable(_one_line(to))],
        reply_to=[sendable(_one_line(reply_to))] if reply_to else None,
        headers={
            **{name: _one_line(value) for name, value in (headers or {}).items()},
            "Message-ID": _one_line(message_id),
            "Auto-Submitted": "auto-generated",  # RFC 3834: keeps holiday notices from answering
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def compose_parts(*, template: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """`emails/<template>.txt` as tidy plain text, and `.html` with its style sheet in style attributes.

    The templates also get `accent`, `on_accent`, `accent_text` and `accent_text_dark`, made from
    `organization.accent`, unless the context brings its own.
    """
    values = {**accent_colors(getattr(context.get("organization"), "accent", "")), **context}
    html = storable(get_template(f"emails/{template}.html").render(values))
    return _tidy(_render_text(f"emails/{template}.txt", values)), _INLINER.inline(html)


def accent_colors(accent: str) -> dict[str, str]:
    """The accent for areas and for text, on light and dark, each with enough contrast to be read."""
    try:
        area = colors.clean_hex(accent or "") or DEFAULT_ACCENT
    except ValidationError:
        area = DEFAULT_ACCENT
    ink = colors.on_color(area)
    return {
        "accent": colors.readable(area, background=ink),
        "on_accent": ink,
        "accent_text": colors.readable(area, background=_PAPER),
        "accent_text_dark": colors.readable(area, background=_NIGHT),
    }


def _render_text(name: str, values: Mapping[str, Any]) -> str:
    directories = tuple(str(directory) for engine in settings.TEMPLATES for directory in engine["DIRS"])
    return _text_templates(directories).get_template(name).render(dict(values))


@lru_cache(maxsize=4)
def _text_templates(directories: tuple[str, ...]) -> DjangoTemplates:
    """An engine that never escapes: plain text has no markup, and no template has to remember to say so."""
    return DjangoTemplates(
        {
            "NAME": "text",
            "DIRS": [Path(directory) for directory in directories],
            "APP_DIRS": True,
            "OPTIONS": {"autoescape": False},
        }
    )


def mailbox(name: str, address: str) -> str:
    """A name and an address as a From header carries them, in ASCII and without line breaks."""
    shown, address = _one_line(name), sendable(_one_line(address))
    if shown.isascii():
        return formataddr((shown, address))
    # Cut into encoded words of lawful length (RFC 2047 §2), which Django does not do for names.
    return f"{Header(shown, 'utf-8', maxlinelen=70).encode(linesep='')} <{address}>"


def _tidy(text: str) -> str:
    """At most one empty line in a row: what template tags leave behind is not part of the letter."""
    lines = "\n".join(line.rstrip() for line in storable(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def _one_line(text: str) -> str:
    """No line break, so no header can be smuggled in, and nothing that no mail can carry."""
    return " ".join(storable(text).split())


@dataclass(frozen=True)
class RawMail:
    """A whole mail that is written already: two plain addresses, and the bytes with CRLF line ends."""

    sender: str
    recipient: str
    content: bytes

    def as_message(self) -> EmailMultiAlternatives:
        """For backends that do not speak SMTP."""
        parsed = message_from_bytes(self.content, policy=policy.default)
        plain, rich = (parsed.get_body((kind,)) for kind in ("plain", "html"))
        kept = {
            name: str(value)
            for name, value in parsed.items()
            if name.lower() not in _MADE_BY_DJANGO and not name.lower().startswith("content-")
        }
        message = EmailMultiAlternatives(
            subject=str(parsed["Subject"]),
            body=plain.get_content() if plain else "",
            # As it is written: the newer parser puts blanks between encoded words that belong together.
            from_email=_one_line(message_from_bytes(self.content)["From"]),
            to=[self.recipient],
            reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
            headers=kept,
        )
        if rich:
            message.attach_alternative(rich.get_content(), "text/html")
        return message


# --- Handing over ------------------------------------------------------------------------------------------


def in_short(reason: str) -> str:
    """Fit for logs: a server's number without its words, which may quote the name of whom a mail is to."""
    said = re.match(r"\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?(?!\w)", reason)
    return said[0] if said else reason


class DeliveryError(Exception):
    """The mail was not, or may not have been, taken. `reason` is fit to be stored: no address, no content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ServerUnavailable(DeliveryError):
    """Nothing left, and the mail is not to blame: try the whole queue later."""


class Deferred(DeliveryError):
    """Nothing left: the server asks for this mail again later."""


class Refused(DeliveryError):
    """Nothing left: this mail will never be taken."""


class NoSuchMailbox(Refused):
    """Nothing left: the server knows nobody of this address, and the fault is not ours."""


class InDoubt(DeliveryError):
    """The whole mail was sent but the server's answer never came: it may or may not have been taken."""


@runtime_checkable
class KnowsEveryStep(Protocol):
    """A backend with a delivery of its own, as `deliver` describes it."""

    def deliver(self, message: EmailMessage | RawMail, *, before_handover: Callable[[], None]) -> None: ...


def open_connection() -> BaseEmailBackend:
    """The backend of `settings.EMAIL_BACKEND`, not yet connected; reusable for many mails, `close()` it at the end."""
    name = settings.EMAIL_BACKEND
    return SmtpBackend() if name == "django.core.mail.backends.smtp.EmailBackend" else get_connection(name)


def deliver(
    message: EmailMessage | RawMail, connection: BaseEmailBackend, *, before_handover: Callable[[], None]
) -> None:
    """Hands over one message to one recipient, connecting where needed; returns when the server has taken it.

    `before_handover` is called once, when everything but the final dot was sent: until then the server cannot have
    the mail, afterwards it may. What it raises comes out, and the mail stays unsent.
    Raises `ServerUnavailable`, `Deferred`, `Refused` or `InDoubt`; the connection is then closed, and the next
    mail connects anew. With other backends `before_handover` comes just before the backend gets the message.
    """
    if isinstance(connection, KnowsEveryStep):
        connection.deliver(message, before_handover=before_handover)
    else:
        written = message.as_message() if isinstance(message, RawMail) else message
        _deliver_without_smtp(written, connection, before_handover)


def answers(connection: BaseEmailBackend) -> bool:
    """Whether the server can be talked to at all; tells a server that is away from one that dislikes a mail."""
    try:
        connection.open()
    except (
        OSError,
        ValueError,
        DeliveryError,
    ):  # an SMTPException is an OSError; a host of odd letters a ValueError
        return False
    finally:
        connection.close()
    return True


def _deliver_without_smtp(
    message: EmailMessage, connection: BaseEmailBackend, before_handover: Callable[[], None]
) -> None:
    try:
        try:
            connection.open()
        except OSError as error:
            raise ServerUnavailable(_what_happened(error)) from None
        before_handover()
        try:
            taken = connection.send_messages([message])
        except OSError as error:
            raise InDoubt(_what_happened(error)) from None
        if not taken:
            raise Deferred("The mail backend did not take the mail.")
    finally:
        connection.close()


class SmtpBackend(EmailBackend):
    """Django's SMTP backend, with a delivery whose every step is known."""

    _partial_connection: (
        smtplib.SMTP | None
    )  # while TLS and login are under way; Django's, but undeclared there

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.timeout is None:
            self.timeout = DEFAULT_TIMEOUT

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return SecureConversation if self.use_ssl else Conversation

    def deliver(self, message: EmailMessage | RawMail, *, before_handover: Callable[[], None]) -> None:
        """See `deliver` above."""
        with self._dropped_on_error():
            sender, recipient, content = _envelope(message)
            with _blaming_the_server(recipient):
                content = self._announce(sender, content)
                self._send_all_but_the_dot(recipient, content)
            before_handover()
            self._send_the_dot(recipient)

    def open(self) -> bool | None:
        opened = super().open()
        if opened and self.connection is not None:
            self._conversation().send_at_once()
        return opened

    def close(self) -> None:
        """Says goodbye; a server that does not answer even that is left without."""
        try:
            super().close()
        except OSError:
            self.drop()

    def drop(self) -> None:
        """Closes without a word: in the middle of a mail, QUIT would become part of it."""
        for connection in (self.connection, self._partial_connection):
            if connection is not None:
                connection.close()
        self.connection = None
        self._partial_connection = None

    @contextmanager
    def _dropped_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.drop()
            raise

    def _announce(self, sender: str, content: bytes) -> bytes:
        reused = self.connection is not None
        try:
            return self._mail_from(sender, content)
        except (OSError, ServerUnavailable):
            if not reused:
                raise
            # The server has closed an idle connection, or takes no more mails on this one.
            self.drop()
            return self._mail_from(sender, content)

    def _mail_from(self, sender: str, content: bytes) -> bytes:
        """Connects where needed; returns the content in the form that this server takes."""
        self.open()
        smtp = self._conversation()
        smtp.ehlo_or_helo_if_needed()
        options = []
        if not content.isascii():
            if smtp.has_extn("8bitmime"):
                options.append("body=8bitmime")
            else:
                content = _seven_bit(content)
        if smtp.has_extn("size"):
            options.append(f"size={len(content)}")
        code, text = smtp.mail(sender, options)
        if code == 552:  # too big (RFC 1870 §6): the only refusal here that is about this mail
            raise Refused(_reason(code, text))
        if not 200 <= code < 300:
            raise ServerUnavailable(_reason(code, text))
        return content

    def _send_all_but_the_dot(self, recipient: str, content: bytes) -> None:
        smtp = self._conversation()
        code, text = smtp.rcpt(recipient)
        _raise_if_told_no(
            code, text, recipient, refusal=NoSuchMailbox if _names_nobody(code, text) else Refused
        )
        if not 200 <= code < 300:
            raise ServerUnavailable(_reason(code, text, recipient))
        smtp.putcmd("data")
        code, text = smtp.getreply()
        _raise_if_told_no(code, text, recipient)
        if code != 354:
            raise ServerUnavailable(_reason(code, text, recipient))
        smtp.send(re.sub(rb"(?m)^\.", b"..", content))  # RFC 5321 §4.5.2
        early = smtp.early_reply()
        if early is not None:
            _raise_if_told_no(*early, recipient)
            raise ServerUnavailable("The server answered before the mail had ended.")

    def _send_the_dot(self, recipient: str) -> None:
        smtp = self._conversation()
        try:
            smtp.send(b".\r\n")
        except OSError as error:
            # Failing here means that not all of the dot was handed to the network, so the server cannot have seen it.
            raise ServerUnavailable(_what_happened(error, recipient)) from None
        try:
            code, text = smtp.reply_within((self.timeout or DEFAULT_TIMEOUT) * _PATIENCE_AFTER_DOT)
        except OSError as error:
            raise InDoubt(_what_happened(error, recipient)) from None
        _raise_if_told_no(code, text, recipient)
        if not 200 <= code < 300:
            raise InDoubt(_reason(code, text, recipient))

    def _conversation(self) -> Conversation:
        """The open connection, whose class is ours: see `connection_class`."""
        return cast("Conversation", self.connection)


@contextmanager
def _blaming_the_server(recipient: str) -> Iterator[None]:
    try:
        yield
    except (
        OSError,
        ValueError,
    ) as error:  # an SMTPException is an OSError; a host of odd letters a ValueError
        raise ServerUnavailable(_what_happened(error, recipient)) from None


def _envelope(message: EmailMessage | RawMail) -> tuple[str, str, bytes]:
    """Sender, recipient, and the whole mail with CRLF line ends."""
    if isinstance(message, RawMail):
        sender, recipient, content = message.sender, message.recipient, message.content
    else:
        sender, recipient, content = _written(message)
    if not _ENVELOPE_ADDRESS.fullmatch(sender):
        raise ServerUnavailable("The sender of this mail is not an address that SMTP can carry.")
    if not _ENVELOPE_ADDRESS.fullmatch(recipient):
        raise Refused("The recipient of this mail is not an address that SMTP can carry.")
    return sender, recipient, content


def _written(message: EmailMessage) -> tuple[str, str, bytes]:
    recipients = message.recipients()
    if len(recipients) != 1:
        raise ValueError("A mail is delivered to exactly one recipient.")
    try:
        content = _with_crlf(message.message().as_bytes())
    except (ValueError, IndexError, HeaderParseError) as error:
        raise Refused(f"This mail cannot be written: {type(error).__name__}.") from None
    return _address_in(message.from_email), _address_in(recipients[0]), content


def _address_in(text: str) -> str:
    address = parseaddr(text)[1]
    # The parser makes one word of "exa mple.org": whoever that reaches, it is not who was meant.
    return sendable(address) if address in text else ""


def _seven_bit(content: bytes) -> bytes:
    return _with_crlf(message_from_bytes(content).as_bytes(policy=policy.compat32.clone(cte_type="7bit")))


def _with_crlf(content: bytes) -> bytes:
    """With no line end but CRLF, also the last, so that nothing in a mail can pass for its final dot."""
    return re.sub(rb"\r\n|\r|\n", b"\r\n", content).removesuffix(b"\r\n") + b"\r\n"


def _names_nobody(code: int, text: bytes) -> bool:
    """Whether a refused recipient does not exist, rather than is not to hear from us."""
    if code not in _NOBODY:
        return False
    enhanced = _ENHANCED.match(text)
    return bool(_NOBODY_ENHANCED.match(text)) if enhanced else not _POLICY.search(text)


def _raise_if_told_no(code: int, text: bytes, recipient: str, *, refusal: type[Refused] = Refused) -> None:
    """Raises for every code that says no; what is neither yes nor no is left to the caller."""
    if not 400 <= code < 600:
        return
    reason = _reason(code, text, recipient)
    # Said about us, not about this mail: a queue thrown away for a lost password cannot be brought back.
    if code in _SERVER_OR_LOGIN or (code >= 500 and b"relay" in text.lower()):
        raise ServerUnavailable(reason)
    raise (Deferred if code < 500 else refusal)(reason)


def _what_happened(error: Exception, recipient: str = "") -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return _reason(error.smtp_code, text if isinstance(text, bytes) else text.encode(), recipient)
    if isinstance(error, smtplib.SMTPException):
        return redacted(str(error), recipient)
    # Not the whole text of the error, which could name a file or a user.
    explanation = getattr(error, "strerror", None)
    return f"{type(error).__name__}: {explanation}" if explanation else type(error).__name__


def _reason(code: int, text: bytes, recipient: str = "") -> str:
    return f"{code} {redacted(text.decode('utf-8', 'replace'), recipient)}".strip()


def redacted(text: str, recipient: str) -> str:
    """One line without addresses: servers like to repeat the whole address, or only what is before its @."""
    text = re.sub(r"[^\s<>()\"',;:]*@[^\s<>()\"',;]*", "…", _one_line(text)[: 10 * _LONGEST_REASON])
    local = recipient.partition("@")[0]
    if local:
        text = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return text[:_LONGEST_REASON]
