"""What a list would do to a campaign: every row marked new, changed, unchanged or wrong, and why. Changes nothing."""

import gc
import hashlib
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from campaigns.last_names import guess_last_name
from campaigns.models import Campaign, Place, Target
from petitions import checking
from petitions.closing import going_on
from petitions.models import Kind, Letter, Petition
from petitions.rendering import PAGE_FIELDS, CompiledLetter, values_for
from petitions.target_lists.cells import CellProblem, Values, read_cells
from petitions.target_lists.columns import COLUMNS
from petitions.target_lists.matching import Stored, Unclear, fits, key_of_place, key_of_row, person_key
from toolkit import markdown, merge_fields
from toolkit.merge_fields import MergeField

OFFICE = str(Target._meta.get_field("office").get_default())
OF_TARGET = ("name", "office", "salutation", "email")
OF_PETITION = ("headline", "local", "goal", "slug")
# Nothing else in Markdown can be a mistake, or hide one. Most local paragraphs need not be parsed to see that.
WORTH_PARSING = re.compile(r"[{}<\[\]`\\]|^\s*(?:[>*+-]|\d+[.)])|^(?: {4}|\t)", re.MULTILINE)
PLAIN_USE = re.compile(r"\{\{ ?([a-z_.]+) ?\}\}|\[\^([a-z0-9-]+)\](?![:(\[])")
REGION = "place.region"


class Mark(StrEnum):
    WRONG = "wrong"
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left out"


ORDER = {mark: position for position, mark in enumerate(Mark)}


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str
    after: str


@dataclass
class Row:
    """One row, and what applying would do. `target` and `petition` are as they would be then, not saved."""

    index: int
    line: int
    cells: Mapping[str, str]
    mark: Mark = Mark.UNCHANGED
    problems: list[CellProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    changes: list[FieldChange] = field(default_factory=list)
    target: Target | None = None
    petition: Petition | None = None
    saves_target: bool = False
    saves_petition: bool = False
    postal_prefixes: str | None = None

    def wrong(self, column: str, message: str) -> None:
        self.problems.append(CellProblem(column, message))

    @property
    def particulars(self) -> list[FieldChange]:
        """What a new row says beside whom it is about."""
        return [
            FieldChange(column.label, "", self.cells[name])
            for name, column in COLUMNS.items()
            if self.cells.get(name) and name not in ("name", "office", "place", "region", "country", "kind")
        ]

    @property
    def outcome(self) -> str:
        """All that staff were shown of it, and what it is about."""
        target = self.target.pk if self.target else None
        petition = self.petition.pk if self.petition else None
        cells = sorted(self.cells.items())
        return repr((self.line, self.mark, target, petition, self.changes, self.problems, cells))


@dataclass(frozen=True)
class Preview:
    """What applying a list would do, row by row, in the order of the list."""

    campaign: Campaign
    rows: list[Row]
    new_places: list[Place]

    @cached_property
    def counts(self) -> Counter[Mark]:
        return Counter(row.mark for row in self.rows)

    @property
    def changes_anything(self) -> bool:
        return bool(self.counts[Mark.NEW] or self.counts[Mark.CHANGED])

    @cached_property
    def digest(self) -> str:
        """Stands for everything shown: applying with it refuses to do anything else."""
        words = "\n".join(row.outcome for row in self.rows)
        return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def without_collecting() -> Iterator[None]:
    """Spares looking for garbage among a million objects of which none is: a fifth of the time for a long list.

    Whoever comes out last, in whatever thread, leaves the collector running.
    """
    was_running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_running:
            gc.enable()


@without_collecting()
def compare(campaign: Campaign, rows: Sequence[Mapping[str, Any]], *, lock: bool = False) -> Preview:
    """Compares `TargetList.rows` with the campaign as the database has it now. About ten queries.

    With `lock`, inside a transaction, its targets and petitions cannot change meanwhile.
    """
    found = [
        Row(index, row.get("line", index + 2), row.get("cells", {}), mark=first_mark(row))
        for index, row in enumerate(rows)
    ]
    kept = [(row, *read_cells(row.cells)) for row in found if row.mark is not Mark.LEFT_OUT]
    stored = Stored(campaign, [values for _row, values, _problems in kept], lock=lock)
    comparison = Comparison(stored)
    for row, values, problems in kept:
        row.problems += problems
        comparison.look_at(row, values)
    used = {id(row.target.place) for row in found if row.target and row.mark is not Mark.WRONG}
    return Preview(campaign, found, [place for place in stored.new_places.values() if id(place) in used])


def first_mark(row: Mapping[str, Any]) -> Mark:
    return Mark.LEFT_OUT if row.get("left_out") else Mark.UNCHANGED


class Comparison:
    """One run over the rows; remembers what earlier rows claimed."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.campaign = stored.campaign
        self.letters = stored.letters
        self.default = Kind.DEMAND if Kind.DEMAND in self.letters else next(iter(self.letters), None)
        self.texts = {kind: LetterNeeds.of(letter) for kind, letter in self.letters.items()}
        self.people: dict[Hashable, int] = {}
        self.slugs: dict[str, int] = {}
        self.offices: dict[Hashable, tuple[str, int]] = {}
        self.codes: dict[int, tuple[str, int]] = {}

    def look_at(self, row: Row, values: Values) -> None:
        wrong = {problem.column for problem in row.problems}
        if not wrong & {"name", "place", "region", "country"}:
            try:
                self.match(row, values)
            except Unclear as unclear:
                row.wrong(unclear.column, str(unclear))
        if row.problems:
            row.mark = Mark.WRONG

    def match(self, row: Row, values: Values) -> None:
        target = self.addressed(row, values)
        if target is None:
            target = Target(campaign=self.campaign, office=OFFICE, place=self.stored.place_for(values))
            self.warn_of_predecessor(row, values, target.place)
        self.claim(row, values, target)
        petition = self.petition_for(row, values, target)
        if petition is None:
            return
        row.target, row.petition = target, petition
        row.mark = (
            Mark.UNCHANGED if target.pk and petition.pk else Mark.NEW if not target.pk else Mark.CHANGED
        )
        self.change_target(row, values, target)
        self.change_petition(row, values, petition)
        self.change_codes(row, values, target.place)
        self.check_texts(row, petition)
        if row.changes and row.mark is Mark.UNCHANGED:
            row.mark = Mark.CHANGED
        if row.mark is Mark.CHANGED and petition.closed_at:
            row.warnings.append("This petition is closed; its page keeps the text it closed with.")

    # --- Whom ----------------------------------------------------------------------------------------------

    def addressed(self, row: Row, values: Values) -> Target | None:
        """The stored target a row is about: that of its name and place, or else that of the draft at its address."""
        named = self.stored.target_for(values)
        slug = values.get("slug")
        here = self.stored.by_slug.get(slug) if slug else None
        if here is None:
            if slug in self.stored.owners:
                row.wrong("slug", "A petition of another campaign has this address. Choose a different one.")
            return named
        if here.target is None:
            row.wrong(
                "slug", f"This is the address of the petition to {here.addressed_to}. Choose a different one."
            )
        elif named is None and here.current_version_id is None:
            return here.target
        elif named is None:
            row.wrong(
                "slug",
                f"Here is the published petition to {here.addressed_to}, {here.target.place}. "
                "Choose a different address; correct a name on the target’s own page.",
            )
        elif named is not here.target:
            row.wrong(
                "slug",
                f"The petition to {here.addressed_to}, {here.target.place}, has this address. Choose a different one.",
            )
        return named

    def claim(self, row: Row, values: Values, target: Target) -> None:
        """Every person and every address once in a list."""
        given = key_of_row(values)
        place = self.stored.keys.get(target.pk, given) if target.pk else key_of_place(target.place)
        person = (place if fits(place, given) else given, person_key(values["name"]))
        for claimed in (person, target.pk):
            line = self.people.setdefault(claimed, row.line) if claimed else row.line
            if line != row.line:
                row.wrong("name", f"This target stands on line {line} already. Keep one of the two rows.")
                break
        if slug := values.get("slug"):
            line = self.slugs.setdefault(slug, row.line)
            if line != row.line:
                row.wrong("slug", f"Line {line} has this address already. Choose a different one.")

    def warn_of_predecessor(self, row: Row, values: Values, place: Place) -> None:
        """Somebody new in an office may be meant to follow somebody else, who stays."""
        office = values.get("office", OFFICE)
        for other in self.stored.by_place.get(key_of_place(place), []):
            if other.office.casefold() == office.casefold():
                row.warnings.append(
                    f"{place.name} already has a petition to {other.title}; this adds another and leaves that one."
                )
                return
        title, line = self.offices.setdefault((id(place), office.casefold()), (values["name"], row.line))
        if line != row.line:
            row.warnings.append(f"Line {line} is about the same office in the same place: {office} {title}.")

    def petition_for(self, row: Row, values: Values, target: Target) -> Petition | None:
        """The petition a row is about, of the row's kind. None, and a problem, where there cannot be one."""
        petitions = self.stored.petitions.get(target.pk, [])
        current = going_on(petitions)
        if any(problem.column == "kind" for problem in row.problems):
            return current
        kind = values.get("kind") or (current.letter.kind if current else self.default)
        letter = self.letters.get(kind or "")
        if letter is None:
            what = f"no {Kind(kind).label.lower()} letter" if kind else "no letter"
            row.wrong("kind", f"This campaign has {what} yet. Write it first, or choose the other kind.")
            return None
        same = next((petition for petition in petitions if petition.letter is letter), None)
        if same is not None or current is None:
            return same or Petition(letter=letter, target=target)
        if current.current_version_id is not None:
            row.wrong(
                "kind",
                f"This petition is published as a {current.letter.get_kind_display().lower()}. "
                "To move it, use “Take a stand” in the list of petitions; here leave the kind as it is.",
            )
            return None
        return current

    # --- What changes --------------------------------------------------------------------------------------

    def change_target(self, row: Row, values: Values, target: Target) -> None:
        before = {name: getattr(target, name) for name in (*OF_TARGET, "last_name")}
        for name in OF_TARGET:
            if name in values:
                setattr(target, name, values[name])
        if "last_name" in values:
            target.last_name = values["last_name"]
        elif not before["name"] or before["last_name"] == guess_last_name(before["name"]):
            target.last_name = guess_last_name(target.name)
        if target.pk:
            for name, old in before.items():
                self.note(row, name, old, getattr(target, name))
            self.move(row, values, target)
        row.saves_target = bool(row.changes) or not target.pk

    def move(self, row: Row, values: Values, target: Target) -> None:
        """To the place the row names, where the stored one is another, or was listed without its region."""
        if not fits(self.stored.keys[target.pk], key_of_row(values)):
            place = self.stored.place_for(values)
            self.note(row, "place", full(target.place), full(place))
            target.place = place

    def change_petition(self, row: Row, values: Values, petition: Petition) -> None:
        made = len(row.changes)
        kind = values.get("kind")
        if petition.pk and kind and petition.letter.kind != kind:
            self.note(row, "kind", petition.letter.get_kind_display(), kind.label)
            petition.letter = self.letters[kind]
        for name in OF_PETITION:
            if name not in values or (name == "slug" and self.keeps_address(row, values["slug"], petition)):
                continue
            old = getattr(petition, name)
            setattr(petition, name, values[name])
            if petition.pk:
                self.note(row, name, old, values[name])
        if not petition.pk and row.target is not None and row.target.pk:
            row.changes.append(FieldChange("Petition", "", petition.letter.get_kind_display()))
        row.saves_petition = not petition.pk or len(row.changes) > made

    def keeps_address(self, row: Row, slug: str, petition: Petition) -> bool:
        """Whether the petition goes on under its address. An address it once had is its own as well."""
        if slug == petition.slug or (petition.pk and self.stored.by_slug.get(slug) is petition):
            return True
        if petition.current_version_id is not None:
            row.wrong(
                "slug",
                f"This petition is published as “{petition.slug}”, and people have the link. "
                "Change its address in the list of petitions, or leave it empty here.",
            )
            return True
        return False

    def change_codes(self, row: Row, values: Values, place: Place) -> None:
        codes = values.get("postal_prefixes")
        if codes is None:
            return
        first, line = self.codes.setdefault(place.pk or -id(place), (codes, row.line))
        if first != codes:
            row.wrong("postal_prefixes", f"Line {line} gives other postal codes for the same place.")
        elif " ".join(place.postal_prefixes.split()) != codes or not place.pk:
            row.postal_prefixes = codes
            if row.mark is not Mark.NEW:
                self.note(row, "postal_prefixes", place.postal_prefixes, codes)

    def note(self, row: Row, column: str, before: Any, after: Any) -> None:
        if (before or "") != (after or ""):
            row.changes.append(FieldChange(COLUMNS[column].label, shown(before), shown(after)))

    # --- What the page would say ---------------------------------------------------------------------------

    def check_texts(self, row: Row, petition: Petition) -> None:
        """Mistakes in what the petition says itself, and what the letter needs of the row. No query."""
        if row.mark is Mark.UNCHANGED and not row.changes:
            return
        needs = self.texts[petition.letter.kind]
        target = row.target
        if (
            target is not None
            and not target.place.region
            and needs.region(own_headline=bool(petition.headline))
        ):
            kind = petition.letter.get_kind_display().lower()
            row.wrong("region", f"The {kind} letter says {{{{ {REGION} }}}}, so a region is needed.")
        row.problems += [
            CellProblem(problem.field, problem.message)
            for problem in text_problems(petition, self.stored.sources)
        ]
        if target is not None and needs.may_be_overlong(target):
            for problem in checking.overlong_lines(petition.letter, [petition]):
                row.wrong("", f"{checking.label(Letter, problem.field).capitalize()}: {problem.message}")


def text_problems(petition: Petition, keys: tuple[str, ...]) -> list[checking.FieldProblem]:
    """As `checking.petition_problems`, reading each text once however often it comes."""
    problems: list[checking.FieldProblem] = []
    if petition.headline:
        problems += checking.line_problems("headline", petition.headline, fields=PAGE_FIELDS)
        problems += checking.overlong("headline", petition.headline, [petition])
        problems += without_value("headline", merge_fields.find(petition.headline), petition)
    if petition.local:
        found, fields = read_markdown(petition.local, keys)
        problems += [*found, *without_value("local", fields, petition)]
    return problems


@lru_cache(maxsize=20_000)
def read_markdown(
    text: str, keys: tuple[str, ...]
) -> tuple[tuple[checking.FieldProblem, ...], tuple[MergeField, ...]]:
    """Its mistakes, and the merge fields that need a value."""
    plain = PLAIN_USE.sub(
        lambda use: "" if use[1] in PAGE_FIELDS or use[2] in keys else use[0],
        text,
    )
    if not WORTH_PARSING.search(plain):
        return (), merge_fields.find(text)
    document = markdown.uses(text)
    return tuple(checking.document_problems("local", document, keys=keys, blocks=())), document.fields


def without_value(name: str, fields: Sequence[MergeField], petition: Petition) -> list[checking.FieldProblem]:
    values = values_for(petition) if fields else {}
    missing = merge_fields.missing([merge for merge in fields if merge.name in PAGE_FIELDS], values)
    return [checking.FieldProblem(name, checking.no_value(merge, [petition])) for merge in missing]


@dataclass(frozen=True)
class LetterNeeds:
    """What a letter asks of each target, found out once for all rows."""

    in_headline: bool
    elsewhere: bool
    # The length of each line that a version stores in a limited column, its fields, and the limit.
    lines: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, letter: Letter) -> "LetterNeeds":
        compiled = CompiledLetter.of(letter)
        in_lines = {name: merge_fields.find(getattr(letter, name)) for name in checking.LINES}
        elsewhere = [merge for name, found in in_lines.items() if name != "headline" for merge in found]
        for name in (*checking.CITING, "thanks"):
            elsewhere += getattr(compiled, name).fields
        lines = tuple(
            (len(getattr(letter, name)), len(in_lines[name]), limit)
            for name, limit in checking.LONGEST.items()
        )
        return cls(needs_region(in_lines["headline"]), needs_region(elsewhere), lines)

    def region(self, *, own_headline: bool) -> bool:
        return self.elsewhere or (self.in_headline and not own_headline)

    def may_be_overlong(self, target: Target) -> bool:
        """A guess on the safe side: filling in lines for ten thousand rows takes its time."""
        most = max(
            map(
                len,
                (target.name, target.office, target.last_name, target.place.name, target.place.region),
            )
        )
        return any(length + fields * most > limit for length, fields, limit in self.lines)


def needs_region(fields: Sequence[MergeField]) -> bool:
    return any(merge.name == REGION and merge.fallback is None for merge in fields)


def full(place: Place) -> str:
    return ", ".join(part for part in (place.name, place.region, place.country) if part)


def shown(value: Any) -> str:
    return "" if value is None else str(value)
