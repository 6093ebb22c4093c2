"""The campaign page with 1,000 petitions beside the one with ten: queries, bytes, and time as a ratio.

Through the WSGI handler, as gunicorn calls it. The two pages take turns, so that what else the machine does hits both.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any
from wsgiref.util import setup_testing_defaults

from benchmarks.figures import Figure, finish
from benchmarks.throwaway import database

FEW, MANY = 10, 1_000
ROUNDS = 60
MOST_QUERIES, MOST_BYTES, MOST_TIMES = 3, 60, 2.0  # the bytes in KB
STARTS = "Al Bran Cor Dun El Fen Glen Har Ivel Kes Lor Mar Nor Ost Pel Quill Ros Sel Thorn Ul Vel Wes Yar Zan"
MIDDLES = "a e i o u an en er in or al ing ar"
ENDS = "bridge burg by combe den field ford gate ham haven ley mere mouth port stead ton vale wick wood worth"
FIRST = (
    "Ada Bo Carla Dev Elif Femi Goro Hana Ines Jan Kofi Lena Milo Nour Olga Pia Quinn Rosa Sami Tove Uma Yara"
)


def main() -> list[Figure]:
    with database() as vendor:
        return measure(vendor)


def measure(vendor: str) -> list[Figure]:
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
    of_many = f"campaign page with {MANY:,} petitions"
    figures = [
        Figure.of(f"{of_many}: queries", [len(queries)], unit="", target=MOST_QUERIES, at_most=True),
        Figure.of(f"{of_many}: compressed", [bytes_sent / 1024], unit="KB", target=MOST_BYTES, at_most=True),
    ]
    for name, before in (
        ("asked again", lambda: None),
        ("somebody has signed", somebody_signs()),
        ("nothing remembered", forget),
    ):
        few_times, many_times = interleaved([few, many], before)
        figures.append(
            Figure.of(
                f"{of_many} : with {FEW}, {name}",
                ratios(many_times, few_times),
                target=None if before is forget else MOST_TIMES,
                at_most=True,
                beside=f"{vendor}, {shown(many_times)} : {shown(few_times)}",
            )
        )
    return figures


def ratios(many: list[float], few: list[float]) -> list[float]:
    """One for each fifth of the rounds: a single request says little."""
    part = ROUNDS // 5
    starts = range(0, ROUNDS, part)
    return [
        statistics.median(many[start : start + part]) / statistics.median(few[start : start + part])
        for start in starts
    ]


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
    answer: Any = application(environ, lambda status, headers, error=None: bytes)
    body = b"".join(answer)
    answer.close()
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answers {answer.status_code}")
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
    """Like a process that has just started; for information, since it is one request in a day."""
    from petitions import campaign_page, public_pages

    for remembered in (campaign_page.row_html, campaign_page.sides_of, public_pages.packed):
        remembered.cache_clear()


def build(slug: str, petitions: int) -> str:
    """A campaign with so many live petitions, a tenth of them thank-yous, with a month of signatures; its address."""
    from campaigns.models import Campaign, Organization, Place, Target
    from petitions.models import Kind, Letter, Petition

    dice = random.Random(1)
    organization, _made = Organization.objects.get_or_create(name="Readers’ Common", accent="#14596b")
    campaign = Campaign.objects.create(
        organization=organization, slug=slug, title="Open Sundays", summary="Open the library on Sundays."
    )
    texts = {"headline": "H", "lead_in": "L", "statement": "S", "call_to_action": "C", "body": "B"}
    letters = [Letter.objects.create(campaign=campaign, kind=kind, **texts) for kind in Kind.values]
    places = Place.objects.bulk_create(
        [Place(name=name, region=slug) for name in invented_names(petitions, dice)]
    )
    people = [f"{pick(FIRST, dice)} {pick(STARTS, dice)}{pick(ENDS, dice)}" for _ in places]
    targets = Target.objects.bulk_create(
        [
            Target(campaign=campaign, name=name, place=place)
            for name, place in zip(people, places, strict=True)
        ]
    )
    made = Petition.objects.bulk_create(
        [
            Petition(
                letter=letters[number % 10 == 3], target=target, slug=f"{slug}-{target.place.name.lower()}"
            )
            for number, target in enumerate(targets)
        ]
    )
    publish_without_rendering(made)
    count_signatures(campaign, made, dice)
    return campaign.get_absolute_url()


def pick(words: str, dice: random.Random) -> str:
    return dice.choice(words.split())


def invented_names(number: int, dice: random.Random) -> list[str]:
    names: set[str] = set()
    while len(names) < number:
        names.add(pick(STARTS, dice) + pick(MIDDLES, dice) + pick(ENDS, dice))
    return sorted(names)


def publish_without_rendering(petitions: list[Any]) -> None:
    """Versions as long as those of a letter of some 600 words, which a list must not read."""
    from django.utils import timezone

    from petitions.models import Petition, Version

    now = timezone.now()
    long = "Many people ask for it. " * 150
    texts = {"statement": "Open it.", "letter_html": long, "letter_text": long, "button": "Sign"}
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
                published_at=now,
                **texts,
            )
            for petition in petitions
        ],
        batch_size=200,
    )
    for petition, version in zip(petitions, versions, strict=True):
        petition.current_version, petition.live_at = version, now - timedelta(days=30)
    Petition.objects.bulk_update(petitions, ["current_version", "live_at"], batch_size=200)


def count_signatures(campaign: Any, petitions: list[Any], dice: random.Random) -> None:
    """Few cities have many signatures, many have few."""
    from django.utils import timezone

    from petitions.models import CampaignTally, DayTally, Tally
    from petitions.momentum import remember

    now = timezone.now()
    counts = [int(dice.paretovariate(0.8) * 20) % 100_000 for _ in petitions]
    Tally.objects.bulk_create(
        [Tally(petition=petition, count=number) for petition, number in zip(petitions, counts, strict=True)]
    )
    days = [timezone.localdate(now) - timedelta(days=number) for number in range(30)]
    DayTally.objects.bulk_create(
        [DayTally(petition=row, day=day, gained=dice.randrange(40)) for row in petitions for day in days]
    )
    remember(at=now)
    CampaignTally.objects.create(campaign=campaign, people=sum(counts) * 9 // 10)


if __name__ == "__main__":
    finish(main())
