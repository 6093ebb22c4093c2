"""From the text of a campaign file to its tables, or to the list of everything that is wrong with it."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.text import slugify

from campaigns.models import Place, Target
from petitions.campaign_files import keys
from petitions.campaign_files.checking import check
from petitions.campaign_files.keys import Key
from petitions.campaign_files.positions import Positions, find_positions
from petitions.campaign_files.tables import BrokenFile, CampaignFile, Table, Value
from petitions.campaign_files.values import described, read_table, unknown
from petitions.models import Petition
from petitions.publishing import Problem
from toolkit.nearest_name import nearest
from toolkit.text_problems import shortened

# Many times what a campaign for a thousand cities needs.
LARGEST_FILE = 5_000_000
LONGEST_SLUG = Petition._meta.get_field("slug").max_length or 0

# What Python's reader says, and what helps a person.
PLAIN_WORDS = {
    "Cannot overwrite a value": "This key is given twice. Keep one of them.",
    "Duplicate inline table key": "This key is given twice. Keep one of them.",
    "Cannot declare": "This table is begun twice. Keep one header, or use [[ ]] where there can be several.",
    "Expected '=' after a key": "A key has to be followed by = and its value.",
    "Unescaped '\\' in a string": "In double quotes, write a backslash twice; or use single quotes.",
    "Illegal character '\\n'": "A text in quotes has to end on its line. Put several lines between ''' and '''.",
    "Unterminated string": "A text has no closing quotes.",
    "Expected \"'''\"": "A text that begins with ''' has no closing '''.",
    'Expected "\'"': "A text has no closing quotes.",
    "Invalid value": "Write a text in quotes, a number, true or false, a date, or a list.",
    "Unclosed array": "A list has no closing bracket, or a comma is missing in it.",
    "Expected newline or end of document": "Only one key and value can stand on a line.",
    "Invalid statement": "A line begins with a key, a [table] or #.",
}
SYNTAX_ERROR = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)


def read(text: str | bytes) -> CampaignFile:
    """Reads a campaign file without a look at the database. Raises BrokenFile."""
    content = decoded(text)
    positions = find_positions(content)
    reader = Reader(parsed(content, positions), positions)
    file = reader.file()
    problems = reader.problems + check(file, broken={problem.place for problem in reader.problems})
    if problems:
        raise BrokenFile(problems)
    return file


def decoded(text: str | bytes) -> str:
    if len(text) > LARGEST_FILE:
        raise BrokenFile(
            [Problem("line 1", f"The file is too large. A campaign file has at most {LARGEST_FILE:,} bytes.")]
        )
    if isinstance(text, str):
        # Text with half characters takes the same way as bytes that are no UTF-8.
        text = text.encode("utf-8", "surrogatepass")
    try:
        return text.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise BrokenFile(
            [Problem(f"line {line}", "The file is not in UTF-8. Save it as UTF-8 in your editor.")]
        ) from None


def parsed(text: str, positions: Positions) -> dict[str, Any]:
    if positions.too_deep:
        raise BrokenFile([Problem(f"line {positions.too_deep}", "Brackets or names are nested too deeply.")])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BrokenFile([syntax_problem(str(error), text)]) from None
    except ValueError:
        # Python refuses to read numbers of thousands of digits.
        raise BrokenFile(
            [Problem(f"line {line_of_long_number(text)}", "A number has too many digits.")]
        ) from None
    except RecursionError:
        raise BrokenFile([Problem("line 1", "Brackets are nested too deeply.")]) from None


def line_of_long_number(text: str) -> int:
    number = re.search(r"[0-9_]{4000}", text)
    return text.count("\n", 0, number.start()) + 1 if number else 1


def syntax_problem(message: str, text: str) -> Problem:
    match = SYNTAX_ERROR.fullmatch(message)
    what, line, column = match.group("what", "line", "column") if match else (message, None, None)
    place = f"line {line}, column {column}" if line else f"line {text.count(chr(10)) + 1}"
    plain = next((words for start, words in PLAIN_WORDS.items() if what.startswith(start)), "")
    return Problem(place, f"This is not TOML. {plain or shortened(what) + '.'}")


class Taken:
    """Slugs that are in use, and how far the numbering of each has come."""

    def __init__(self, slugs: Iterable[str]) -> None:
        self.slugs = set(slugs)
        self.numbers: Counter[str] = Counter()


class Reader:
    """Takes a parsed document apart, table by table, and collects what is wrong."""

    def __init__(self, document: dict[str, Any], positions: Positions) -> None:
        self.document = document
        self.positions = positions
        self.problems: list[Problem] = []

    def file(self) -> CampaignFile:
        known = {"organization": 0, "campaign": 0, "sources": 0, "letters": 0, "targets": 0, "groups": 0}
        for name in self.document:
            if name not in known:
                self.report(self.positions.line(name), name, unknown("table", name, known))
        organization = self.single("organization", keys.ORGANIZATION)
        campaign = self.single("campaign", keys.CAMPAIGN)
        sources = self.several("sources", keys.SOURCES)
        letters = self.letters()
        targets = self.agreeing(
            tuple(self.with_kind(table, letters) for table in self.several("targets", keys.TARGETS))
        )
        groups = tuple(self.with_kind(table, letters) for table in self.several("groups", keys.GROUPS))
        self.refuse_twice(
            sources,
            lambda table: table.text("key"),
            "key",
            "Another source has this key. Choose a different one.",
        )
        slugs = self.slugs(campaign.text("slug"), (*targets, *groups))
        self.check_members(groups, {slugs[table.path]: table for table in targets})
        return CampaignFile(organization, campaign, sources, letters, targets, groups, slugs)

    def report(self, line: int, path: str, message: str) -> None:
        self.problems.append(Problem(f"line {line}, {shortened(path)}", message))

    def table(self, given: object, table_keys: tuple[Key, ...], *path: str | int) -> Table:
        """The table at `path`; empty, and reported, where something else stands there."""
        label = ".".join(str(part) for part in path if isinstance(part, str))
        label += "".join(f"[{part}]" for part in path if isinstance(part, int))
        line = self.positions.line(*path)
        if not isinstance(given, dict):
            self.report(
                line,
                label,
                f"This has to be a table, not {described(given)}. Begin it with [{label.split('[')[0]}].",
            )
            given = {}
        lines = {name: self.positions.line(*path, name) for name in given}
        table, problems = read_table(Table(label, table_keys, {}, line, lines), given)
        self.problems += problems
        return table

    def single(self, name: str, table_keys: tuple[Key, ...]) -> Table:
        if name not in self.document:
            self.report(1, name, f"The file has no [{name}]. Add it, with at least {required(table_keys)}.")
            return Table(name, table_keys, {}, 1, {})
        return self.table(self.document[name], table_keys, name)

    def several(self, name: str, table_keys: tuple[Key, ...]) -> tuple[Table, ...]:
        given = self.document.get(name, [])
        if not isinstance(given, list):
            self.report(
                self.positions.line(name), name, f"There can be several: write [[{name}]] with two brackets."
            )
            given = [given] if isinstance(given, dict) else []
        return tuple(self.table(item, table_keys, name, number) for number, item in enumerate(given, 1))

    def letters(self) -> dict[str, Table]:
        given = self.document.get("letters", {})
        if not isinstance(given, dict):
            self.report(
                self.positions.line("letters"),
                "letters",
                "Write the letters as [letters.demand] and [letters.thank-you].",
            )
            return {}
        choices = dict.fromkeys(keys.KINDS)
        for kind in given:
            if kind not in choices:
                self.report(
                    self.positions.line("letters", kind), f"letters.{kind}", unknown("letter", kind, choices)
                )
        return {
            kind: self.table(given[kind], keys.LETTER, "letters", kind)
            for kind in keys.KINDS
            if kind in given
        }

    def with_kind(self, table: Table, letters: Mapping[str, Table]) -> Table:
        """The table with its kind: the one it names, or that of the only letter."""
        if table.is_target and not table.has_petition:
            return self.without_petition(table)
        kind = table.text("kind")
        if not kind and len(letters) == 1:
            return replace(table, values={**table.values, "kind": next(iter(letters))})
        if "kind" in table.lines and not kind:
            return table
        if not letters:
            self.problems.append(
                Problem(
                    table.place("kind"),
                    "The file has no letter for it. Add [letters.demand] or [letters.thank-you].",
                )
            )
        elif not kind:
            self.problems.append(
                Problem(table.place(), 'Which letter? Add kind = "demand" or kind = "thank-you".')
            )
        elif kind not in letters:
            self.problems.append(
                Problem(
                    table.place("kind"),
                    f"The file has no [letters.{kind}]. Add it, or choose the other kind.",
                )
            )
        return table

    def without_petition(self, table: Table) -> Table:
        for key in keys.PETITION:
            if key.name in table.values and key.name != "slug":
                self.problems.append(
                    Problem(
                        table.place(key.name),
                        "With petition = false there is no petition that could have this. Remove one of them.",
                    )
                )
        return table

    def agreeing(self, targets: tuple[Table, ...]) -> tuple[Table, ...]:
        """The targets, where those about the same person or place all say what one of them says."""
        self.refuse_twice(
            [table for table in targets if table.text("name")],
            lambda table: (*table.person, table.text("kind") if table.has_petition else ""),
            "name",
            "This target stands in the file already, with the same kind. Remove one of them.",
        )
        about_person = {key.name for key in keys.TARGETS if key.model is Target}
        about_place = {key.name for key in keys.TARGETS if key.model is Place}
        said: dict[tuple[object, ...], Value] = {}
        for table in targets:
            for name, value in table.values.items():
                whose = (table.person if name in about_person else table.place_names, name)
                if name in about_person | about_place and said.setdefault(whose, value) != value:
                    self.problems.append(
                        Problem(
                            table.place(name),
                            f"“{name}” differs from what an earlier target says about the same person or place.",
                        )
                    )
        return tuple(
            replace(
                table,
                values={
                    **{
                        name: said[table.person, name]
                        for name in about_person
                        if (table.person, name) in said
                    },
                    **{
                        name: said[table.place_names, name]
                        for name in about_place
                        if (table.place_names, name) in said
                    },
                    **{
                        name: value
                        for name, value in table.values.items()
                        if name not in about_person | about_place
                    },
                },
            )
            for table in targets
        )

    def refuse_twice(
        self, tables: Iterable[Table], identity: Callable[[Table], Hashable], key: str, message: str
    ) -> None:
        seen: dict[Hashable, Table] = {}
        for table in tables:
            first = seen.setdefault(identity(table), table)
            if first is not table and identity(table):
                self.problems.append(
                    Problem(table.place(key), f"{message} (The first is on line {first.line}.)")
                )

    def slugs(self, campaign: str, tables: tuple[Table, ...]) -> dict[str, str]:
        """By path of the table: the given slug, or one made of campaign and place, the same at every reading."""
        given = [table for table in tables if table.text("slug")]
        self.refuse_twice(
            given,
            lambda table: table.text("slug"),
            "slug",
            "Another petition has this slug. Choose a different one.",
        )
        taken = Taken(table.text("slug") for table in given)
        result = {table.path: table.text("slug") for table in given}
        places = Counter(slugify(subject(table)) for table in tables)
        for table in tables:
            if table.path not in result:
                result[table.path] = free_slug(
                    campaign, table, taken, alone=places[slugify(subject(table))] == 1
                )
                taken.slugs.add(result[table.path])
        return result

    def check_members(self, groups: tuple[Table, ...], members: Mapping[str, Table]) -> None:
        for table in groups:
            for slug in table.texts("members"):
                if slug not in members:
                    near = nearest(slug, members)
                    hint = f" Did you mean “{near}”?" if near else " Write the slug of one of the targets."
                    self.problems.append(
                        Problem(table.place("members"), f"No target has the slug “{shortened(slug)}”.{hint}")
                    )


def subject(table: Table) -> str:
    return table.text("place") or table.text("addressee") or table.text("name")


def free_slug(campaign: str, table: Table, taken: Taken, *, alone: bool) -> str:
    """The shortest readable slug that is free; kind and name are added where the place has several petitions."""
    place, kind, name = slugify(subject(table)), table.text("kind"), slugify(table.text("name"))
    candidates = [[place]] if alone else []
    candidates += [[place, kind], [place, name], [place, name, kind]]
    for parts in candidates:
        slug = joined(campaign, *parts)
        if slug not in taken.slugs and slug != campaign:
            return slug
    base = joined(campaign, place)[: LONGEST_SLUG - 8]
    while f"{base}-{taken.numbers[base] + 2}" in taken.slugs:
        taken.numbers[base] += 1
    return f"{base}-{taken.numbers[base] + 2}"


def joined(*parts: str) -> str:
    return "-".join(part for part in parts if part)[:LONGEST_SLUG].strip("-")


def required(table_keys: tuple[Key, ...]) -> str:
    return " and ".join(key.name for key in table_keys if key.required)
