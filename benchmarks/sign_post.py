"""The sign post beside a Django view that writes one row with all middleware; sign posts a second."""

import statistics
from datetime import timedelta
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.fold import make_petitions
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
        sign = f"/petitions/{petition.slug}/sign/"
        script = SCRIPT.replace("STAMP", stamp_of(petition))
        with (
            gunicorn(workers=WORKERS) as ours,
            gunicorn(
                workers=WORKERS, env={"DJANGO_SETTINGS_MODULE": "benchmarks.one_insert_settings"}
            ) as yardstick,
        ):
            slowest: list[float] = []

            def posts(url: str, *, note: bool = False) -> float:
                load = wrk(url, seconds=SECONDS, connections=SIGNERS, script=script)
                if load.errors:
                    raise RuntimeError(f"{load.errors} posts to {url} failed.")
                if note:
                    slowest.append(1000 * load.p99)
                return load.requests_per_second

            sides = {
                "ours": lambda: posts(ours + sign, note=True),
                "yardstick": lambda: posts(f"{yardstick}/insert/"),
            }
            interleaved(sides, 1)
            slowest.clear()
            before = written(petition)
            rates = interleaved(sides, ROUNDS)
            taken = written(petition) - before
    answered = sum(rates["ours"]) * SECONDS
    if taken < 0.98 * answered:
        raise RuntimeError(f"{answered:.0f} posts were answered with 303, and {taken} are there.")
    return figures_of(rates, slowest, vendor)


def figures_of(rates: dict[str, list[float]], slowest: list[float], vendor: str) -> list[Figure]:
    beside = f"{vendor}, {WORKERS} workers, {SIGNERS} signers at once"
    peers = [rate / PEER for rate in rates["ours"]]
    return [
        Figure.of(
            "sign POST : a Django view that does one INSERT with all middleware",
            ratios(rates["ours"], rates["yardstick"]),
            target=TARGET,
            stretch=STRETCH,
            beside=f"{shown(rates['ours'])} : {shown(rates['yardstick'])} a second; {beside}",
        ),
        Figure.of("sign POSTs", rates["ours"], unit="/s", beside=beside),
        Figure.of(
            f"sign POSTs a second : the nearest peer’s {PEER}",
            peers,
            target=TIMES_PEER[0],
            stretch=TIMES_PEER[1],
        ),
        Figure.of(
            f"sign POSTs a second : the peer’s {TUNED_PEER}, tuned",
            [rate / TUNED_PEER for rate in rates["ours"]],
            target=TIMES_TUNED,
        ),
        Figure.of(
            "sign POST, p99",
            slowest,
            unit="ms",
            beside=f"median {statistics.median(slowest):.0f} ms; {beside}",
        ),
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
