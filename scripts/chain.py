"""Starts everything of deploy/ that Debian packages on this machine, breaks it under load, and counts afterwards.

nginx, two web servers, two workers, PgBouncer in transaction mode, a PostgreSQL primary and a synchronous replica.
While people sign, a web server is killed, the replica hangs, the primary is killed and the replica takes over. Takes
about two minutes and leaves nothing running. `make chain`
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from chain_postgres import ROOT, Server, cpu_seconds, family, tail, wait_until
from chain_site import Pooler, Program, free_port, front, manage, site_environment, web_server, worker
from chain_visitors import Crowd, Ledger

if TYPE_CHECKING:
    from petitions.models import Petition

SIGNERS, READERS = 6, 2
ORDINARY, WITHOUT_A_HOST, HANGING, WITHOUT_A_PRIMARY, AFTERWARDS = 15, 15, 5, 6, 15  # seconds
SIGNED_BEFORE = 5_000
QUIET_WITHIN = 60  # seconds for what is still waiting at the end


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    require("nginx", "pgbouncer", "openssl")
    began = time.monotonic()
    print(f"Load of this machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory(
            prefix="undersigned-chain-", dir="/tmp", ignore_cleanup_errors=True
        ) as name,
        Chain(Path(name)) as chain,
    ):
        story(chain)
    print(f"{time.monotonic() - began:.0f} s; {len(chain.wrong)} of {chain.checked} wrong")
    return 1 if chain.wrong else 0


def require(*programs: str) -> None:
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        sys.exit(
            f"Missing: {' '.join(missing)}. On Debian or Ubuntu: sudo apt-get install {' '.join(missing)}"
        )


class Chain:
    """All the programs, started in order and stopped in the other one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = ExitStack()
        self.checked = 0
        self.wrong: list[str] = []

    def __enter__(self) -> "Chain":
        with ExitStack() as stack:
            self.folder.chmod(0o755)
            self.start(stack)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        if self.wrong:
            for log in sorted(self.folder.glob("*.log")):
                print(f"--- {log.stem} said at the end:\n{tail(log)}")
        self.stack.close()

    def start(self, stack: ExitStack) -> None:
        sys.path.insert(0, str(ROOT))
        from benchmarks.killed_mailing import Sink

        self.sink = stack.enter_context(Sink(answers_within=0))
        self.primary = self.database("one", stack)
        self.primary.begin()
        self.replica = self.database("two", stack)
        self.replica.follow(self.primary)
        self.primary.wait_for_the_replica()
        direct = site_environment(self.primary.url, mail_port=self.sink.port, pooled=False)
        manage(direct, "migrate", "--no-input")
        manage(direct, "collectstatic", "--no-input")
        self.pooler = Pooler(self.folder / "pooler", self.primary)
        self.run(self.pooler, stack)
        environment = site_environment(self.pooler.url, mail_port=self.sink.port)
        self.slug = prepare(environment)
        self.hosts = tuple(web_server(name, self.folder, environment) for name in ("web-1", "web-2"))
        self.workers = tuple(worker(name, self.folder, environment) for name in ("worker-1", "worker-2"))
        self.front = front(self.folder / "front", (self.hosts[0], self.hosts[1]))
        for program in (*self.hosts, *self.workers, self.front):
            self.run(program, stack)
        for host in self.hosts:
            wait_until(lambda host=host: is_well(host.port), f"{host.name} does not answer.")  # type: ignore[misc]

    def database(self, name: str, stack: ExitStack) -> Server:
        server = Server(self.folder / name, free_port())
        stack.callback(server.stop)
        return server

    def run(self, program: Program, stack: ExitStack) -> None:
        stack.callback(program.stop)
        program.start()

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU that each kind of program has used."""
        programs: dict[str, tuple[Program | Server, ...]] = {
            "web servers": self.hosts,
            "workers": self.workers,
            "PgBouncer": (self.pooler,),
            "nginx": (self.front,),
            "primary": (self.primary,),
            "replica": (self.replica,),
        }
        return {
            name: sum(cpu_seconds(family(one.process.pid)) for one in group if one.process)
            for name, group in programs.items()
        }

    def check(self, what: str, good: bool, figures: object = "") -> None:
        self.checked += 1
        if not good:
            self.wrong.append(what)
        print(f"  {'ok   ' if good else 'WRONG'} {what}{f': {figures}' if figures != '' else ''}", flush=True)


def prepare(environment: dict[str, str]) -> str:
    """Sets Django up on the pooled database, with a petition that counts at once; returns its slug."""
    os.environ.update(environment)
    import django

    django.setup()
    from django.utils import timezone

    from fraud.rules import switch_all
    from tests.factories import make_petition

    # A crowd on one machine looks like a machine.
    switch_all(on=False)
    petition = make_petition(at=timezone.now(), confirmation="afterwards")
    sign_before(make_petition(at=timezone.now()))
    return petition.slug


def sign_before(petition: "Petition") -> None:
    """Rows for an export; none of them counts."""
    from django.utils import timezone

    from signers.models import Signature, Supporter

    now = timezone.now()
    emails = [f"before-{number}@people.example" for number in range(SIGNED_BEFORE)]
    people = Supporter.objects.bulk_create(
        [
            Supporter(email=email, mailbox=email, first_name="Ada", last_name="Reed", created_at=now)
            for email in emails
        ]
    )
    Signature.objects.bulk_create(
        [
            Signature(
                petition=petition,
                supporter=person,
                version=petition.current_version,
                signed_at=now,
                first_name="Ada",
                last_name="Reed",
                email=person.email,
                updates=False,
                wording="Updates?",
            )
            for person in people
        ]
    )


def is_well(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


# --- What happens ----------------------------------------------------------------------------------------------


def story(chain: Chain) -> None:
    crowd = Crowd(
        port=chain.front.port,
        certificate=chain.folder / "front" / "fullchain.pem",
        path=f"/petitions/{chain.slug}/",
        signers=SIGNERS,
        readers=READERS,
    )
    the_pooler_is_told_nothing(chain)
    with crowd as ledger:
        everything_is_fine(chain, ledger)
        a_web_server_dies(chain, ledger)
        the_replica_hangs(chain, ledger)
        the_primary_dies(chain, ledger)
    count(chain, ledger)


def the_pooler_is_told_nothing(chain: Chain) -> None:
    """The limits of time come with the role, since a pooled session cannot be asked for them."""
    print("PgBouncer in transaction mode")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        limit = cursor.fetchone()[0]
        cursor.execute("SHOW synchronous_commit")
        written = cursor.fetchone()[0]
    chain.check("statements have the role's limit", limit == "30s", limit)
    chain.check("a commit waits for the replica's disk", written == "on", written)
    chain.check("a site that was not told of the pooler is refused", is_refused(chain.pooler.url))


def is_refused(url: str) -> bool:
    import psycopg2

    try:
        psycopg2.connect(url, options="-c statement_timeout=30s").close()
    except psycopg2.OperationalError:
        return True
    return False


def everything_is_fine(chain: Chain, ledger: Ledger) -> None:
    print("Two web servers, two workers, a synchronous replica")
    begins, cpu, log = time.monotonic(), chain.cpu(), chain.primary.ask("SELECT pg_current_wal_lsn()")
    time.sleep(ORDINARY * 2 / 3)
    exported_under_load(chain)
    time.sleep(max(0, begins + ORDINARY - time.monotonic()))
    ends = time.monotonic()
    written = int(chain.primary.ask(f"SELECT pg_current_wal_lsn() - '{log}'"))
    report(ledger, begins, ends)
    statuses = ledger.statuses(begins, ends)
    number = max(1, statuses[303])
    spent = ", ".join(
        f"{name} {(now - cpu[name]) / number * 1000:.1f} ms" for name, now in chain.cpu().items()
    )
    print(
        f"  of CPU for each signature, folded, counted and mailed: {spent}; {written / number / 1024:.1f} KB of WAL"
    )
    chain.check("everybody was told that they have signed", set(statuses) == {303}, dict(statuses))
    reads = ledger.read_statuses(begins, ends)
    chain.check("every page was answered", set(reads) == {200}, dict(reads))


def exported_under_load(chain: Chain) -> None:
    from signers.exporting import blocks
    from signers.models import Signature

    everybody = Signature.objects.all()
    before = everybody.count()
    lines = b"".join(blocks(everybody)).count(b"\n") - 1
    walked = sum(1 for _ in everybody.iterator(chunk_size=100))
    after = everybody.count()
    chain.check("an export (COPY) through the pooler is whole", before <= lines <= after, f"{lines:,} lines")
    chain.check("reading row by row needs no session", lines <= walked <= after, f"{walked:,} rows")


def a_web_server_dies(chain: Chain, ledger: Ledger) -> None:
    print("One web server killed with -9, all its processes at once")
    begins = time.monotonic()
    chain.hosts[0].kill()
    time.sleep(WITHOUT_A_HOST)
    ends = time.monotonic()
    report(ledger, begins, ends)
    told = ledger.statuses(begins - 1, ends)
    failed = sum(told.values()) - told[303]
    chain.check(
        "only what was in the dead one's hands failed", failed <= SIGNERS, f"{failed} posts, {dict(told)}"
    )
    advised = [post for post in ledger.within(begins - 1, ends) if "press the button once more" in post.said]
    chain.check("and those were told what to do", len(advised) == failed, f"{len(advised)} of {failed}")
    later = ledger.statuses(begins + 2, ends)
    chain.check("two seconds later nobody notices", set(later) == {303}, dict(later))
    reads = ledger.read_statuses(begins, ends)
    chain.check("every page was answered", set(reads) == {200}, dict(reads))
    chain.hosts[0].start()


def the_replica_hangs(chain: Chain, ledger: Ledger) -> None:
    print(f"The replica hangs for {HANGING} seconds")
    chain.replica.signal_all(signal.SIGSTOP)
    begins = time.monotonic() + 0.2
    time.sleep(HANGING)
    ends = time.monotonic()
    chain.replica.signal_all(signal.SIGCONT)
    told = [post for post in ledger.within(begins, ends) if post.acknowledged and post.ended < ends]
    chain.check("nobody is told that they have signed meanwhile", not told, len(told))
    resumed = first_acknowledged(ledger, ends)
    chain.check("then it goes on", resumed is not None, f"after {resumed or 0:.1f} s")


def the_primary_dies(chain: Chain, ledger: Ledger) -> None:
    print("The primary killed with -9, and its replica promoted")
    begins = time.monotonic()
    chain.primary.kill()
    time.sleep(WITHOUT_A_PRIMARY)
    told = [post for post in ledger.within(begins, time.monotonic()) if post.status == 503]
    chain.check(
        "visitors get a page that keeps what they typed", bool(told) and all(p.kept for p in told), len(told)
    )
    slowest = max((post.ended - post.began for post in told), default=0)
    chain.check("within five seconds", bool(told) and slowest <= 5, f"at most {slowest:.1f} s")
    promoted = time.monotonic()
    chain.replica.promote()
    chain.pooler.lead_to(chain.replica)
    resumed = first_acknowledged(ledger, promoted)
    chain.check(
        "people sign again without any restart",
        resumed is not None,
        f"{resumed or 0:.1f} s after the promotion began; {time.monotonic() - begins:.1f} s after the kill",
    )
    replace_the_replica(chain)
    time.sleep(AFTERWARDS)
    ends = time.monotonic()
    report(ledger, begins, ends)
    later = ledger.statuses(ends - AFTERWARDS, ends)
    chain.check("as if nothing had been", set(later) == {303}, dict(later))


def replace_the_replica(chain: Chain) -> None:
    """The machine that died comes back as a replica of the new primary, while people sign."""
    shutil.rmtree(chain.primary.data)
    chain.primary.follow(chain.replica)
    chain.replica.wait_for_the_replica()
    chain.primary, chain.replica = chain.replica, chain.primary
    chain.check("the machine that died follows the new primary", True)


def first_acknowledged(ledger: Ledger, since: float) -> float | None:
    """Seconds from `since` until somebody is told again that they have signed."""

    def told() -> list[float]:
        return [post.ended - since for post in list(ledger.posts) if post.acknowledged and post.ended > since]

    try:
        wait_until(lambda: bool(told()), "", within=20)
    except SystemExit:
        return None
    return min(told())


# --- What is left ------------------------------------------------------------------------------------------------


def count(chain: Chain, ledger: Ledger) -> None:
    """Compares what people were told with what the database holds."""
    print("Afterwards")
    from django.db import connection

    from petitions.models import Petition
    from signers.counting import recount
    from signers.models import CountChange, OutgoingMail, Signature, Submission

    connection.close()
    ends = time.monotonic()
    done = False
    while not done and time.monotonic() < ends + QUIET_WITHIN:
        done = not (Submission.objects.exists() or CountChange.objects.exists())
        time.sleep(0.1)
    chain.check(
        "everything is folded and counted", done, f"{time.monotonic() - ends:.1f} s after the last post"
    )
    acknowledged, asked = ledger.acknowledged(), ledger.asked()
    ours = Signature.objects.filter(petition__slug=chain.slug)
    stored = Counter(ours.values_list("email", flat=True))
    lost = acknowledged - stored.keys()
    print(
        f"  {sum(asked.values()):,} posts of {len(asked):,} people; {len(acknowledged):,} were told that they signed"
    )
    chain.check("nothing acknowledged is lost", not lost, len(lost))
    chain.check("nobody is there twice", not [email for email, times in stored.items() if times > 1])
    chain.check("nobody is there who did not sign", stored.keys() <= asked.keys())
    petition = Petition.objects.select_related("tally").get(slug=chain.slug)
    counted = ours.counted().count()
    chain.check(
        "the count is exact",
        petition.tally.count == counted == len(stored),
        f"{petition.tally.count:,} shown, {counted:,} counted, {len(stored):,} there",
    )
    chain.check("counting again finds nothing to repair", not recount())
    unasked = nginx_repeats(asked)
    chain.check("nginx sent no post twice", not unasked, len(unasked))
    mailed = Counter(chain.sink.taken)
    more = [email for email, times in mailed.items() if times > asked[email]]
    doubt = OutgoingMail.objects.filter(handed_over_at__isnull=False, sent_at=None, failed_at=None).count()
    chain.check("nobody got more mails than they pressed the button", not more, f"{doubt} mails in doubt")


def nginx_repeats(asked: Counter[str]) -> list[str]:
    """Who pressed once, and of whom two posts arrived: the second one would be answered by a second mail."""
    from django.db.models import Count

    from signers.models import OutgoingMail

    mails = OutgoingMail.objects.values("to").annotate(number=Count("pk")).filter(number__gt=1)
    return [row["to"] for row in mails if asked[row["to"]] == 1]


def report(ledger: Ledger, begins: float, ends: float) -> None:
    posts = ledger.within(begins, ends)
    times = sorted(post.ended - post.began for post in posts if post.acknowledged)
    reads = sum(ledger.read_statuses(begins, ends).values())
    seconds = ends - begins
    if times:
        half, most = (times[len(times) * share // 100] * 1000 for share in (50, 95))
        rates = f"{len(times) / seconds:.0f} signatures and {reads / seconds:.0f} page reads a second"
        print(
            f"  {rates} for {seconds:.0f} s;"
            f" half within {half:.0f} ms, 95 % within {most:.0f} ms;"
            f" the longest time without a signature {ledger.longest_wait(begins, ends):.1f} s"
        )


if __name__ == "__main__":
    sys.exit(main())
