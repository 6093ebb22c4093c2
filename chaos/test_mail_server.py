"""A mail server in every bad mood: signatures are counted all the same, and each mail arrives once when it is well."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from throwaway_postgres import OWNER

from chaos.ledger import Ledger
from chaos.postgres import Postgres
from chaos.proxies import Line
from chaos.site import Site
from chaos.waiting import eventually
from tests.smtp_server import DROP, HANG, POLITE, RESET, SmtpServer

PEOPLE, AT_ONCE = 6, 12
CONNECTIONS = 4  # of a worker that is late: `MAIL_CONNECTIONS`
LASTS = 3  # seconds
REFUSES = "refuses"
MOODS: dict[str, dict[str, object]] = {
    REFUSES: {},
    **{f"hangs at {step}": {step: HANG} for step in ("connect", "EHLO", "MAIL", "RCPT", "DATA", "content", "dot")},
    **{f"hangs up at {step}": {step: DROP} for step in ("connect", "EHLO", "MAIL", "RCPT", "DATA", "content", "dot")},
    "resets at content": {"content": RESET},
    "421 at connect": {"connect": b"421 Too busy\r\n"},
    "421 at RCPT": {"RCPT": b"421 Shutting down\r\n"},
    "451 at MAIL": {"MAIL": b"451 Later\r\n"},
    "451 at the dot": {"dot": b"451 Later\r\n"},
    "550 at RCPT": {"RCPT": b"550 No such mailbox\r\n"},
    "550 at the dot": {"dot": b"550 Spam\r\n"},
    "babbles": {"connect": b"\xff\xfe\x00 what?\r\n"},
}  # fmt: skip
# A dot without an answer: nobody knows whether the mail was taken, and only staff may send it again. It leaves with the
# last of the content, so that a server that breaks off over that may have had it; noticed before the dot, it is tried again.
DOUBTFUL = {"hangs at content", "hangs at dot", "hangs up at dot"}
PERHAPS = {"hangs up at content", "resets at content"}
REFUSED = {"550 at RCPT", "550 at the dot"}
SEEN_TO = "SELECT count(*) = %s FROM signers_outgoingmail WHERE num_nonnulls(sent_at, failed_at, handed_over_at) > 0"
STATES = """
    SELECT count(sent_at), count(failed_at), count(*) FILTER (WHERE sent_at IS NULL AND failed_at IS NULL)
    FROM signers_outgoingmail"""
SUBMIT = f"""
from django.utils import timezone
from petitions.models import Petition
from tests.factories import make_submission
for number in range({PEOPLE}):
    make_submission(Petition.objects.get(), email=f"mood-{{number}}@load.example", received_at=timezone.now())
"""


class Database(Postgres):
    """One for each mood, on one server."""

    def __init__(self, server: Postgres, name: str) -> None:
        self.server, self.name = server, name
        server.query(f"CREATE DATABASE {name} TEMPLATE {OWNER}")

    def url(self, port: int | None = None) -> str:
        return self.server.url(port).rpartition("/")[0] + f"/{self.name}"


class Moody(SmtpServer):
    """`taken` are the mails it said yes to."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.taken: list[bytes] = []

    def _answer(self, connection: object, step: str) -> None:
        if step == "dot" and str(self.answers["dot"]).startswith("b'250"):
            self.taken.append(self.mails[-1])
        super()._answer(connection, step)


@dataclass
class Outcome:
    sent: int
    failed: int
    in_doubt: int
    taken: list[bytes]
    starts: int

    @property
    def most_for_one(self) -> int:
        return max(Counter(re.findall(rb"mood-\d+@load", mail)[0] for mail in self.taken).values(), default=0)


@pytest.fixture(scope="module")
def outcomes(template: Postgres, folders: Callable[[], Path]) -> Iterator[dict[str, Outcome]]:
    """What became of the mails in each mood. Several at once, since most of it is waiting."""
    server = Postgres(folders(), like=template)
    server.start(max_connections=30 + 9 * AT_ONCE)
    with Site(folders(), server.url()) as site:
        site.python(SUBMIT)
    databases = [Database(server, f"mood{number}") for number in range(len(MOODS))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield dict(
            zip(MOODS, pool.map(outcome_of, MOODS, databases, [folders() for _ in MOODS]), strict=True)
        )
    server.stop()


def outcome_of(mood: str, database: Database, folder: Path) -> Outcome:
    with Moody({**MOODS[mood]}) as smtp, Line(smtp.port) as line:
        if mood == REFUSES:
            line.refuses()
        with Site(folder, database.url(), smtp_port=line.port) as site:
            worker = site.start_worker()
            # Nobody's signature waits for a mail.
            database.wait_until("SELECT sum(count) = %s FROM petitions_tally", PEOPLE, within=120)
            eventually(lambda: smtp.connections or "mail server does not answer" in worker.said(), within=60)
            time.sleep(LASTS)
            smtp.answers.update(POLITE)
            line.takes_again()
            database.wait_until(SEEN_TO, PEOPLE, within=240)
            time.sleep(1)
            return Outcome(*database.query(STATES)[0], taken=smtp.taken, starts=worker.starts)


@pytest.mark.parametrize("mood", MOODS)
def test_each_mail_arrives_once_when_the_server_is_well_again(
    mood: str, outcomes: dict[str, Outcome], note: Callable[[str], None]
) -> None:
    outcome = outcomes[mood]

    note(f"{outcome.sent} sent, {outcome.failed} failed, {outcome.in_doubt} in doubt of {PEOPLE}")
    assert outcome.sent + outcome.failed + outcome.in_doubt == PEOPLE
    assert outcome.most_for_one <= 1
    assert outcome.in_doubt > 0 or mood not in DOUBTFUL
    assert outcome.in_doubt == 0 or mood in DOUBTFUL | PERHAPS
    assert outcome.in_doubt <= CONNECTIONS
    assert bool(outcome.failed) == (mood in REFUSED)
    assert outcome.starts == 1


def test_signing_does_not_notice_a_mail_server_that_hangs(
    folders: Callable[[], Path], postgres: Postgres, note: Callable[[str], None]
) -> None:
    with SmtpServer({"RCPT": HANG}) as smtp, Site(folders(), postgres.url(), smtp_port=smtp.port) as site:
        site.start_web()
        site.start_worker()
        with Ledger(site.port) as ledger:
            # From here on it hangs, and hundreds sign.
            eventually(lambda: smtp.commands)
            ledger.wait_for(300, within=120)
        result = ledger.prove(postgres)

    note(result)
    assert smtp.commands
    assert set(ledger.answers) == {303}
