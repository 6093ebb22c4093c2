"""What people agreed to: every choice appended with its wording, and what holds now kept beside it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from signers.models import Consent, Subscription


@dataclass(frozen=True)
class Choice:
    """One choice about updates of one organization, with the words that were shown."""

    supporter_id: int
    organization_id: int
    granted: bool
    wording: str


def record(choices: Iterable[Choice], *, source: Consent.Source, at: datetime) -> None:
    """Appends the choices and makes them hold. Three statements, however many; part of the caller's transaction.

    The caller holds the supporters' locks, so that of two choices the one appended last is the one that holds.
    """
    chosen = list(choices)
    Consent.objects.bulk_create(
        Consent(
            supporter_id=choice.supporter_id,
            organization_id=choice.organization_id,
            purpose=Consent.Purpose.UPDATES,
            granted=choice.granted,
            wording=choice.wording,
            at=at,
            source=source,
        )
        for choice in chosen
    )
    hold({(choice.supporter_id, choice.organization_id): choice.granted for choice in chosen}, at=at)


def hold(wanted: Mapping[tuple[int, int], bool], *, at: datetime) -> None:
    """Makes the latest choices hold, by supporter and organization. Consents, under the supporters' locks, say them."""
    for granted in (True, False):
        pairs = [pair for pair, is_granted in wanted.items() if is_granted is granted]
        if not pairs:
            continue
        if granted:
            Subscription.objects.bulk_create(
                [
                    Subscription(supporter_id=supporter, organization_id=organization, since=at)
                    for supporter, organization in pairs
                ],
                ignore_conflicts=True,
            )
        else:
            for organization in {organization for _supporter, organization in pairs}:
                Subscription.objects.filter(
                    organization=organization,
                    supporter__in=[supporter for supporter, other in pairs if other == organization],
                ).delete()
