"""A mail server on loopback that answers as it is told: politely, wrongly, late, or not at all."""

import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field

HANG = "says nothing more"
DROP = "hangs up"
RESET = "hangs up so that writing to it fails"

POLITE = {
    "connect": b"220 mail.example\r\n",
    "EHLO": b"250-mail.example\r\n250-SIZE 10000000\r\n250 8BITMIME\r\n",
    "MAIL": b"250 OK\r\n",
    "RCPT": b"250 OK\r\n",
    "DATA": b"354 Go on\r\n",
    "content": b"",  # sent as soon as the first of the content arrives
    "dot": b"250 Taken\r\n",
    "QUIT": b"221 Bye\r\n",
    "STARTTLS": b"220 Go ahead\r\n",
}


class _Over(Exception):
    """This conversation has ended."""


@dataclass
class SmtpServer:
    """`answers` replaces single answers of `POLITE`; a list gives one answer for each time it is asked for.

    `mails` are the contents that were ended by a dot, as they went over the wire.
    """

    answers: dict[str, object] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    tls_from_the_start: bool = False

    def __post_init__(self):
        self.answers = {**POLITE, **self.answers}
        self.mails: list[bytes] = []
        self.commands: list[bytes] = []
        self.connections = 0
        self._stopping = threading.Event()

    def __enter__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stopping.set()
        # Closing alone would not wake the thread that waits for a connection.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._listening.close()
        assert not self._thread.is_alive()

    def _serve(self):
        while True:
            connection, _ = self._listening.accept()
            if self._stopping.is_set():
                connection.close()
                return
            self.connections += 1
            connection.settimeout(10)
            try:
                with self._encrypted(connection) if self.tls_from_the_start else connection as conversation:
                    self._answer(conversation, "connect")
                    self._take_commands(conversation)
            except (_Over, OSError):
                pass
            finally:
                connection.close()

    def _encrypted(self, connection):
        return self.tls.wrap_socket(connection, server_side=True)

    def _take_commands(self, connection):
        lines = connection.makefile("rb")
        while line := lines.readline():
            self.commands.append(line.strip())
            verb = line.split(b" ")[0].strip().upper().decode()
            self._answer(connection, verb)
            if verb == "DATA":
                self._take_content(connection, lines)
            elif verb == "STARTTLS" and self.tls:
                with self._encrypted(connection) as encrypted:
                    self._take_commands(encrypted)
                return

    def _take_content(self, connection, lines):
        content = [lines.readline()]
        self._answer(connection, "content")
        while content[-1] not in {b".\r\n", b""}:
            content.append(lines.readline())
        if content[-1] == b"":
            raise _Over
        self.mails.append(b"".join(content[:-1]))
        self._answer(connection, "dot")

    def _answer(self, connection, step):
        answer = self.answers.get(step, b"502 Not known\r\n")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if answer == HANG:
            while connection.recv(65536):
                pass
        if answer == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(answer, str):
            raise _Over
        connection.sendall(answer)
