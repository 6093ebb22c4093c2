"""What is wrong with the contents of a file: everything the admin's forms would refuse, found without the database."""

from collections.abc import Collection, Iterator
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from campaigns.models import Campaign, Organization, Place, Source, Target
from petitions.campaign_files.tables import CampaignFile, Table, fill
from petitions.checking import FieldProblem, letter_problems, petition_problems
from petitions.models import Letter, Petition
from petitions.publishing import Problem

M = TypeVar("M", bound=Model)


def check(file: CampaignFile, *, broken: Collection[str]) -> list[Problem]:
    """Every problem that is not at one of the `broken` places, where something else has been said already."""
    problems = Drafts(file).problems()
    return [problem for problem in problems if problem.place not in broken]


class Drafts:
    """The file as models that are never saved."""

    def __init__(self, file: CampaignFile) -> None:
        self.file = file
        self.organization = drafted(Organization(), file.organization)
        self.campaign = drafted(Campaign(organization=self.organization), file.campaign)
        self.letters = {
            kind: drafted(Letter(campaign=self.campaign, kind=kind), table)
            for kind, table in file.letters.items()
        }
        self.targets = {
            table.path: drafted(Target(campaign=self.campaign, place=drafted(Place(), table)), table)
            for table in file.targets
        }
        self.petitions = {table.path: self.petition(table) for table in file.petitions}

    def petition(self, table: Table) -> Petition:
        letter = self.letters.get(table.text("kind")) or Letter(campaign=self.campaign)
        return drafted(Petition(letter=letter, target=self.targets.get(table.path)), table)

    def problems(self) -> list[Problem]:
        keys = [table.text("key") for table in self.file.sources]
        problems = list(self.wrong_fields())
        for kind, table in self.file.letters.items():
            letter = self.letters[kind]
            addressed = [
                petition
                for petition in self.petitions.values()
                if petition.letter is letter and is_named(petition)
            ]
            problems += placed(table, letter_problems(letter, keys=keys, petitions=addressed))
        for table in self.file.petitions:
            petition = self.petitions[table.path]
            if is_named(petition):
                problems += placed(table, petition_problems(petition, keys=keys))
        return problems

    def wrong_fields(self) -> Iterator[Problem]:
        yield from wrong_fields(self.organization, self.file.organization)
        yield from wrong_fields(self.campaign, self.file.campaign)
        for table in self.file.sources:
            yield from wrong_fields(drafted(Source(), table), table)
        for kind, table in self.file.letters.items():
            yield from wrong_fields(self.letters[kind], table)
        for table in self.file.targets:
            yield from wrong_fields(self.targets[table.path], table)
            yield from wrong_fields(self.targets[table.path].place, table)
        for table in self.file.petitions:
            yield from wrong_fields(self.petitions[table.path], table)


def drafted(instance: M, table: Table) -> M:
    fill(instance, table)
    return instance


def is_named(petition: Petition) -> bool:
    """Whether it is known whom the petition is to; otherwise every merge field would be reported as empty."""
    target = petition.target
    return bool(target.name and target.place.name) if target else bool(petition.addressee)


def wrong_fields(instance: Model, table: Table) -> list[Problem]:
    """What the model says of the values given in `table`."""
    given = {
        key.stored_in: key for key in table.keys if key.model is type(instance) and key.name in table.values
    }
    others = {field.name for field in instance._meta.concrete_fields if field.name not in given}
    try:
        instance.clean_fields(exclude=others)
    except ValidationError as error:
        return problems_of(error, table, type(instance))
    return []


def problems_of(error: ValidationError, table: Table, model: type[Model]) -> list[Problem]:
    """A model's verdict, each message at the key that is stored in the field it is about."""
    by_field = {key.stored_in: key.name for key in table.keys if key.model is model}
    if not hasattr(error, "error_dict"):
        return [Problem(table.place(), message) for message in error.messages]
    return [
        Problem(table.place(by_field.get(field, "")), message)
        for field, messages in error.message_dict.items()
        for message in messages
    ]


def placed(table: Table, problems: list[FieldProblem]) -> list[Problem]:
    return [Problem(table.place(problem.field), problem.message) for problem in problems]
