"""Who gets a mailing, who does not and why, by petition and city, with a sample for those who may see people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from campaigns.models import Place
from mailings.admin.pages import SEES_PEOPLE, may, page
from mailings.admin.steps import Standing, people_text
from mailings.audience import REASONS, audience_of
from mailings.figures import UNKNOWN
from mailings.models import Mailing, Recipient
from mailings.previewing import sample_of_copies
from petitions.models import Petition
from signers.models import Supporter

SAMPLE = 20
# A table of a thousand cities is read by its beginning.
LISTED = 100
CAMPAIGN_PAGE = "The campaign page"


@dataclass(frozen=True)
class Shown:
    """One of the sample."""

    name: str
    email: str
    city: str
    petition: str


@dataclass(frozen=True)
class Table:
    """The largest of the list, and what the others come to."""

    rows: list[tuple[str, str]]
    more: str
    more_people: str


def audience_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> HttpResponse:
    if mailing.is_frozen:
        size, left_out, pairs = mailing.people or 0, {}, frozen_numbers(mailing)
    else:
        audience = audience_of(mailing, at=timezone.now())
        size, left_out, pairs = audience.size(), audience.left_out(), audience.numbers()
    by_petition, by_city = tables(pairs)
    context = {
        "people": size,
        "people_text": people_text(size),
        "left_out": [(f"{number:,}", REASONS[reason]) for reason, number in left_out.items()],
        "by_petition": by_petition,
        "by_city": by_city,
        "sample": sample(mailing) if may(request, SEES_PEOPLE) else [],
    }
    return page(
        model_admin,
        request,
        mailing,
        "audience",
        title="Audience",
        context=context,
        standing=Standing(people=size),
    )


def frozen_numbers(mailing: Mailing) -> list[tuple[int | None, int | None, int]]:
    """As `Audience.numbers`, of what was started. One query."""
    counted = (
        Recipient.objects.filter(mailing=mailing)
        .order_by()
        .values_list("edition__petition", "supporter__place")
        .annotate(Count("pk"))
    )
    return list(counted)


def tables(pairs: Iterable[tuple[int | None, int | None, int]]) -> tuple[Table, Table]:
    """By petition and by city, each with its names. Two queries."""
    petitions: Counter[int | None] = Counter()
    cities: Counter[int | None] = Counter()
    for petition, city, people in pairs:
        petitions[petition] += people
        cities[city] += people
    named = Petition.objects.select_related("letter", "target__place").defer("letter__body", "local")
    return (
        table(
            petitions,
            {petition.pk: str(petition) for petition in named.filter(pk__in=keys(petitions))},
            without=CAMPAIGN_PAGE,
        ),
        table(
            cities,
            {place.pk: str(place) for place in Place.objects.filter(pk__in=keys(cities))},
            without=UNKNOWN,
        ),
    )


def keys(numbers: Counter[int | None]) -> list[int]:
    return [key for key, _people in numbers.most_common(LISTED) if key is not None]


def table(numbers: Counter[int | None], names: dict[int, str], *, without: str) -> Table:
    largest = numbers.most_common(LISTED)
    rows = [
        (names.get(key, without) if key is not None else without, f"{people:,}") for key, people in largest
    ]
    more = len(numbers) - len(largest)
    more_people = sum(numbers.values()) - sum(people for _key, people in largest)
    return Table(rows, f"{more:,}" if more else "", f"{more_people:,}")


def sample(mailing: Mailing) -> list[Shown]:
    """Real people, from all over the list."""
    if mailing.is_frozen:
        return [shown(copy.supporter, copy.edition.petition) for copy in sample_of_copies(mailing, SAMPLE)]
    people = audience_of(mailing, at=timezone.now()).sample(SAMPLE)
    return [shown(person.supporter, person.petition) for person in people]


def shown(supporter: Supporter | None, petition: Petition | None) -> Shown:
    if supporter is None:
        return Shown("Erased", "", "", "")
    name = f"{supporter.first_name} {supporter.last_name}".strip() or "No name"
    city = str(supporter.place) if supporter.place else UNKNOWN
    return Shown(name, supporter.email, city, petition.addressed_to if petition else CAMPAIGN_PAGE)
