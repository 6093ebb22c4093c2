"""A list of 10,000 targets: read, shown and applied; then the same list again, and one in which every row differs."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.throwaway import database

ROWS = 10_000
TARGET = 10.0
HEADINGS = "City;State;Country;Full name;Title;Salutation;E-mail;Side;Local paragraph;ZIP codes"
LOCAL = "In {{{{ place.name }}}}, the library of street {number} has *closed* on Sundays since 2019.[^hours] {end}"


def main() -> list[Figure]:
    with database() as name:
        campaign = make_campaign()
        print(f"{name}, {ROWS:,} rows, each with an e-mail address and a local paragraph that cites a source")
        slowest = 0.0
        for label, salutation, end in (
            ("new", "Dear Mayor", "Ask why."),
            ("the same again", "Dear Mayor", "Ask why."),
            ("all changed", "Dear Madam Mayor", "Ask when."),
        ):
            slowest = max(slowest, bring(campaign, label, make_list(salutation, end)))
        return [
            Figure.of(
                f"a list of {ROWS:,} targets, the slowest of three",
                [slowest],
                unit="s",
                target=TARGET,
                at_most=True,
                beside=name,
            )
        ]


def bring(campaign: Any, label: str, content: bytes) -> float:
    """Seconds for what staff wait for: the upload with its preview, and applying, as if in another process."""
    from django.utils import timezone

    from petitions.target_lists.applying import apply
    from petitions.target_lists.comparing import compare, read_markdown
    from petitions.target_lists.keeping import keep
    from petitions.target_lists.reading import read

    at = timezone.now()
    read_markdown.cache_clear()
    reading, kept = timed(
        lambda: keep(campaign=campaign, read=read(content), name="mayors.csv", actor=None, at=at)
    )
    comparing, preview = timed(lambda: compare(campaign, kept.rows))
    read_markdown.cache_clear()
    applying, done = timed(
        lambda: apply(campaign=campaign, key=kept.pk, previewed=preview.digest, actor=None, at=at)
    )
    total = reading + comparing + applying
    print(
        f"{label:>15}: read {reading:4.1f} s, compared {comparing:4.1f} s, applied {applying:4.1f} s,"
        f" together {total:4.1f} s; {done.added:,} added, {done.changed:,} changed, {done.unchanged:,} unchanged"
    )
    return total


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def make_campaign() -> Any:
    from campaigns.models import Campaign, Organization, Source
    from petitions.models import Letter

    organization = Organization.objects.create(name="Readers’ Common")
    campaign = Campaign.objects.create(organization=organization, slug="open-sundays", title="Open Sundays")
    Source.objects.create(campaign=campaign, key="hours", title="Opening Hours")
    Letter.objects.create(
        campaign=campaign,
        kind="demand",
        headline="Open {{ place.name }}’s library on Sundays",
        lead_in="The petition to {{ target.office }} {{ target.last_name }} reads:",
        statement="Open the library of {{ place.name }}, {{ place.region }}, on Sundays.",
        call_to_action="Tell {{ target.office }} {{ target.last_name }}: open up.",
        body="Many ask for it.[^hours]\n\n{{ local }}\n\n{{ call_to_action }}",
    )
    return campaign


def make_list(salutation: str, end: str) -> bytes:
    rows = [
        f"Saint Zoë {number};Westmark;Lumenia;Ada Okafor-{number};Mayor;{salutation} Okafor;"
        f'mayor{number}@city{number}.example;demand;"{LOCAL.format(number=number, end=end)}";{10000 + number}'
        for number in range(ROWS)
    ]
    return "\r\n".join([HEADINGS, *rows]).encode("cp1252")


if __name__ == "__main__":
    finish(main())
