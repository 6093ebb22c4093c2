"""Moving somebody to another mailbox: asked for on the own page, done when the owner of the new mailbox confirms."""

from datetime import datetime, timedelta
from enum import Enum

from django.db import IntegrityError, models, transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from signers import erasing
from signers.confirming import locked_person
from signers.models import AddressChange, Consent, CountChange, Signature, Subscription, Supporter
from staff import audit
from toolkit.email_addresses import mailbox_key

# A second click is no second wish.
SAME_WISH = timedelta(minutes=1)
# These need more than a new owner.
MERGED = (Signature, Consent, Subscription)
# The column of a row that stays behind, for the number of the other person's.
INSTEAD = "instead"


class Moved(Enum):
    """What the link in the new mailbox came to. Pressed again it comes to the same."""

    DONE = "done"
    BLOCKED = "blocked"
    GONE = "gone"


@transaction.atomic
def ask(*, supporter_id: int, email: str, at: datetime) -> bool:
    """Writes down the wish; whether a mail leaves is decided by the worker. False where the mailbox is blocked.

    The same for every address, so that nobody learns whose it is.
    """
    supporter = locked_person(supporter_id)
    if supporter is None or supporter.blocked_at:
        return False
    same = AddressChange.objects.filter(supporter=supporter, email=email, asked_at__gt=at - SAME_WISH)
    if not same.filter(done_at=None).exists():
        AddressChange.objects.create(
            supporter=supporter, email=email, mailbox=mailbox_key(email), asked_at=at
        )
    return True


def moved_at(supporter_id: int) -> datetime | None:
    """When the mailbox last changed, in the last day at least: links mailed before must not work any more."""
    done = AddressChange.objects.filter(supporter=supporter_id, done_at__isnull=False)
    latest: datetime | None = done.order_by("-done_at").values_list("done_at", flat=True).first()
    return latest.replace(microsecond=0) if latest else None


def confirm(*, change_id: int, at: datetime) -> Moved:
    """Moves address and signatures to the mailbox whose owner pressed the button."""
    try:
        return _confirm(change_id, at)
    except IntegrityError:
        # Somebody signed with the new mailbox at this very moment; now it is there to be locked.
        return _confirm(change_id, at)


@transaction.atomic
def _confirm(change_id: int, at: datetime) -> Moved:
    change = AddressChange.objects.filter(pk=change_id).first()
    if change is None:
        return Moved.GONE
    both = Q(pk=change.supporter_id) | Q(mailbox=change.mailbox)
    people = Supporter.objects.filter(both).order_by("pk").select_for_update(of=("self",), no_key=True)
    by_id = {row.pk: row for row in people}
    change = AddressChange.objects.filter(pk=change_id).first()
    person = by_id.pop(change.supporter_id, None) if change else None
    if change is None or person is None:
        return Moved.GONE
    if change.done_at:
        return Moved.DONE
    owner = next(iter(by_id.values()), None)
    if any(row.blocked_at for row in (person, owner) if row):
        return Moved.BLOCKED
    if owner is None:
        _readdress(person, change, at)
    else:
        _merge(person, into=owner, at=at)
        person = owner
    AddressChange.objects.filter(supporter=person, done_at=None).exclude(pk=change.pk).delete()
    AddressChange.objects.filter(pk=change.pk).update(done_at=at)
    return Moved.DONE


def _readdress(person: Supporter, change: AddressChange, at: datetime) -> None:
    """What came back from the former mailbox says nothing about this one; who complained goes on being left alone."""
    person.email, person.mailbox, person.soft_bounces = change.email, change.mailbox, 0
    person.confirmed_at = person.confirmed_at or at
    if person.stopped == Supporter.Stopped.BOUNCED:
        person.stopped, person.stopped_at = "", None
    person.save(update_fields=["email", "mailbox", "soft_bounces", "confirmed_at", "stopped", "stopped_at"])
    Signature.objects.filter(supporter=person).update(email=change.email)


# --- Two that turn out to be one person ---------------------------------------------------------------------


def _merge(person: Supporter, *, into: Supporter, at: datetime) -> None:
    """Everything goes to who has the new mailbox, whose links in mails go on working; the other is no more."""
    _merge_signatures(person, into)
    _merge_consents(person, into)
    for relation in Supporter._meta.related_objects:
        if relation.related_model not in MERGED:
            _hand_over(relation.related_model, relation.field.name, person, into)
    audit.record(
        actor=None,
        action=erasing.MERGED,
        subject=into,
        at=at,
        known_as=[(row.pk, row.created_at.isoformat()) for row in (into, person)],
    )
    into.confirmed_at = min(filter(None, (person.confirmed_at, into.confirmed_at)), default=at)
    into.created_at = min(person.created_at, into.created_at)
    if person.first_name:
        into.first_name, into.last_name = person.first_name, person.last_name
    into.place_id = into.place_id or person.place_id
    into.save(update_fields=["confirmed_at", "created_at", "first_name", "last_name", "place"])
    person.delete()


def _merge_signatures(person: Supporter, into: Supporter) -> None:
    """One for each petition. Of two, the one that counts stays, else the one that says most, else the older.

    A name that was hidden with one of them stays hidden.
    """
    theirs = {row.petition_id: row for row in Signature.objects.filter(supporter=into)}
    changes: list[CountChange] = []
    for signature in Signature.objects.filter(supporter=person).order_by("pk"):
        other = theirs.get(signature.petition_id)
        if other is not None:
            loser = max(signature, other, key=_weakness)
            hidden_at = signature.hidden_at or other.hidden_at
            Signature.objects.filter(pk__in=(signature.pk, other.pk)).update(hidden_at=hidden_at)
            changes += [CountChange.of(loser, -1)] if loser.is_counted else []
            loser.delete()
            if loser is signature:
                continue
        # People are counted by their number, so that it has to be known who gained what the other lost.
        changes += [CountChange.of(signature, -1)] if signature.is_counted else []
        Signature.objects.filter(pk=signature.pk).update(supporter=into, email=into.email)
        signature.supporter = into
        changes += [CountChange.of(signature, 1)] if signature.is_counted else []
    CountChange.objects.bulk_create(changes)


def _weakness(signature: Signature) -> tuple[bool, bool, bool, bool, datetime]:
    """What staff removed must not come back by way of one that waits."""
    return (
        not signature.is_counted,
        signature.removal != Signature.Removal.STAFF,
        signature.removed_at is not None,
        signature.confirmed_at is None,
        signature.signed_at,
    )


def _merge_consents(person: Supporter, into: Supporter) -> None:
    """Told anew in the order in which they were made, because no row can be changed; the latest holds."""
    both = Consent.objects.filter(supporter__in=(person, into)).order_by("at", "pk")
    history = list(both)
    both.delete()
    Subscription.objects.filter(supporter__in=(person, into)).delete()
    latest: dict[int, Consent] = {}
    for consent in history:
        consent.pk, consent.supporter = None, into
        if consent.purpose == Consent.Purpose.UPDATES:
            latest[consent.organization_id] = consent
    Consent.objects.bulk_create(history)
    Subscription.objects.bulk_create(
        Subscription(supporter=into, organization_id=consent.organization_id, since=consent.at)
        for consent in latest.values()
        if consent.granted
    )


def _hand_over(model: type[models.Model], name: str, person: Supporter, into: Supporter) -> None:
    """Rows of any table that point to the person, but those of which the other has one and may have one only.

    Where the table has a column for it, a row that stays behind tells which one is in its place.
    """
    rows = model._default_manager.filter(**{name: person})
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and name in constraint.fields:
            same = {field: OuterRef(field) for field in constraint.fields if field != name}
            theirs = model._default_manager.filter(**{name: into}, **same)
            if any(field.name == INSTEAD for field in model._meta.concrete_fields):
                rows.filter(Exists(theirs)).update(**{INSTEAD: Subquery(theirs.values("pk")[:1])})
            rows = rows.exclude(Exists(theirs))
    rows.update(**{name: into})
