"""An SMTP client whose waiting has an end, and that hears what the server says out of turn."""

import smtplib
import socket
import ssl
import time
from typing import Any

_LONGEST_REPLY, _MOST_LINES = 64 * 1024, 200


class Conversation(smtplib.SMTP):
    """An SMTP client for which a whole reply, not each byte of it, has to come in time, and be of sane length."""

    _received = b""

    def starttls(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        """Begins TLS; what came before it, unencrypted, does not count any more."""
        answer = super().starttls(*args, **options)
        self._received = b""
        return answer

    def send_at_once(self) -> None:
        """Without it the kernel holds the final dot back until the server has acknowledged what came before: 40 ms."""
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def getreply(self) -> tuple[int, bytes]:
        return self.reply_within(self.timeout)

    def reply_within(self, seconds: float) -> tuple[int, bytes]:
        """The code (-1 for anything but a reply) and text. Raises `SMTPServerDisconnected`, then being closed."""
        deadline = time.monotonic() + seconds
        texts: list[bytes] = []
        try:
            while sum(map(len, texts)) < _LONGEST_REPLY and len(texts) < _MOST_LINES:
                line = self._line(deadline)
                texts.append(line[4:].strip())
                if not line[:3].isdigit():
                    return -1, b"\n".join(texts)
                if line[3:4] != b"-":
                    return int(line[:3]), b"\n".join(texts)
            raise smtplib.SMTPServerDisconnected("The server's reply does not end.")
        except TimeoutError:
            self.close()
            raise smtplib.SMTPServerDisconnected("The server did not answer in time.") from None
        except smtplib.SMTPServerDisconnected:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(f"The connection broke: {type(error).__name__}.") from None

    def early_reply(self) -> tuple[int, bytes] | None:
        """A reply that came before its time, without waiting for one; raises if the server has hung up."""
        self._socket().settimeout(0)
        try:
            self._receive()
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        finally:
            self._socket().settimeout(self.timeout)
        return self.getreply()

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._received:
            if len(self._received) > _LONGEST_REPLY:
                raise smtplib.SMTPServerDisconnected("The server's reply does not end.")
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._socket().settimeout(remaining)
            self._receive()
            self._socket().settimeout(self.timeout)
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _socket(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("The connection is closed.")
        return self.sock

    def _receive(self) -> None:
        received = self._socket().recv(4096)
        if not received:
            raise smtplib.SMTPServerDisconnected("The server closed the connection.")
        self._received += received


class SecureConversation(Conversation, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""
