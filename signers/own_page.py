"""What people see of themselves, and change: their name, what they signed, their choices about updates."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from campaigns.models import Organization
from petitions.models import Version
from petitions.progress import progress_of
from signers import consents
from signers.confirming import change_count, drop_waiting_mails, forget_what_was_typed, locked_person
from signers.consents import Choice
from signers.models import Consent, OwnPageRequest, Signature, Subscription, Supporter
from signers.wordings import no_more_updates_wording, updates_question, updates_wording

REMOVED = {
    Signature.Removal.NOT_ME: "Removed: you told us that it was not yours",
    Signature.Removal.WITHDRAWN: "Withdrawn by you; it does not count",
    Signature.Removal.STAFF: "Removed; it does not count",
}
STATES = {
    "pending": "Not confirmed yet: press the button in the mail we sent you, and it counts",
    "held": "Does not count at the moment",
    "accepted": "Counts; please confirm it by the button in the mail we sent you",
    "confirmed": "Confirmed; it counts",
}


@dataclass(frozen=True)
class Line:
    """One signature as its signer sees it. `url` is "" and `count` None where the page shows none."""

    signature: Signature
    headline: str
    addressee: str
    place_name: str
    url: str
    state: str
    count: int | None

    @property
    def is_there(self) -> bool:
        """Whether there is anything left to correct, hide or withdraw."""
        return self.signature.removed_at is None

    @property
    def is_hidden(self) -> bool:
        return self.is_there and self.signature.hidden_at is not None

    @property
    def name(self) -> str:
        return f"{self.signature.first_name} {self.signature.last_name}".strip()


@dataclass(frozen=True)
class UpdatesChoice:
    """Whether somebody gets updates of an organization, and the question they are asked about it."""

    organization: Organization
    wants: bool

    @property
    def question(self) -> str:
        return updates_question(self.organization)


def ask_for_link(*, email: str, at: datetime) -> None:
    """Writes the wish down. One INSERT, whoever it is; the worker knows what to do with it."""
    OwnPageRequest.objects.create(email=email, received_at=at)


# --- Seeing ------------------------------------------------------------------------------------------------


def lines(supporter: Supporter, *, at: datetime) -> list[Line]:
    """Everything they signed, newest first. One query."""
    return [_line(signature, at) for signature in _for_lines(supporter.signatures.all())]


def line(supporter: Supporter, signature_id: int, *, at: datetime) -> Line | None:
    """One of theirs, or None. One query."""
    found = _for_lines(supporter.signatures.filter(pk=signature_id)).first()
    return _line(found, at) if found else None


def _for_lines(signatures: QuerySet[Signature]) -> QuerySet[Signature]:
    related = signatures.select_related(
        "version", "petition__letter__campaign__organization", "petition__tally", "petition__target__place"
    )
    return related.defer(
        *(f"version__{name}" for name in Version.LONG),
        "petition__local",
        "petition__letter__body",
        "petition__letter__campaign__organization__logo",
    ).order_by("-signed_at", "-id")


def _line(signature: Signature, at: datetime) -> Line:
    petition, version = signature.petition, signature.version
    is_live = petition.is_live(at)
    return Line(
        signature=signature,
        headline=version.headline,
        addressee=version.addressee,
        place_name=version.place_name,
        url=petition.get_absolute_url() if is_live else "",
        state=REMOVED[Signature.Removal(signature.removal)]
        if signature.removed_at
        else STATES[signature.state],
        count=progress_of(petition).count if is_live else None,
    )


def updates_choices(supporter: Supporter) -> list[UpdatesChoice]:
    """For each organization they signed with or were asked by. Two queries."""
    wanted = set(supporter.subscriptions.values_list("organization_id", flat=True))
    return [UpdatesChoice(row, row.pk in wanted) for row in organizations_of(supporter)]


def organizations_of(supporter: Supporter) -> list[Organization]:
    signed = Signature.objects.filter(supporter=supporter).values("petition__letter__campaign__organization")
    chosen = Consent.objects.filter(supporter=supporter).values("organization")
    theirs = Organization.objects.filter(Q(pk__in=signed) | Q(pk__in=chosen))
    return list(theirs.defer("logo").order_by("name"))


# --- Changing ----------------------------------------------------------------------------------------------


@transaction.atomic
def rename(*, supporter_id: int, first_name: str, last_name: str, only: int | None = None) -> bool:
    """Corrects the name under every signature, or under `only` one, and how mails address the person.

    False where the one is not theirs or was removed.
    """
    supporter = locked_person(supporter_id)
    if supporter is None:
        return False
    signatures = Signature.objects.filter(supporter=supporter, removed_at=None)
    if only is not None and not (signatures := signatures.filter(pk=only)).exists():
        return False
    signatures.update(first_name=first_name, last_name=last_name)
    Supporter.objects.filter(pk=supporter.pk).update(first_name=first_name, last_name=last_name)
    return True


@transaction.atomic
def hide(*, supporter_id: int, signature_id: int, at: datetime) -> bool:
    """Keeps the name from everybody outside the organization; it goes on counting. False where it isn't theirs."""
    theirs = _theirs(supporter_id, signature_id)
    if theirs is None:
        return False
    Signature.objects.filter(pk=theirs.pk, hidden_at=None).update(hidden_at=at)
    return True


@transaction.atomic
def show(*, supporter_id: int, signature_id: int) -> bool:
    """Undoes `hide`. False where it isn't theirs."""
    theirs = _theirs(supporter_id, signature_id)
    if theirs is None:
        return False
    Signature.objects.filter(pk=theirs.pk).update(hidden_at=None)
    return True


@transaction.atomic
def withdraw(*, supporter_id: int, signature_id: int, at: datetime, stop_updates: bool = False) -> bool:
    """Takes the signature off the count and forgets what was typed with it; False where it is not there (any more).

    `stop_updates` also ends updates of the organization; without it the choice about them stands.
    """
    signature = _theirs(supporter_id, signature_id)
    if signature is None:
        return False
    if signature.is_counted:
        change_count(signature, -1)
    Signature.objects.filter(pk=signature.pk).update(
        removed_at=at, removal=Signature.Removal.WITHDRAWN, hidden_at=None
    )
    forget_what_was_typed(signature)
    drop_waiting_mails(signature, at)
    organization = signature.petition.campaign.organization
    if stop_updates and wants_updates(supporter_id, organization.pk):
        wording = no_more_updates_wording(organization)
        choice = Choice(supporter_id, organization.pk, granted=False, wording=wording)
        consents.record([choice], source=Consent.Source.WITHDRAWN, at=at)
    return True


@transaction.atomic
def choose_updates(*, supporter_id: int, organization_id: int, wants: bool, at: datetime) -> bool:
    """Records the choice where it is another than the one that holds.

    False where nobody asked about that organization, or where a blocked mailbox asks for mail.
    """
    supporter = locked_person(supporter_id)
    if supporter is None or (wants and supporter.blocked_at):
        return False
    asked = {organization.pk: organization for organization in organizations_of(supporter)}
    if organization_id not in asked:
        return False
    if wants == wants_updates(supporter_id, organization_id):
        return True
    choice = Choice(supporter_id, organization_id, wants, updates_wording(asked[organization_id]))
    consents.record([choice], source=Consent.Source.SELF_SERVICE, at=at)
    if wants:
        Supporter.objects.filter(pk=supporter_id, confirmed_at=None).update(confirmed_at=at)
    return True


def wants_updates(supporter_id: int, organization_id: int) -> bool:
    return Subscription.objects.filter(supporter=supporter_id, organization=organization_id).exists()


def _theirs(supporter_id: int, signature_id: int) -> Signature | None:
    """A signature of theirs that was not removed, with its campaign; its supporter is locked."""
    if locked_person(supporter_id) is None:
        return None
    return (
        Signature.objects.select_related("petition__letter__campaign__organization")
        .filter(pk=signature_id, supporter=supporter_id, removed_at=None)
        .first()
    )
