"""The sign post beside a Django view that writes one row with all middleware; sign posts a second."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.fold import make_petitions
from benchmarks.processes import processor_time, sessions, workers_of
from benchmarks.servers import gunicorn, interleaved, ratios, shown, wrk
from benchmarks.throwaway import database

ROUNDS, SECONDS, SIGNERS, WORKERS = 5, 3, 32, 4
TARGET, STRETCH = 0.9, 1.05
# Signatures a second of the nearest peer, measured before on two such cores: as shipped, and with its hashing of
# addresses made cheap.
PEER, TUNED_PEER = 5.5, 41
TIMES_PEER, TIMES_TUNED = (100, 200), 15
# Somebody else each time, as in earnest: the database must not see the same row again and again.
SCRIPT = """
local number = 0
local ours = 0
function init(args) math.randomseed(os.time()) ours = math.random(100000000) end
function request()
    number = number + 1
    local body = "first_name=Connie&last_name=Rivera&updates=yes&elapsed=21000&website=&version=1&stamp=STAMP&email=c"
        .. ours .. "x" .. number .. "%40people.example"
    return wrk.format("POST", nil, {
        ["Content-Type"] = "application/x-www-form-urlencoded",
        ["Sec-Fetch-Site"] = "same-origin",
        ["Referer"] = "http://127.0.0.1/petitions/rivermouth-0/?utm_source=mail",
    }, body)
end
"""


def main() -> list[Figure]:
    with database() as vendor:
        petition = make_petitions()[0]
        script = SCRIPT.replace("STAMP", stamp_of(petition))
        settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.one_insert_settings"}
        with gunicorn(workers=WORKERS) as ours, gunicorn(workers=WORKERS, env=settings) as yardstick:
            side = Side(f"{ours}/petitions/{petition.slug}/sign/", script)
            other = Side(f"{yardstick}/insert/", script)
            sides = {"ours": side.posts, "yardstick": other.posts}
            interleaved(sides, 1)
            side.rounds.clear()
            other.rounds.clear()
            before = written(petition)
            rates = interleaved(sides, ROUNDS)
            taken = written(petition) - before
    answered = sum(rates["ours"]) * SECONDS
    if taken < 0.98 * answered:
        raise RuntimeError(f"{answered:.0f} posts were answered with 303, and {taken} are there.")
    return figures_of(side, other, rates, vendor)


@dataclass(frozen=True)
class Round:
    p99: float  # milliseconds
    work: float  # microseconds of processor time for one post, of web worker and database together


@dataclass
class Side:
    url: str
    script: str
    rounds: list[Round] = field(default_factory=list)

    def posts(self) -> float:
        """How many a second."""
        processes = [*workers_of(self.url.partition("/petitions")[0].partition("/insert")[0]), *sessions()]
        before = processor_time(processes)
        load = wrk(self.url, seconds=SECONDS, connections=SIGNERS, script=self.script)
        if load.errors:
            raise RuntimeError(f"{load.errors} posts to {self.url} failed.")
        # A session that began meanwhile is left out on both sides.
        used = processor_time(processes) - before
        self.rounds.append(Round(1000 * load.p99, 1e6 * used / (load.requests_per_second * SECONDS)))
        return load.requests_per_second


def figures_of(side: Side, other: Side, rates: dict[str, list[float]], vendor: str) -> list[Figure]:
    beside = f"{vendor}, {WORKERS} workers, {SIGNERS} signers at once"
    work, others_work = ([one.work for one in each.rounds] for each in (side, other))
    return [
        Figure.of(
            "sign POST : a Django view that does one INSERT with all middleware",
            ratios(rates["ours"], rates["yardstick"]),
            target=TARGET,
            stretch=STRETCH,
            beside=f"{shown(rates['ours'])} : {shown(rates['yardstick'])} a second; {beside}",
        ),
        Figure.of(
            "the same by processor time, which holds on a busy machine too",
            ratios(others_work, work),
            beside=f"{shown(others_work)} : {shown(work)} µs a post, web worker and database session",
        ),
        Figure.of("sign POSTs", rates["ours"], unit="/s", beside=beside),
        Figure.of(
            f"sign POSTs a second : the nearest peer’s {PEER}",
            [rate / PEER for rate in rates["ours"]],
            target=TIMES_PEER[0],
            stretch=TIMES_PEER[1],
            beside="the peer was measured before, alone on two such cores",
        ),
        Figure.of(
            f"sign POSTs a second : the peer’s {TUNED_PEER}, tuned",
            [rate / TUNED_PEER for rate in rates["ours"]],
            target=TIMES_TUNED,
        ),
        Figure.of("sign POST, p99", [one.p99 for one in side.rounds], unit="ms", beside=beside),
    ]


def stamp_of(petition: Any) -> str:
    """Of a page that was opened half a minute ago."""
    from django.utils import timezone

    from petitions.views import live_page
    from signers.forms import new_stamp

    return new_stamp(live_page(petition.slug), timezone.now() - timedelta(seconds=30))


def written(petition: Any) -> int:
    from signers.models import Submission

    return Submission.objects.filter(petition_id=petition.pk).exclude(referral_code="abcdefghjk").count()


if __name__ == "__main__":
    finish(main())
