"""Publishing 1,000 petitions with a letter of 600 words and nine notes; publishing again; the checklist."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.throwaway import database

PETITIONS, WORDS, NOTES = 1_000, 600, 9
CAMPAIGNS, AGAIN = 3, 5
# Seconds.
TARGETS = {"publishing": 5.0, "publishing again": 1.0, "the checklist": 1.0}
SYLLABLES = "ba den fo gri hal ist jo kel lum mer nor ost pra quil ros sen tor und ver wick yar zin"


def main() -> list[Figure]:
    with database() as vendor:
        beside = f"{PETITIONS:,} petitions, {WORDS} words, {NOTES} notes, {vendor}"
        return [
            Figure.of(name, seconds, unit="s", target=TARGETS[name], at_most=True, beside=beside)
            for name, seconds in measured().items()
        ]


def measured() -> dict[str, list[float]]:
    """Seconds of each round, by what was done."""
    from django.utils import timezone

    from petitions.publishing import publish, review

    times: dict[str, list[float]] = {name: [] for name in TARGETS}
    for number in range(CAMPAIGNS):
        campaign = make_campaign(number)
        with timed(times["publishing"]):
            published = publish(campaign=campaign, at=timezone.now())
        assert published.new == published.went_live == PETITIONS
    for _ in range(AGAIN):
        with timed(times["publishing again"]):
            published = publish(campaign=campaign, at=timezone.now())
        assert published.unchanged == PETITIONS
        with timed(times["the checklist"]):
            found = review(campaign)
            assert found.unchanged == PETITIONS
    return times


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    into.append(time.perf_counter() - start)


def make_campaign(number: int) -> Any:
    from campaigns.models import Campaign, Organization, Place, Source, Target
    from petitions.models import Letter, Petition

    chance = random.Random(number)
    organization = Organization.objects.create(name=f"Readers’ Common {number}", parent="from Lamp & Page")
    campaign = Campaign.objects.create(
        organization=organization, slug=f"open-sundays-{number}", title="Open Sundays"
    )
    Source.objects.bulk_create([make_source(campaign, note, chance) for note in range(NOTES)])
    letter = Letter.objects.create(campaign=campaign, **make_letter(chance))
    places = Place.objects.bulk_create(
        [Place(name=f"{word(chance).title()} {row}", region=f"Region {number}") for row in range(PETITIONS)]
    )
    targets = Target.objects.bulk_create(
        [
            Target(campaign=campaign, office="Mayor", place=place, name=f"Ada {last}", last_name=last)
            for place in places
            for last in (word(chance).title(),)
        ]
    )
    Petition.objects.bulk_create(
        [
            Petition(
                letter=letter,
                target=target,
                slug=f"city-{number}-{row}",
                local=f"In **{target.place.name}** the doors are shut." if row % 3 == 0 else "",
            )
            for row, target in enumerate(targets)
        ]
    )
    return campaign


def make_source(campaign: Any, note: int, chance: random.Random) -> Any:
    from campaigns.models import Source

    return Source(
        campaign=campaign,
        key=f"source-{note}",
        authors=[f"{word(chance).title()} {word(chance).title()}"],
        title=" ".join(word(chance) for _ in range(8)).title(),
        publication="The Lantern",
        date=date(2026, 1, 1 + note),
        url=f"https://lantern.example/{note}",
        archived_url=f"https://archive.example/{note}",
    )


def make_letter(chance: random.Random) -> dict[str, str]:
    return {
        "kind": "demand",
        "headline": "Open {{ place.name }}’s library on Sundays",
        "lead_in": "The petition to {{ target.office }} {{ target.last_name }} reads:",
        "statement": "Open the library of {{ place.name }} on Sundays.[^source-0]",
        "call_to_action": "Tell {{ target.office }} {{ target.last_name }}: open up.",
        "body": body(chance),
        "closing": "Thank you,",
        "signed_by": "Wren Cole",
        "signed_role": "Campaigner",
        "thanks": "Thank you for asking {{ target.name }}.",
        "share_title": "Open {{ place.name }}’s library",
        "share_text": "{{ place.name }} asks for open doors on Sundays.",
    }


def body(chance: random.Random) -> str:
    """Paragraphs with emphasis, links, a list, merge fields, and each source cited, the first twice."""
    cited = iter([*range(NOTES), 0])
    paragraphs = []
    per_paragraph = WORDS // 10
    for number in range(10):
        words = [word(chance) for _ in range(per_paragraph - 6)]
        words[3], words[9] = f"**{words[3]}**", f"[{words[9]}](https://lantern.example/{number})"
        words.insert(5, "{{ target.office }} {{ target.last_name }} of {{ place.name }}")
        paragraphs.append(f"{' '.join(words).capitalize()}.[^source-{next(cited)}]")
    paragraphs[4] = "- " + "\n- ".join(paragraphs[4].split(". ")[0].split(" of "))
    paragraphs.insert(3, "{{ call_to_action }}")
    paragraphs.insert(6, "{{ local }}")
    return "\n\n".join(paragraphs)


def word(chance: random.Random) -> str:
    return "".join(chance.choices(SYLLABLES.split(), k=chance.randint(1, 3)))


if __name__ == "__main__":
    finish(main())
