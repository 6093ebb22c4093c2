"""Putting a campaign file into the database: creating what is new, updating what differs, deleting nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from campaigns.models import Campaign, Organization, Place, Source, Target
from petitions.campaign_files.checking import problems_of
from petitions.campaign_files.tables import BrokenFile, CampaignFile, Table, fill
from petitions.campaign_files.values import normal_line_ends
from petitions.models import FormerAddress, Letter, Petition
from petitions.publishing import Problem
from staff import audit
from staff.models import User

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Loaded:
    """What loading did: counts by kind of thing (“petitions”), and the names of what the file lacks."""

    campaign: Campaign
    petitions: list[Petition]
    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated)


@transaction.atomic
def load(file: CampaignFile, *, actor: User | None = None, at: datetime) -> Loaded:
    """Makes the database say what the file says. Raises BrokenFile, and then nothing was changed.

    Organization and place are found by their names, campaign and petition by the slug, source by the key, letter by
    the kind, target by name and place. What the campaign has and the file has not stays as it is, and is named in
    `left`. Of the organization and of places, which other campaigns may share, keys that the file does not give stay
    as well; elsewhere a missing key means empty.
    """
    loading = Loading(file)
    loading.run()
    if loading.problems:
        raise BrokenFile(loading.problems)
    loaded = Loaded(
        loading.campaign,
        list(loading.petitions.values()),
        loading.created,
        loading.updated,
        list(loading.left()),
    )
    if loaded.changed:
        audit.record(
            actor=actor,
            action="loaded a campaign file",
            subject=loaded.campaign,
            at=at,
            created=dict(loaded.created),
            updated=dict(loaded.updated),
        )
    return loaded


class Loading:
    """One run, inside the caller's transaction."""

    def __init__(self, file: CampaignFile) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.created: Counter[str] = Counter()
        self.updated: Counter[str] = Counter()
        self.letters: dict[str, Letter] = {}
        self.sources: dict[str, Source] = {}
        self.targets: dict[str, Target] = {}
        self.petitions: dict[str, Petition] = {}
        # The tables of which something was saved.
        self.saved: set[str] = set()

    def run(self) -> None:
        file = self.file
        self.organization = self.stored(
            first(Organization, name=file.organization.text("name")), file.organization, keep_missing=True
        )
        if not self.load_campaign():
            return
        for table in file.sources:
            found = first(Source, campaign=self.campaign, key=table.text("key"))
            self.sources[table.text("key")] = self.stored(found, table)
        for kind, table in file.letters.items():
            self.letters[kind] = self.stored(first(Letter, campaign=self.campaign, kind=kind), table)
        for table in file.targets:
            self.load_target(table)
        for table in file.petitions:
            self.load_petition(table)
        for table in file.groups:
            self.load_members(table)

    def load_campaign(self) -> bool:
        """Whether the campaign is ours to change; it is locked until the end."""
        table = self.file.campaign
        found = Campaign.objects.select_for_update(no_key=True).filter(slug=table.text("slug")).first()
        if found and found.organization_id != self.organization.pk:
            owner = found.organization.name
            message = (
                f"This address belongs to a campaign of “{owner}”. Use another slug, or that organization."
            )
            self.problems.append(Problem(table.place("slug"), message))
            return False
        self.campaign = self.stored(found or Campaign(organization=self.organization), table)
        return self.campaign.pk is not None

    def load_target(self, table: Table) -> None:
        name, region, country = table.place_names
        place = self.stored(first(Place, name=name, region=region, country=country), table, keep_missing=True)
        if place.pk is not None:
            target = first(Target, campaign=self.campaign, name=table.text("name"), place=place)
            self.targets[table.path] = self.stored(target, table)

    def load_petition(self, table: Table) -> None:
        """Does nothing where letter or target could not be stored, which has been reported then."""
        letter, target = self.letters.get(table.text("kind")), self.targets.get(table.path)
        if letter is None or letter.pk is None or (table.is_target and (target is None or target.pk is None)):
            return
        petition = self.find_petition(table, letter, target)
        if petition is not None:
            self.petitions[table.path] = self.stored(petition, table)

    def find_petition(self, table: Table, letter: Letter, target: Target | None) -> Petition | None:
        """The petition that `table` is about, or a new one; None, and a problem, where it must not be changed so."""
        mine = Petition.objects.select_related("letter__campaign", "target__place")
        addressed = {"target": target} if target else {"target": None, "addressee": table.text("addressee")}
        same_address = mine.filter(slug=self.file.slugs[table.path]).first()
        same_addressee = mine.filter(letter=letter, **addressed).first()
        if not table.text("slug") and same_addressee:
            return same_addressee
        refusal = self.refusal(same_address, same_addressee, letter, target)
        if refusal := refusal or self.former_address(self.file.slugs[table.path]):
            self.problems.append(Problem(table.place("slug"), refusal))
            return None
        petition = same_address or (same_addressee if target else None) or Petition()
        petition.letter, petition.target, petition.slug = letter, target, self.file.slugs[table.path]
        return petition

    def refusal(
        self, here: Petition | None, elsewhere: Petition | None, letter: Letter, target: Target | None
    ) -> str:
        """Why the petition at the file's address (`here`) cannot be the one to this addressee; "" where it can.

        Drafts may move. What was published keeps its address, and whom it is to.
        """
        if here and here.campaign != self.campaign:
            return f"This address belongs to a petition of “{here.campaign}”. Choose a different one."
        moved = here and (here.letter_id != letter.pk or here.target != target)
        if here and moved and was_public(here):
            return f"Here is the published petition to {here.addressed_to}. Choose a different address."
        if target and elsewhere and elsewhere != here and (here or was_public(elsewhere)):
            return f"The petition to {elsewhere.addressed_to} has the address “{elsewhere.slug}”. Write that one."
        return ""

    def former_address(self, slug: str) -> str:
        """Why nothing can be put at an address that leads to a petition which moved; "" where it is none."""
        former = FormerAddress.objects.filter(slug=slug).select_related("petition__letter__campaign").first()
        if former is None:
            return ""
        if former.petition.campaign != self.campaign:
            return (
                f"This address belongs to a petition of “{former.petition.campaign}”. Choose a different one."
            )
        return f"The petition that was here has the address “{former.petition.slug}” now. Write that one."

    def load_members(self, table: Table) -> None:
        petition = self.petitions.get(table.path)
        if petition is None or petition.pk is None:
            return
        wanted = set(table.texts("members"))
        members = [target for path, target in self.targets.items() if self.file.slugs[path] in wanted]
        if {target.pk for target in members} != set(petition.members.values_list("pk", flat=True)):
            petition.members.set(members)
            if table.path not in self.saved:
                self.updated[name_of(petition)] += 1

    def stored(self, instance: M, table: Table, *, keep_missing: bool = False) -> M:
        """The instance with what `table` says, saved where that changes anything; not saved where it is not valid."""
        before = (
            None if instance.pk is None else contents(type(instance)._default_manager.get(pk=instance.pk))
        )
        fill(instance, table, keep_missing=keep_missing)
        now = contents(instance)
        if now == before:
            return instance
        try:
            instance.full_clean()
        except ValidationError as error:
            self.problems += problems_of(error, table, type(instance))
            return instance
        # Only what differs: somebody may be closing the petition in this very moment.
        instance.save(update_fields=[name for name in now if now[name] != before[name]] if before else None)
        self.saved.add(table.path)
        (self.updated if before else self.created)[name_of(instance)] += 1
        return instance

    def left(self) -> Iterator[str]:
        """What the campaign has and the file has not, in words."""
        kept = {model: [thing.pk for thing in things] for model, things in self.loaded().items()}
        letters = Letter.objects.filter(campaign=self.campaign).exclude(pk__in=kept[Letter])
        sources = Source.objects.filter(campaign=self.campaign).exclude(pk__in=kept[Source])
        targets = Target.objects.filter(campaign=self.campaign).exclude(pk__in=kept[Target])
        petitions = Petition.objects.filter(letter__campaign=self.campaign).exclude(pk__in=kept[Petition])
        yield from (f"source “{source.key}”" for source in sources)
        yield from (f"{letter.get_kind_display().lower()} letter" for letter in letters)
        yield from (f"target {target}" for target in targets.select_related("place"))
        yield from (f"petition “{petition.slug}”" for petition in petitions)

    def loaded(self) -> dict[type[Model], list[Any]]:
        return {
            Letter: list(self.letters.values()),
            Source: list(self.sources.values()),
            Target: list(self.targets.values()),
            Petition: list(self.petitions.values()),
        }


def first(model: type[M], **identity: Any) -> M:
    """The row with this natural key, or a new one with it that is not saved yet."""
    return model._default_manager.filter(**identity).first() or model(**identity)


def was_public(petition: Petition) -> bool:
    """Whether anybody can know its address or have signed it."""
    return petition.live_at is not None or petition.versions.exists()


def contents(instance: Model) -> dict[str, Any]:
    """Every column; line ends count as the same however a browser has sent them."""
    values = {column.attname: getattr(instance, column.attname) for column in instance._meta.concrete_fields}
    return {
        name: normal_line_ends(value) if isinstance(value, str) else value for name, value in values.items()
    }


def name_of(instance: Model) -> str:
    return str(instance._meta.verbose_name_plural)
