"""What is wrong with letters and petitions, told beside the field that is wrong, before anything is published."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from petitions.models import Letter, Petition, Version
from petitions.rendering import (
    BLOCKS,
    CALL_TO_ACTION,
    LOCAL,
    PAGE_FIELDS,
    READER,
    local_document,
    values_for,
)
from toolkit import markdown, merge_fields
from toolkit.markdown import Uses
from toolkit.merge_fields import MergeField

# Field of Letter or Petition: whether it is Markdown, may cite, may hold blocks.
CITING = ("lead_in", "statement", "body")
LINES = (
    "headline",
    "call_to_action",
    "button",
    "greeting",
    "closing",
    "signed_by",
    "signed_role",
    "share_title",
    "share_text",
)
# A version stores these in columns of limited width, and merge fields make a line longer.
LONGEST = {
    name: Version._meta.get_field(name).max_length or 0  # type: ignore[union-attr]
    for name in ("headline", "call_to_action", "button", "share_title")
}
REQUIRED = ("headline", "lead_in", "statement", "call_to_action", "button", "body")
WITH_READER = (*PAGE_FIELDS, READER)
NAMED_AT_MOST = 5


@dataclass(frozen=True)
class FieldProblem:
    """One mistake: the form field it belongs to (a model field's name), and a sentence that says what to do."""

    field: str
    message: str


def letter_problems(
    letter: Letter, *, keys: Collection[str], petitions: Iterable[Petition] = ()
) -> list[FieldProblem]:
    """Every mistake in a letter, saved or not. `keys` are the campaign's source keys.

    With `petitions`, also the merge fields that have no value for some of them, naming those. No queries of its own.
    """
    problems = [
        FieldProblem(name, f"The {label(Letter, name)} is empty.")
        for name in REQUIRED
        if not getattr(letter, name).strip()
    ]
    for name in LINES:
        problems += line_problems(
            name, getattr(letter, name), fields=WITH_READER if name == "greeting" else PAGE_FIELDS
        )
    for name in (*CITING, "thanks"):
        problems += text_problems(
            name,
            getattr(letter, name),
            keys=keys if name in CITING else None,
            blocks=BLOCKS if name == "body" else (),
        )
    petitions = list(petitions)
    return problems + missing_values(letter, petitions) + overlong_lines(letter, petitions)


def petition_problems(petition: Petition, *, keys: Collection[str]) -> list[FieldProblem]:
    """Every mistake in what a petition says itself: its headline and local paragraph."""
    if not petition.headline and not petition.local:
        return []
    local = local_document(petition)
    problems = line_problems("headline", petition.headline, fields=PAGE_FIELDS)
    problems += document_problems("local", local, keys=keys, blocks=())
    values = values_for(petition)
    for name, fields in (("headline", merge_fields.find(petition.headline)), ("local", local.fields)):
        for missing in merge_fields.missing([field for field in fields if field.name in values], values):
            problems.append(FieldProblem(name, no_value(missing, [petition])))
    return problems + overlong("headline", petition.headline, [petition])


def letter_warnings(letter: Letter, petitions: list[Petition]) -> list[FieldProblem]:
    """What is allowed but probably not meant."""
    body = markdown.uses(letter.body)
    warnings = []
    if CALL_TO_ACTION not in body.blocks:
        warnings.append(
            FieldProblem(
                "body",
                "The call to action stands only at the end; a paragraph of only {{ call_to_action }} repeats it.",
            )
        )
    local = [petition for petition in petitions if petition.local.strip()]
    if local and LOCAL not in body.blocks:
        warnings.append(
            FieldProblem(
                "body",
                f"The letter has no {{{{ local }}}} paragraph, so the local paragraph is not shown for {named(local)}.",
            )
        )
    return warnings


def uncited(letters: Iterable[Letter], petitions: Iterable[Petition], keys: Iterable[str]) -> list[str]:
    """Keys of sources that no letter and no local paragraph cites."""
    cited: set[str] = set()
    for letter in letters:
        for name in CITING:
            cited.update(markdown.uses(getattr(letter, name)).citations)
    for petition in petitions:
        if petition.local:
            cited.update(local_document(petition).citations)
    return [key for key in keys if key not in cited]


def line_problems(name: str, text: str, *, fields: Collection[str]) -> list[FieldProblem]:
    problems = [FieldProblem(name, problem.message) for problem in merge_fields.problems(text, known=fields)]
    if READER not in fields:
        problems = [reader_elsewhere(problem) for problem in problems]
    if "[^" in text:
        problems.append(
            FieldProblem(
                name, "Notes can be cited in the lead-in, the statement, the body and local paragraphs only."
            )
        )
    return problems


def text_problems(
    name: str, text: str, *, keys: Collection[str] | None, blocks: Collection[str]
) -> list[FieldProblem]:
    return document_problems(name, markdown.uses(text), keys=keys, blocks=blocks)


def document_problems(
    name: str, document: Uses, *, keys: Collection[str] | None, blocks: Collection[str]
) -> list[FieldProblem]:
    problems = [
        reader_elsewhere(FieldProblem(name, problem.message))
        for problem in document.problems(
            fields=PAGE_FIELDS, keys=keys if keys is not None else document.citations, blocks=blocks
        )
    ]
    if keys is None and document.citations:
        problems.append(
            FieldProblem(name, "Notes cannot be cited on the thank-you page: it has no list of notes.")
        )
    return problems


def reader_elsewhere(problem: FieldProblem) -> FieldProblem:
    """The reader's name is a known field in the wrong place, not an unknown one."""
    if f"{{{{ {READER} }}}}." in problem.message:
        return FieldProblem(problem.field, f"{{{{ {READER} }}}} can be used in the greeting only.")
    return problem


def missing_values(letter: Letter, petitions: list[Petition]) -> list[FieldProblem]:
    """Merge fields without a fallback that have no value for some petition, naming the field and the targets."""
    fields: list[tuple[str, MergeField]] = []
    for name in LINES:
        fields += [(name, field) for field in merge_fields.find(getattr(letter, name))]
    for name in (*CITING, "thanks"):
        fields += [(name, field) for field in markdown.uses(getattr(letter, name)).fields]
    needed = [(name, field) for name, field in dict.fromkeys(fields) if field.fallback is None]
    lacking: dict[tuple[str, MergeField], list[Petition]] = defaultdict(list)
    for petition in petitions:
        values = values_for(petition)
        for name, field in needed:
            own_headline = name == "headline" and petition.headline
            if field.name in values and not own_headline and not field.filled(values):
                lacking[name, field].append(petition)
    problems = [FieldProblem(name, no_value(field, where)) for (name, field), where in lacking.items()]
    if not petitions:
        for field in merge_fields.missing(merge_fields.find(letter.greeting), {}):
            if field.name == READER:
                problems.append(FieldProblem("greeting", no_value(field, [])))
    return list(dict.fromkeys(problems))


def overlong_lines(letter: Letter, petitions: list[Petition]) -> list[FieldProblem]:
    """Lines that the values of some petition make longer than a version can store."""
    filled = [values_for(petition) for petition in petitions]
    longest_value = {
        name: max((len(values[name] or "") for values in filled), default=0) for name in WITH_READER
    }
    return [
        problem
        for name in LONGEST
        if at_most(getattr(letter, name), longest_value) > LONGEST[name]
        for problem in overlong(
            name,
            getattr(letter, name),
            [petition for petition in petitions if name != "headline" or not petition.headline],
        )
    ]


def at_most(line: str, longest_value: Mapping[str, int]) -> int:
    """No petition's line is longer than this; most letters need no closer look."""
    return len(line) + sum(
        max(longest_value.get(field.name, 0), len(field.fallback or "")) for field in merge_fields.find(line)
    )


def overlong(name: str, line: str, petitions: list[Petition]) -> list[FieldProblem]:
    lengths = [
        (len(merge_fields.fill(line, values_for(petition)).strip()), petition) for petition in petitions
    ]
    where = [petition for length, petition in lengths if length > LONGEST[name]]
    if not where:
        return []
    longest = max(length for length, _petition in lengths)
    message = (
        f"With its merge fields filled this has {longest} characters for {named(where)}. "
        f"It can have at most {LONGEST[name]}."
    )
    return [FieldProblem(name, message)]


def no_value(field: MergeField, petitions: list[Petition]) -> str:
    example = "friend" if field.name == READER else "…"
    where = (
        f" for {named(petitions)}"
        if petitions and field.name != READER
        else " on the page"
        if field.name == READER
        else ""
    )
    return f"{{{{ {field.name} }}}} has no value{where}. Add a fallback: {{{{ {field.name}|{example} }}}}."


def named(petitions: list[Petition]) -> str:
    """“Mayor Ada Okafor, Mayor B and 3 more”."""
    names = [petition.addressed_to for petition in petitions[:NAMED_AT_MOST]]
    more = len(petitions) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def label(model: type[Letter] | type[Petition], name: str) -> str:
    return str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
