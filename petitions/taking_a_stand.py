"""Taking a stand: a target that acted moves to the other side of its campaign, and back where that was a mistake."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, count

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns.models import Campaign
from petitions.closing import WrongState
from petitions.models import Kind, Letter, Petition, Stand
from petitions.publishing import ReasonNeeded, publish
from petitions.readdressing import used_beginning_with
from staff import audit
from staff.models import User

NEWS_AT_MOST = 20
LONGEST_REASON = 1000
EARLIEST = date(2000, 1, 1)
OTHER = {Kind.DEMAND.value: Kind.THANK_YOU.value, Kind.THANK_YOU.value: Kind.DEMAND.value}
# What undoing puts back, of the petition that ended and of the one that opened.
DATES = ("live_at", "closes_at", "closed_at", "won_at")


# --- What would happen ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outlook:
    """What taking a stand would do with one petition. `problem` says why it cannot be done, or is ""."""

    left: Petition
    joined: Petition | None  # None: it will be made
    letter: Letter | None  # of the other side
    problem: str

    @property
    def kind(self) -> str:
        """The side it moves to."""
        return OTHER[self.left.letter.kind]

    def opens_anew(self, at: datetime) -> bool:
        """Whether the other petition is not open anyway."""
        return self.joined is None or not self.joined.is_open(at)


def outlook(petitions: Collection[Petition]) -> list[Outlook]:
    """Three queries, whatever their number. The petitions come with letter, campaign, target and place."""
    campaigns = {petition.letter.campaign_id for petition in petitions}
    targets = {petition.target_id for petition in petitions}
    letters = {
        (letter.campaign_id, letter.kind): letter
        for letter in Letter.objects.filter(campaign__in=campaigns).select_related("campaign__organization")
    }
    made = {
        (petition.letter_id, petition.target_id): petition
        for petition in Petition.objects.filter(letter__campaign__in=campaigns, target__in=targets)
        .select_related("current_version", "target__place", "tally")
        .order_by("pk")
    }
    standing = {stand.target_id: stand for stand in Stand.objects.standing().filter(target__in=targets)}
    found = []
    for petition in petitions:
        letter = letters.get((petition.letter.campaign_id, OTHER[petition.letter.kind]))
        joined = made.get((letter.pk, petition.target_id)) if letter and petition.target_id else None
        if joined is not None and letter is not None:
            joined.letter = letter
        stand = standing.get(petition.target_id) if petition.target_id else None
        found.append(Outlook(petition, joined, letter, problem_with(petition, letter, stand)))
    return found


def problem_with(petition: Petition, letter: Letter | None, standing: Stand | None) -> str:
    """Why this petition's target cannot move now, in plain words, or ""."""
    kind = Kind(OTHER[petition.letter.kind])
    if petition.target_id is None:
        return "This petition goes to a group. Only a single target can take a stand."
    if standing is not None and standing.kind == kind:
        return "This target has moved to the other side already."
    if petition.current_version_id is None:
        return "This petition was never published. Change its kind instead."
    if letter is None:
        return f"This campaign has no {kind.label.lower()} letter yet. Write it first."
    return ""


# --- Taking one ----------------------------------------------------------------------------------------------


def take_a_stand(
    *, petition: Petition, taken_on: date, reason: str, actor: User | None, at: datetime
) -> Stand:
    """Moves the petition's target to the other side: see `take_stands`."""
    return take_stands(petitions=[petition], taken_on=taken_on, reason=reason, actor=actor, at=at)[0]


@transaction.atomic
def take_stands(
    *, petitions: Collection[Petition], taken_on: date, reason: str, actor: User | None, at: datetime
) -> list[Stand]:
    """Moves the targets of petitions of one kind to the other side of their campaigns, all of them or none.

    A demand is won, a thank-you closed, each with `reason` as its public note; the petition of the other side is
    found or made, published and live at once. No signature moves. Raises WrongState, NotPublishable; then nothing
    was changed.
    """
    reason = checked(taken_on, reason, at)
    moves = outlook(locked(petitions))
    if not moves:
        raise WrongState("Choose at least one petition.")
    if len({move.kind for move in moves}) > 1:
        raise WrongState(
            "Choose either demands or thank-you petitions: both in one go would cross each other."
        )
    refuse_problems(moves)
    before = [states_before(move) for move in moves]
    joined = [prepared(move, actor=actor, at=at) for move in moves]
    open_all(joined, actor=actor, at=at)
    for move in moves:
        end(move.left, reason=reason, actor=actor, at=at)
    return [
        recorded(move, into, states, taken_on=taken_on, reason=reason, actor=actor, at=at)
        for move, into, states in zip(moves, joined, before, strict=True)
    ]


def checked(taken_on: date, reason: str, at: datetime) -> str:
    """The reason without blanks around it. Raises WrongState."""
    if taken_on > timezone.localdate(at):
        raise WrongState("The day on which it happened cannot be in the future.")
    if taken_on < EARLIEST:
        raise WrongState("Choose a day in the year 2000 or later.")
    reason = reason.replace("\r\n", "\n").strip()
    if not reason:
        raise WrongState("Say what happened: the reason is shown to the public.")
    if len(reason) > LONGEST_REASON:
        raise WrongState(f"The reason can have at most {LONGEST_REASON:,} characters.")
    return reason


def locked(petitions: Iterable[Petition]) -> list[Petition]:
    """The rows as they are now, in the order given, held until the transaction ends, with those of the other side.

    The campaigns' locks come first, as in publishing: nobody publishes, and no other move begins, in between.
    """
    keys = [petition.pk for petition in petitions]
    chosen = Petition.objects.filter(pk__in=keys)
    campaigns = Campaign.objects.filter(pk__in=chosen.values("letter__campaign")).order_by("pk")
    list(campaigns.select_for_update(no_key=True).values_list("pk", flat=True))
    rows = (
        Petition.objects.filter(Q(pk__in=keys) | Q(target__in=chosen.values("target")))
        .select_related("letter__campaign__organization", "target__place")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    by_key = {row.pk: row for row in rows}
    return [by_key[key] for key in dict.fromkeys(keys) if key in by_key]


def refuse_problems(moves: list[Outlook]) -> None:
    problems = [move for move in moves if move.problem]
    if not problems:
        return
    if len(moves) == 1:
        raise WrongState(problems[0].problem)
    raise WrongState(" ".join(f"{move.left}: {move.problem}" for move in problems[:5]))


def prepared(move: Outlook, *, actor: User | None, at: datetime) -> Petition:
    """The petition that is to open, made where there is none; what kept it closed is lifted.

    Headline and local paragraph of the other side are not taken over: they were written for another letter.
    """
    joined = move.joined
    if joined is None:
        assert move.letter is not None  # noqa: S101 - without one the move was refused
        joined = Petition.objects.create(
            letter=move.letter,
            target=move.left.target,
            slug=slug_beside(move.left),
            position=move.left.position,
        )
        audit.record(actor=actor, action="added", subject=joined, at=at)
        return joined
    if joined.closed_at is not None or (joined.closes_at is not None and joined.closes_at <= at):
        joined.closed_at = joined.won_at = None
        joined.closing_note = ""
        if joined.closes_at is not None and joined.closes_at <= at:
            joined.closes_at = None
        joined.save(update_fields=["closed_at", "won_at", "closing_note", "closes_at"])
        audit.record(actor=actor, action="reopened", subject=joined, at=at)
    return joined


def slug_beside(petition: Petition) -> str:
    """An address nobody has or had, made from that of the petition of the other side."""
    ending = OTHER[petition.letter.kind]
    base = f"{petition.slug.removesuffix('-thank-you')[: 99 - len(ending) - 5].strip('-')}-{ending}"
    used = used_beginning_with(base)
    return next(
        slug for slug in chain([base], (f"{base}-{number}" for number in count(2))) if slug not in used
    )


def open_all(petitions: list[Petition], *, actor: User | None, at: datetime) -> None:
    """Publishes those that are not on the site; one that is keeps the text that people have signed."""
    by_campaign: dict[Campaign, list[Petition]] = defaultdict(list)
    for petition in petitions:
        if not petition.is_live(at):
            by_campaign[petition.letter.campaign].append(petition)
    for campaign, mine in by_campaign.items():
        try:
            publish(campaign=campaign, petitions=mine, actor=actor, at=at)
        except ReasonNeeded:
            raise WrongState(
                "People have signed an earlier statement of the petition that would open. "
                "Publish that one first and say why its statement changes."
            ) from None


def end(petition: Petition, *, reason: str, actor: User | None, at: datetime) -> None:
    """Closes what the target leaves behind. One that closed before keeps its day: nothing was signed after it.

    One that was to go live later does not: nobody is asked any more for what has happened.
    """
    won = petition.letter.kind == Kind.DEMAND
    if petition.closed_at is None:
        passed = petition.closes_at is not None and petition.closes_at <= at
        petition.closed_at = petition.closes_at if passed else at
    petition.won_at = (petition.won_at or at) if won else None
    petition.closing_note = reason
    petition.live_at = petition.live_at if petition.is_live(at) else None
    petition.save(update_fields=["live_at", "closed_at", "won_at", "closing_note"])
    audit.record(actor=actor, action="won" if won else "closed", subject=petition, at=at, reason=reason)


def recorded(
    move: Outlook,
    joined: Petition,
    before: dict[str, object],
    *,
    taken_on: date,
    reason: str,
    actor: User | None,
    at: datetime,
) -> Stand:
    target = move.left.target
    assert target is not None  # noqa: S101 - a petition to a group was refused
    earlier = Stand.objects.standing().filter(target=target).first()
    if earlier is not None:
        Stand.objects.filter(pk=earlier.pk).update(superseded_at=at)
    stand = Stand.objects.create(
        campaign=move.left.campaign,
        target=target,
        kind=move.kind,
        taken_on=taken_on,
        reason=reason,
        left=move.left,
        joined=joined,
        before=before | {"superseded": earlier.pk if earlier else None},
        recorded_at=at,
        recorded_by=actor,
    )
    audit.record(
        actor=actor,
        action=f"moved to {move.kind}",
        subject=target,
        at=at,
        reason=reason,
        on=taken_on.isoformat(),
    )
    return stand


# --- Undoing one ---------------------------------------------------------------------------------------------


@transaction.atomic
def undo(*, stand: Stand, actor: User | None, at: datetime, reason: str = "") -> int:
    """Puts both petitions back to what they were, within a day of recording. Raises WrongState after it.

    Returns how many signatures stay stored under a petition that leaves the site with this.
    """
    left, joined = locked([stand.left, stand.joined])
    row = Stand.objects.select_for_update(of=("self",)).select_related("target__place").get(pk=stand.pk)
    refuse_undoing(row, at)
    put_back(left, row.before["left"], taken_at=row.recorded_at)
    if row.before["joined"] is None:
        # It was made for this. Closed, it stays off the site until it is wanted again: the next publishing leaves it.
        put_back(joined, {name: None for name in DATES} | {"closed_at": at.isoformat(), "closing_note": ""})
    else:
        put_back(joined, row.before["joined"])
    Stand.objects.filter(pk=row.pk).update(undone_at=at)
    Stand.objects.filter(pk=row.before["superseded"]).update(superseded_at=None)
    for petition in (left, joined):
        audit.record(actor=actor, action="stand undone", subject=petition, at=at, reason=reason.strip())
    audit.record(actor=actor, action="stand undone", subject=row.target, at=at, reason=reason.strip())
    stand.refresh_from_db()
    return 0 if joined.is_live(at) else signatures_under(joined)


def refuse_undoing(stand: Stand, at: datetime) -> None:
    if stand.undone_at is not None:
        raise WrongState("This move was undone already.")
    if stand.superseded_at is not None:
        raise WrongState("The same target has moved again since. Undo the latest move first.")
    if not stand.can_be_undone(at):
        raise WrongState(
            "A move can be undone within 24 hours. It is part of the story now: "
            "should the target change sides again, let it take a stand from the other petition."
        )


def states_before(move: Outlook) -> dict[str, object]:
    """What `undo` puts back; `joined` is None where the petition is made for this."""
    return {"left": state_of(move.left), "joined": state_of(move.joined) if move.joined else None}


def state_of(petition: Petition) -> dict[str, str | None]:
    moments = {name: getattr(petition, name) for name in DATES}
    return {name: moment.isoformat() if moment else None for name, moment in moments.items()} | {
        "closing_note": petition.closing_note
    }


def put_back(petition: Petition, state: dict[str, str | None], *, taken_at: datetime | None = None) -> None:
    """What was taken off the site since stays off, unless the move did that at `taken_at` to one yet to go live."""
    moments = {name: datetime.fromisoformat(said) if (said := state[name]) else None for name in DATES}
    was_scheduled = taken_at and moments["live_at"] and moments["live_at"] > taken_at
    if petition.live_at is None and not was_scheduled:
        moments["live_at"] = None
    for name, moment in moments.items():
        setattr(petition, name, moment)
    petition.closing_note = state["closing_note"] or ""
    petition.save(update_fields=[*DATES, "closing_note"])


def signatures_under(petition: Petition) -> int:
    """How many stand under it, confirmed or not yet."""
    signatures = Petition._meta.get_field("signatures").related_model._default_manager
    return int(signatures.filter(petition=petition, removed_at=None).count())


# --- What is told of it --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewsItem:
    """A move as the campaign page tells it. An address is "" where that petition is not on the site."""

    taken_on: date
    target_title: str
    place_name: str
    kind: str
    reason: str
    left_url: str
    joined_url: str
    joined_headline: str


def news_of(campaign: Campaign, *, at: datetime, most: int = NEWS_AT_MOST) -> list[NewsItem]:
    """Who moved and why, newest first, without what was undone. One query."""
    stands = (
        Stand.objects.told()
        .filter(campaign=campaign)
        .filter(Q(left__live_at__lte=at) | Q(joined__live_at__lte=at))
        .select_related("target__place", "left", "joined__current_version")
        .only(
            "taken_on", "kind", "reason", "target__office", "target__name", "target__place__name",
            "left__slug", "left__live_at", "joined__slug", "joined__live_at", "joined__current_version__headline",
        )
    )  # fmt: skip
    return [news_item(stand, at) for stand in stands[:most]]


def news_item(stand: Stand, at: datetime) -> NewsItem:
    headline = stand.joined.current_version.headline if stand.joined.current_version else ""
    return NewsItem(
        taken_on=stand.taken_on,
        target_title=stand.target.title,
        place_name=stand.target.place.name,
        kind=stand.kind,
        reason=stand.reason,
        left_url=address_of(stand.left, at),
        joined_url=address_of(stand.joined, at),
        joined_headline=headline,
    )


def address_of(petition: Petition, at: datetime) -> str:
    return petition.get_absolute_url() if petition.is_live(at) else ""
