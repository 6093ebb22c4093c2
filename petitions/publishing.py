"""Publishing: what would change, what stands in the way, and doing it, atomically."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from campaigns.models import Campaign, Source
from petitions import checking
from petitions.differences import Difference, differences
from petitions.models import Letter, Petition, Tally, Version
from petitions.rendering import CompiledLetter, Rendered, library
from petitions.rendering_many import Renderer
from staff import audit
from staff.models import User

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"


@dataclass(frozen=True)
class Problem:
    """Something staff must (error) or may (warning) put right: where it is, and what to do."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True)
class Change:
    """What publishing would do to one petition."""

    petition: Petition
    rendered: Rendered
    signed: bool

    @property
    def previous(self) -> Version | None:
        return self.petition.current_version

    @property
    def status(self) -> str:
        """One of new, changed, unchanged."""
        if self.previous is None:
            return NEW
        return UNCHANGED if self.previous.digest == self.rendered.digest else CHANGED

    @property
    def statement_changed(self) -> bool:
        """Whether people who already signed would find another statement over their names."""
        return self.previous is not None and self.previous.statement != self.rendered.statement

    @property
    def needs_reason(self) -> bool:
        return self.signed and self.statement_changed

    @cached_property
    def differences(self) -> list[Difference]:
        return differences(self.previous, self.rendered) if self.previous is not None else []


@dataclass(frozen=True)
class Review:
    """The checklist and what will change, petition by petition."""

    campaign: Campaign
    errors: list[Problem]
    warnings: list[Problem]
    changes: list[Change]

    @cached_property
    def digest(self) -> str:
        """Stands for everything reviewed: publishing with it refuses to publish anything else."""
        parts = [f"{change.petition.pk}:{change.status}:{change.rendered.digest}" for change in self.changes]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def needs_reason(self) -> bool:
        return any(change.needs_reason for change in self.changes)

    def count(self, status: str) -> int:
        return sum(change.status == status for change in self.changes)

    @property
    def new(self) -> int:
        return self.count(NEW)

    @property
    def changed(self) -> int:
        return self.count(CHANGED)

    @property
    def unchanged(self) -> int:
        return self.count(UNCHANGED)


@dataclass(frozen=True)
class Published:
    """How many petitions got a first version, another version, or kept theirs; how many went live."""

    new: int
    changed: int
    unchanged: int
    went_live: int = 0


class NotPublishable(Exception):
    """Errors stand in the way; nothing was changed."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class ReasonNeeded(Exception):
    """A statement that people have signed would change, and nobody said why."""


class ReviewOutdated(Exception):
    """The texts changed after they were reviewed."""

    def __init__(self, review: Review) -> None:
        super().__init__("The texts changed after you reviewed them.")
        self.review = review


def review(campaign: Campaign, *, petitions: Collection[Petition] | None = None) -> Review:
    """Renders every petition that is not closed (or those of `petitions`) without storing anything. Six queries."""
    sources = list(campaign.sources.all())
    letters = {
        letter.pk: letter
        for letter in Letter.objects.filter(campaign=campaign).select_related("campaign__organization")
    }
    chosen = list(publishable(campaign, petitions))
    for petition in chosen:
        petition.letter = letters[petition.letter_id]
    errors = find_errors(campaign, list(letters.values()), sources, chosen)
    warnings = find_warnings(list(letters.values()), sources, chosen)
    return Review(campaign, errors, warnings, with_texts(render_all(letters, sources, chosen)))


def publishable(campaign: Campaign, petitions: Collection[Petition] | None) -> QuerySet[Petition]:
    """A closed petition keeps the text it closed with. Each row knows whether anybody signed it: `.signed`.

    Of the version that is live, without the long texts but the statement.
    """
    signatures = Petition._meta.get_field("signatures").related_model
    return (
        not_closed(campaign, petitions)
        .select_related("target__place", "current_version")
        .defer(*(f"current_version__{name}" for name in Version.LONG if name != "statement"))
        .annotate(signed=Exists(signatures._default_manager.filter(petition=OuterRef("pk"))))
        .order_by("position", "pk")
    )


def not_closed(campaign: Campaign, petitions: Collection[Petition] | None) -> QuerySet[Petition]:
    rows = Petition.objects.filter(letter__campaign=campaign, closed_at=None)
    return rows if petitions is None else rows.filter(pk__in=[petition.pk for petition in petitions])


def render_all(letters: dict[int, Letter], sources: list[Source], petitions: list[Petition]) -> list[Change]:
    by_key = library(sources)
    renderers = {pk: Renderer(CompiledLetter.of(letter), by_key) for pk, letter in letters.items()}
    return [
        Change(
            petition,
            renderers[petition.letter_id].render(petition),
            petition.signed,  # type: ignore[attr-defined]
        )
        for petition in petitions
    ]


def with_texts(changes: list[Change]) -> list[Change]:
    """Loads what is live in full where it will change, which most often is nowhere. One query."""
    changed = [change.petition for change in changes if change.status == CHANGED]
    versions = (
        Version.objects.in_bulk([petition.current_version_id for petition in changed]) if changed else {}
    )
    for petition in changed:
        petition.current_version = versions[petition.current_version_id]
    return changes


def find_errors(
    campaign: Campaign, letters: list[Letter], sources: list[Source], petitions: list[Petition]
) -> list[Problem]:
    """What keeps the campaign from being published."""
    problems = []
    keys = [source.key for source in sources]
    if not letters:
        problems.append(Problem("Letters", "Write a letter first, a demand or a thank-you."))
    elif not petitions and not Petition.objects.filter(letter__campaign=campaign).exists():
        problems.append(
            Problem("Targets", "Add at least one target or group: each gets a petition of its own.")
        )
    for letter in letters:
        mine = [petition for petition in petitions if petition.letter_id == letter.pk]
        problems += [
            Problem(
                f"{letter.get_kind_display()} letter, {checking.label(Letter, problem.field)}",
                problem.message,
            )
            for problem in checking.letter_problems(letter, keys=keys, petitions=mine)
        ]
    for petition in petitions:
        problems += [
            Problem(f"{petition}, {checking.label(Petition, problem.field)}", problem.message)
            for problem in checking.petition_problems(petition, keys=keys)
        ]
    return problems


def find_warnings(letters: list[Letter], sources: list[Source], petitions: list[Petition]) -> list[Problem]:
    """What staff should look at; it does not stop them."""
    problems = []
    for letter in letters:
        mine = [petition for petition in petitions if petition.letter_id == letter.pk]
        place = f"{letter.get_kind_display()} letter"
        if not mine:
            problems.append(
                Problem(
                    place,
                    "No petition uses this letter. Add a target or group of this kind, or leave it for later.",
                )
            )
        problems += [Problem(place, warning.message) for warning in checking.letter_warnings(letter, mine)]
    problems += [
        Problem("Sources", f"No letter cites “{key}”.")
        for key in checking.uncited(letters, petitions, [source.key for source in sources])
    ]
    over = [petition for petition in petitions if petition.closes_at and petition.closes_at <= timezone.now()]
    if over:
        problems.append(
            Problem(
                "Closing time", f"It has passed, so the page would show as closed: {checking.named(over)}."
            )
        )
    symbolic = [petition for petition in petitions if petition.target and not petition.target.email]
    if symbolic:
        problems.append(
            Problem(
                "Targets",
                f"Without an e-mail address, so that signatures cannot be mailed to them: {checking.named(symbolic)}.",
            )
        )
    return problems


@transaction.atomic
def publish(
    *,
    campaign: Campaign,
    actor: User | None = None,
    at: datetime,
    live_at: datetime | None = None,
    reason: str = "",
    petitions: Collection[Petition] | None = None,
    reviewed: str | None = None,
) -> Published:
    """Stores a new Version where something changed and puts the petitions live (at `live_at`, if that is later).

    All or nothing, and idempotent: publishing again without a change stores nothing. Petitions that are live already
    show a new Version at once. Raises NotPublishable, ReasonNeeded, ReviewOutdated; then nothing was changed.
    """
    # One publishing of a campaign at a time.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    hold(not_closed(campaign, petitions))
    found = review(campaign, petitions=petitions)
    if found.errors:
        raise NotPublishable(found.errors)
    if reviewed is not None and reviewed != found.digest:
        raise ReviewOutdated(found)
    if found.needs_reason and not reason.strip():
        raise ReasonNeeded
    new, changed, unchanged = found.new, found.changed, found.unchanged
    stored = store_versions(found, actor=actor, at=at, reason=reason.strip())
    went_live = put_live(found, at=at, live_at=live_at if live_at and live_at > at else at)
    audit.record_all(
        actor=actor,
        action="published",
        subjects=[change.petition for change in stored],
        at=at,
        reason=reason.strip(),
    )
    audit.record_all(
        actor=actor,
        action="went live" if not live_at or live_at <= at else f"scheduled for {live_at:%Y-%m-%d %H:%M %Z}",
        subjects=went_live,
        at=at,
    )
    return Published(new, changed, unchanged, len(went_live))


def hold(petitions: QuerySet[Petition]) -> None:
    """Nobody closes them or gives them another letter until the transaction ends; whoever signs does not wait.

    In the order of `closing.locked_all`, so that the two never wait for each other in a circle.
    """
    list(petitions.order_by("pk").only("pk").select_for_update(of=("self",), no_key=True))


def store_versions(found: Review, *, actor: User | None, at: datetime, reason: str) -> list[Change]:
    """New versions for what is new or changed, made the current ones; two statements whatever their number."""
    changes = [change for change in found.changes if change.status != UNCHANGED]
    versions = Version.objects.bulk_create(
        [
            Version(
                petition=change.petition,
                number=change.previous.number + 1 if change.previous else 1,
                digest=change.rendered.digest,
                published_at=at,
                published_by=actor,
                reason=reason if change.previous else "",
                **change.rendered.fields,
            )
            for change in changes
        ],
        batch_size=200,
    )
    for change, version in zip(changes, versions, strict=True):
        change.petition.current_version = version
    newest = Version.objects.filter(petition=OuterRef("pk")).order_by("-number").values("pk")[:1]
    Petition.objects.filter(pk__in=[change.petition.pk for change in changes]).update(current_version=newest)
    Tally.objects.bulk_create(
        [Tally(petition=change.petition) for change in changes], ignore_conflicts=True, batch_size=200
    )
    return changes


def put_live(found: Review, *, at: datetime, live_at: datetime) -> list[Petition]:
    """Sets the moment from which visitors can read what is not live yet; returns what moved."""
    moved = [
        change.petition
        for change in found.changes
        if not change.petition.is_live(at) and change.petition.live_at != live_at
    ]
    Petition.objects.filter(pk__in=[petition.pk for petition in moved]).update(live_at=live_at)
    for petition in moved:
        petition.live_at = live_at
    return moved
