"""A mailbox on loopback that speaks as much IMAP as is needed to empty it."""

import re
import socket
import threading
from dataclasses import dataclass, field

HANG, DROP = "says nothing more", "hangs up"


@dataclass
class Message:
    content: bytes
    flags: set[str] = field(default_factory=set)


class _Over(Exception):
    """This conversation has ended."""


class ImapServer:
    """`answers` replaces what is said to a command, such as `{"SELECT": "NO no such folder"}`, HANG or DROP."""

    def __init__(self, *contents: bytes, answers: dict[str, str] | None = None):
        self.messages = {number: Message(content) for number, content in enumerate(contents, start=11)}
        self.answers = answers or {}
        self.commands: list[str] = []
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

    def settings(self, **changes):
        """What BOUNCE_MAILBOX says to lead here."""
        where = {"host": "127.0.0.1", "port": self.port, "secure": False}
        return where | {"user": 'bounces "us"', "password": "pass\\word", "folder": "INBOX"} | changes

    def _serve(self):
        while True:
            connection, _ = self._listening.accept()
            if self._stopping.is_set():
                connection.close()
                return
            connection.settimeout(10)
            try:
                with connection, connection.makefile("rwb") as conversation:
                    self._converse(conversation)
            except (_Over, OSError):
                pass

    def _converse(self, conversation):
        self._say(conversation, self._answer("connect", "* OK ready"))
        while line := conversation.readline():
            tag, _, command = line.decode().strip().partition(" ")
            self.commands.append(command)
            name = command.removeprefix("UID ").partition(" ")[0]
            said = self._answer(name, "OK done")
            if said.startswith("OK"):
                self._do(conversation, name, command)
            self._say(conversation, f"{tag} {said}")
            if name == "LOGOUT":
                return

    def _answer(self, name, otherwise):
        said = self.answers.get(name, otherwise)
        if said == HANG:
            self._stopping.wait(10)
        if said in (HANG, DROP):
            raise _Over
        return said

    def _do(self, conversation, name, command):
        if name == "CAPABILITY":
            self._say(conversation, "* CAPABILITY IMAP4rev1")
        elif name == "SELECT":
            self._say(conversation, f"* {len(self.messages)} EXISTS")
        elif name == "SEARCH":
            unread = [number for number, message in self.messages.items() if not message.flags]
            self._say(conversation, "* SEARCH " + " ".join(map(str, unread)))
        elif name == "FETCH":
            number, longest = map(
                int, re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command).groups()
            )
            if number in self.messages:
                content = self.messages[number].content[:longest]
                self._say(conversation, f"* 1 FETCH (UID {number} BODY[]<0> {{{len(content)}}}")
                conversation.write(content)
                self._say(conversation, ")")
        elif name == "STORE":
            number, flag = re.fullmatch(r"UID STORE (\d+) \+FLAGS\.SILENT \((\S+)\)", command).groups()
            self.messages[int(number)].flags.add(flag)
        elif name == "EXPUNGE":
            self.messages = {n: m for n, m in self.messages.items() if r"\Deleted" not in m.flags}

    def _say(self, conversation, line):
        conversation.write(line.encode() + b"\r\n")
        conversation.flush()
