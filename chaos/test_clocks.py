"""The machine's clock jumps, in the web server and the worker at once; PostgreSQL's and everybody else's do not."""

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.http import get, post
from chaos.ledger import Ledger
from chaos.postgres import Postgres
from chaos.site import Site
from chaos.waiting import eventually
from tests.smtp_server import SmtpServer

JUMPS = {"a day ahead": 24 * 3600, "back by an hour": 23 * 3600, "right again": 0}
SIGNERS = 25


class Clock:
    """What the programs under test take for the time. Their monotonic clock goes on as ever, as a machine's does."""

    def __init__(self, folder: Path) -> None:
        library = folder / "clock.so"
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("a C compiler is needed: sudo apt-get install gcc libc6-dev")
        source = Path(__file__).with_name("clock.c")
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True
        )
        self.file = folder / "clock"
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self.file)}

    def set(self, seconds: int) -> None:
        """So far ahead. Replaced as a whole, since it is read all the time."""
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(self.file)


class Mailbox(SmtpServer):
    """Counts what each address got."""

    def arrived(self) -> Counter:
        return Counter(
            re.search(rb"(?m)^To: .*?([\w.-]+@load\.example)", mail)[1].decode() for mail in self.mails
        )

    def link(self, to: str) -> str:
        """Of the confirmation."""
        text = next(mail for mail in self.mails if to.encode() in mail).replace(b"=\r\n", b"").decode()
        return re.search(r"http://testserver(/confirm/[\w=-]+/)", text.replace("=3D", "="))[1]


def test_nothing_is_lost_and_nobody_gets_more_mail_when_the_clock_jumps(
    folders: Callable[[], Path], postgres: Postgres, note: Callable[[str], None]
) -> None:
    clock = Clock(folders())
    acknowledged: set[str] = set()
    links: dict[str, str] = {}
    with Mailbox() as smtp, Site(folders(), postgres.url(), smtp_port=smtp.port, **clock.environment) as site:
        site.start_web()
        site.start_worker()
        eventually(site.ready)

        for number, (name, seconds) in enumerate({"right": 0, **JUMPS}.items()):
            with Ledger(site.port, visitors=4, label=f"clock{number}") as ledger:
                ledger.wait_for(SIGNERS, within=60)
                clock.set(seconds)
                began = time.monotonic()
                ledger.wait_for(ledger.count() + SIGNERS, within=60)
            acknowledged |= ledger.acknowledged
            result = ledger.prove(postgres, within=30)
            eventually(lambda all_of=set(acknowledged): smtp.arrived().keys() >= all_of, within=60)
            mailed = time.monotonic() - began
            eventually(site.ready, within=15)
            note(f"{name}: {result}; all mailed after {mailed:.1f} s")
            links[name] = smtp.link(max(ledger.acknowledged))

        answers = {name: (get(site.port, link), post(site.port, link, {})) for name, link in links.items()}
        eventually(
            lambda: (
                postgres.query("SELECT count(*) FROM signers_signature WHERE confirmed_at IS NOT NULL")[0][0]
                == len(links)
            )
        )

    note(f"{len(links)} links made at four times all confirm; one mail each: {len(acknowledged)}")
    assert smtp.arrived() == Counter(dict.fromkeys(acknowledged, 1))
    assert {shown.status for shown, _pressed in answers.values()} == {200}
