"""The campaign page with 1,000 petitions beside the one with ten: time, queries, bytes."""

import gc
import random
import statistics
import sys
import time
from datetime import timedelta
from typing import Any

from benchmarks.throwaway import database

FEW, MANY = 10, 1_000
ROUNDS = 60
MOST_QUERIES, MOST_BYTES, MOST_TIMES = 3, 60 * 1024, 2.0
STARTS = (
    "Al",
    "Bran",
    "Cor",
    "Dun",
    "El",
    "Fen",
    "Glen",
    "Har",
    "Ivel",
    "Kes",
    "Lor",
    "Mar",
    "Nor",
    "Ost",
    "Pel",
    "Quill",
    "Ros",
    "Sel",
    "Thorn",
    "Ul",
    "Vel",
    "Wes",
    "Yar",
    "Zan",
)
MIDDLES = (
    "a",
    "e",
    "i",
    "o",
    "u",
    "an",
    "en",
    "er",
    "in",
    "or",
    "al",
    "ing",
    "ar",
)
ENDS = (
    "bridge",
    "burg",
    "by",
    "combe",
    "den",
    "field",
    "ford",
    "gate",
    "ham",
    "haven",
    "ley",
    "mere",
    "mouth",
    "port",
    "stead",
    "ton",
    "vale",
    "wick",
    "wood",
    "worth",
)
FIRST = (
    "Ada",
    "Bo",
    "Carla",
    "Dev",
    "Elif",
    "Femi",
    "Goro",
    "Hana",
    "Ines",
    "Jan",
    "Kofi",
    "Lena",
    "Milo",
    "Nour",
    "Olga",
    "Pia",
    "Quinn",
    "Rosa",
    "Sami",
    "Tove",
    "Uma",
    "Vik",
    "Wen",
    "Yara",
)


def main() -> int:
    with database() as vendor:
        return measure(vendor)


def measure(vendor: str) -> int:
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    call_command("collectstatic", verbosity=0, interactive=False)
    few, many = build("few", FEW), build("many", MANY)
    client = Client(headers={"accept-encoding": "gzip"})
    pages = {}
    for address in (few, many):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            pages[address] = client.get(address)
        assert pages[address].status_code == 200
        print(f"{address} {len(queries)} queries, {len(pages[address].content):,} bytes compressed")
    for name, forget in (
        ("as it runs", lambda: None),
        ("changed page", forget_page),
        ("nothing remembered", forget_all),
    ):
        times = interleaved(client, [few, many], forget)
        print(
            name,
            {a: f"{statistics.median(t) * 1000:.2f} ms" for a, t in times.items()},
            f"ratio {statistics.median(times[many]) / statistics.median(times[few]):.2f}",
            f"best {min(times[many]) * 1000:.2f}:{min(times[few]) * 1000:.2f}",
        )
    return 0


def forget_all() -> None:
    from petitions import campaign_page, public_pages

    campaign_page.row_html.cache_clear()
    campaign_page.sides_of.cache_clear()
    public_pages.packed.cache_clear()


def forget_page() -> None:
    from petitions import campaign_page, public_pages

    campaign_page.sides_of.cache_clear()
    public_pages.packed.cache_clear()


def interleaved(client: Any, addresses: list[str], forget: Any) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {address: [] for address in addresses}
    gc.collect()
    for _ in range(ROUNDS):
        for address in addresses:
            forget()
            start = time.perf_counter()
            client.get(address)
            times[address].append(time.perf_counter() - start)
    return times


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
    names: set[str] = set()
    while len(names) < petitions:
        names.add(dice.choice(STARTS) + dice.choice(MIDDLES) + dice.choice(ENDS))
    ordered = sorted(names)
    places = Place.objects.bulk_create([Place(name=name, region=slug, country="X") for name in ordered])
    targets = Target.objects.bulk_create(
        [
            Target(
                campaign=campaign,
                name=f"{dice.choice(FIRST)} {dice.choice(STARTS)}{dice.choice(ENDS)}",
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
