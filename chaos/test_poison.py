"""Rows that cannot be dealt with, in every queue of a running worker: they are set aside, and the rest flows.

Each queue's own fast test, with what becomes of the row in the end, is tests/stories/test_poison_rows.py.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from chaos.ledger import sign
from chaos.postgres import Postgres
from chaos.site import Site
from chaos.waiting import eventually
from tests.smtp_server import DROP, SmtpServer

PEOPLE = 20
TRIGGER = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'for whatever reason'; END $$;
    CREATE TRIGGER poison BEFORE INSERT ON signers_signature FOR EACH ROW
        WHEN (NEW.email LIKE 'poison-signature%') EXECUTE FUNCTION refuse();
    CREATE TRIGGER poison BEFORE INSERT ON signers_outgoingmail FOR EACH ROW
        WHEN (NEW.message = 'own-page' AND NEW."to" LIKE 'poison-request%') EXECUTE FUNCTION refuse()"""
MAILING = f"""
from datetime import timedelta
from django.utils import timezone
from petitions.models import Petition
from signers.models import OwnPageRequest
from tests.factories import make_edition, make_mailing, make_recipient, make_subscription, make_supporter
now = timezone.now()
petition = Petition.objects.get()
mailing = make_mailing(petition.campaign, at=now, starts_at=now - timedelta(hours=1), per_minute=100_000)
edition = make_edition(mailing, petition)
for number in range({PEOPLE}):
    copy = make_recipient(edition)
    name = f"poison-copy{{number}}" if number % 5 == 0 else f"copy{{number}}"
    type(copy.supporter).objects.filter(pk=copy.supporter_id).update(email=f"{{name}}@load.example")
    name = f"poison-request{{number}}" if number % 5 == 0 else f"request{{number}}"
    make_supporter(f"{{name}}@load.example")
    OwnPageRequest.objects.create(email=f"{{name}}@load.example", received_at=now)
"""


class Choosy(SmtpServer):
    """Hangs up over addresses with poison in them; `arrived` are the others."""

    def _answer(self, connection: object, step: str) -> None:
        if step == "RCPT" and b"poison" in self.commands[-1]:
            self.answers = {**self.answers, "RCPT": DROP}
        try:
            super()._answer(connection, step)
        finally:
            self.answers = {**self.answers, "RCPT": b"250 OK\r\n"}

    def arrived(self, name: str) -> int:
        return sum(f"To: {name}".encode() in mail or f"<{name}".encode() in mail for mail in self.mails)


def test_the_rest_flows(folders: Callable[[], Path], postgres: Postgres, note: Callable[[str], None]) -> None:
    postgres.query(TRIGGER)
    names = [f"{kind}{number}" for number in range(PEOPLE) for kind in ("signature", "mail")]
    with Choosy() as smtp, Site(folders(), postgres.url(), smtp_port=smtp.port) as site:
        site.python(MAILING)
        site.start_web()
        for number, name in enumerate(names):
            poisoned = f"poison-{name}" if number // 2 % 5 == 0 else name
            assert sign(site.port, f"{poisoned}@load.example").status == 303
        worker = site.start_worker()

        well = PEOPLE * 4 // 5
        took = {
            name: eventually(lambda name=name: smtp.arrived(name) == well, within=240)
            for name in ("signature", "mail", "request", "copy")
        }

    parked = postgres.query("SELECT count(*) FROM signers_submission WHERE parked_at IS NOT NULL")[0][0]
    signed = postgres.query("SELECT count(*) FROM signers_signature WHERE email NOT LIKE 'copy%'")[0][0]
    put_off = dict(
        postgres.query(
            "SELECT 'mails', count(*) FROM signers_outgoingmail WHERE sent_at IS NULL AND attempts > 0 AND due_at > now()"
            " UNION ALL SELECT 'copies', count(*) FROM mailings_recipient WHERE sent_at IS NULL AND due_at > now()"
        )
    )
    note(
        f"{PEOPLE} in each queue, every fifth bad; {parked} parked, put off {put_off}, seconds {Counter(took)}"
    )
    assert parked == PEOPLE // 5
    assert signed == 2 * PEOPLE - parked
    assert postgres.query("SELECT count(*) FROM signers_ownpagerequest") == [(0,)]
    assert worker.starts == 1
