"""The rules: by what signatures belong together, and how many at once are more than people make."""

from dataclasses import dataclass

from django.db.models import Q

from fraud.models import Kind, Rule

# Signatures and minutes. Above what a family, a café or a stall in the street makes; a shared network or domain that
# makes more is put on its list.
DEFAULTS: dict[str, tuple[int, int]] = {
    Kind.NETWORK: (60, 10),
    Kind.NEIGHBORHOOD: (150, 10),
    Kind.DOMAIN: (80, 10),
    Kind.NAME: (30, 10),
    Kind.MAILBOX: (30, 10),
    Kind.SPEED: (60, 5),
}


@dataclass(frozen=True)
class Grouping:
    """How marks are grouped: the column they share, and which of them are looked at."""

    column: str
    looked_at: Q
    explanation: str


GROUPINGS: dict[str, Grouping] = {
    Kind.NETWORK: Grouping(
        "network", ~Q(network=""), "All from one address, or one subscriber’s network where it is IPv6."
    ),
    Kind.NEIGHBORHOOD: Grouping(
        "neighborhood", ~Q(neighborhood=""), "From up to 256 neighboring addresses, such as a data center’s."
    ),
    Kind.DOMAIN: Grouping(
        "domain",
        ~Q(domain=""),
        "E-mail addresses of one domain that is none of the large providers and that hardly anybody here has used.",
    ),
    Kind.NAME: Grouping(
        "name", ~Q(name=""), "The same name but for numbers in it, or names that nobody could say."
    ),
    Kind.MAILBOX: Grouping("mailbox", ~Q(mailbox=""), "E-mail addresses that differ by a number only."),
    Kind.SPEED: Grouping(
        "petition_id",
        Q(is_fast=True),
        "Under one petition, from forms filled in faster than people do, at three times the pace of the hour before.",
    ),
}


def matching(kind: str, key: str) -> Q:
    """A condition on Mark."""
    grouping = GROUPINGS[kind]
    return grouping.looked_at & Q(**{grouping.column: key})


def rules() -> list[Rule]:
    """All of them: as staff set them, or as they are by default."""
    stored = {rule.kind: rule for rule in Rule.objects.all()}
    return [stored.get(kind) or default(kind) for kind in GROUPINGS]


def default(kind: str) -> Rule:
    threshold, minutes = DEFAULTS[kind]
    return Rule(kind=kind, threshold=threshold, minutes=minutes)


def switch_all(*, on: bool) -> None:
    """For who makes thousands of signatures on purpose, such as a load test."""
    for rule in rules():
        rule.is_on = on
        rule.save()
