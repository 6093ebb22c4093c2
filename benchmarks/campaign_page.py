"""The campaign page with 1,000 petitions beside the one with ten: queries, bytes, and time as a ratio.

Through the WSGI handler, as gunicorn calls it. The two pages take turns, so that what else the machine does hits both.
"""

import gc
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any
from wsgiref.util import setup_testing_defaults

from benchmarks.throwaway import database

FEW, MANY = 10, 1_000
ROUNDS = 60
MOST_QUERIES, MOST_BYTES, MOST_TIMES = 3, 60 * 1024, 2.0
STARTS = "Al Bran Cor Dun El Fen Glen Har Ivel Kes Lor Mar Nor Ost Pel Quill Ros Sel Thorn Ul Vel Wes Yar Zan"
MIDDLES = "a e i o u an en er in or al ing ar"
ENDS = "bridge burg by combe den field ford gate ham haven ley mere mouth port stead ton vale wick wood worth"
FIRST = (
    "Ada Bo Carla Dev Elif Femi Goro Hana Ines Jan Kofi Lena Milo Nour Olga Pia Quinn Rosa Sami Tove Uma Yara"
)


def main() -> int:
    with database() as vendor:
        return measure(vendor)


def measure(vendor: str) -> int:
    """Prints the figures; 1 where one misses its target."""
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    call_command("collectstatic", verbosity=0, interactive=False)
    few, many = build("few", FEW), build("many", MANY)
    if connection.vendor == "postgresql":
        # As autovacuum does after so many new rows.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    get(many)
    with CaptureQueriesContext(connection) as queries:
        bytes_sent = get(many)
    print(f"{vendor}, {MANY:,} petitions: {len(queries)} queries, {bytes_sent / 1024:.1f} KB compressed")
    missed = len(queries) > MOST_QUERIES or bytes_sent > MOST_BYTES
    for name, before in (
        ("asked again", lambda: None),
        ("somebody has signed", somebody_signs()),
        ("nothing remembered", forget),
    ):
        few_times, many_times = interleaved([few, many], before)
        ratio = statistics.median(many_times) / statistics.median(few_times)
        print(f"{name:>20}: {shown(many_times)} to {shown(few_times)}, ratio {ratio:.2f}")
        missed |= ratio > MOST_TIMES
    return int(missed)


def shown(times: list[float]) -> str:
    """The median in milliseconds, with the middle half of all."""
    lower, middle, upper = (1000 * cut for cut in statistics.quantiles(times, n=4))
    return f"{middle:.1f} ms ({lower:.1f}–{upper:.1f})"


def interleaved(addresses: list[str], before: Callable[[], None]) -> list[list[float]]:
    """Seconds that each page took, `ROUNDS` times; `before` each it does something that is not measured."""
    times: list[list[float]] = [[] for _ in addresses]
    gc.collect()
    for _ in range(ROUNDS):
        for address, taken in zip(addresses, times, strict=True):
            before()
            start = time.perf_counter()
            get(address)
            taken.append(time.perf_counter() - start)
    return times


def get(address: str) -> int:
    """Asks for a page as a web server does; returns how many bytes came."""
    from config.wsgi import application

    environ: dict[str, Any] = {
        "PATH_INFO": address,
        "HTTP_HOST": "testserver",
        "HTTP_ACCEPT_ENCODING": "gzip",
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []
    answer = application(environ, lambda status, headers, exc_info=None: statuses.append(status))
    body = b"".join(answer)
    answer.close()
    if not statuses[0].startswith("200"):
        raise RuntimeError(f"{address} answers {statuses[0]}")
    return len(body)


def somebody_signs() -> Callable[[], None]:
    """Each call adds a signature in a city of each campaign, another one each time."""
    from django.db.models import F

    from petitions.models import Tally

    calls = count()
    ids = {
        slug: list(Tally.objects.filter(petition__slug__startswith=slug).values_list("pk", flat=True))
        for slug in ("few", "many")
    }

    def sign() -> None:
        turn = next(calls)
        chosen = [of_campaign[turn % len(of_campaign)] for of_campaign in ids.values()]
        Tally.objects.filter(pk__in=chosen).update(count=F("count") + 1)

    return sign


def forget() -> None:
    """Like a process that has just started."""
    from petitions import campaign_page, public_pages

    for remembered in (campaign_page.row_html, campaign_page.sides_of, public_pages.packed):
        remembered.cache_clear()


def build(slug: str, petitions: int) -> str:
    """A campaign with so many live petitions, a tenth of them thank-yous, with a week of signatures; its address."""
    from django.utils import timezone

    from campaigns.models import Campaign, Organization, Place, Target
    from petitions.models import CampaignTally, DayTally, Kind, Letter, Petition, Tally, Version

    now, dice = timezone.now(), random.Random(1)
    organization, _ = Organization.objects.get_or_create(name="Readers’ Common", accent="#14596b")
    campaign = Campaign.objects.create(
        organization=organization, slug=slug, title="Open Sundays", summary="Open the library on Sundays."
    )
    letters = {
        kind: Letter.objects.create(
            campaign=campaign,
            kind=kind,
            headline="H",
            lead_in="L",
            statement="S",
            call_to_action="C",
            body="B",
        )
        for kind in Kind.values
    }
    starts, middles, ends, first = (words.split() for words in (STARTS, MIDDLES, ENDS, FIRST))
    names: set[str] = set()
    while len(names) < petitions:
        names.add(dice.choice(starts) + dice.choice(middles) + dice.choice(ends))
    ordered = sorted(names)
    places = Place.objects.bulk_create([Place(name=name, region=slug, country="X") for name in ordered])
    targets = Target.objects.bulk_create(
        [
            Target(
                campaign=campaign,
                name=f"{dice.choice(first)} {dice.choice(starts)}{dice.choice(ends)}",
                place=place,
            )
            for place in places
        ]
    )
    made = Petition.objects.bulk_create(
        [
            Petition(
                letter=letters["thank-you" if number % 10 == 3 else "demand"],
                target=target,
                slug=f"{slug}-{target.place.name.lower()}",
                position=number,
            )
            for number, target in enumerate(targets)
        ]
    )
    versions = Version.objects.bulk_create(
        [
            Version(
                petition=petition,
                number=1,
                digest=f"{petition.pk:064x}",
                kind=petition.letter.kind,
                addressee=petition.target.title,
                place_name=petition.target.place.name,
                headline=f"Open {petition.target.place.name}’s library on Sundays",
                statement_html="<p>Open it.</p>",
                statement="Open it.",
                letter_html="<p>" + "Many people ask for it. " * 150 + "</p>",
                letter_text="Many people ask for it. " * 150,
                call_to_action="Tell",
                button="Sign",
                share_title="Open",
                share_text="Open it.",
                published_at=now,
            )
            for petition in made
        ]
    )
    for petition, version in zip(made, versions, strict=True):
        petition.current_version, petition.live_at = version, now - timedelta(days=30)
    Petition.objects.bulk_update(made, ["current_version", "live_at"], batch_size=200)
    Tally.objects.bulk_create(
        [Tally(petition=petition, count=int(dice.paretovariate(0.8) * 20) % 100_000) for petition in made]
    )
    DayTally.objects.bulk_create(
        [
            DayTally(petition=petition, day=now.date() - timedelta(days=day), gained=dice.randrange(40))
            for petition in made
            for day in range(30)
        ]
    )
    from petitions.momentum import remember

    remember(at=now)
    CampaignTally.objects.create(
        campaign=campaign, people=sum(petition.tally.count for petition in made) * 9 // 10
    )
    return campaign.get_absolute_url()


if __name__ == "__main__":
    sys.exit(main())
