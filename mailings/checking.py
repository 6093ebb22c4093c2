"""What is wrong with a mailing, told beside its field, before it can leave."""

from dataclasses import dataclass
from datetime import datetime

from mailings.audience import Audience, audience_of, for_editions
from mailings.models import Mailing
from mailings.rendering import MAIL_BLOCKS, MAIL_FIELDS, CompiledMailing, compiled, edition_of, mail_values
from petitions.checking import FieldProblem, named
from petitions.models import Petition
from petitions.rendering import CALL_TO_ACTION, READER
from toolkit import merge_fields
from toolkit.footnotes import folded_key
from toolkit.merge_fields import MergeField

LINES = ("subject", "other_subject", "preview_text", "call_to_action")
REQUIRED = ("subject", "body", "call_to_action")
# As the form has them, so that who corrects goes down the page once.
ORDER = ("subject", "preview_text", "body", "call_to_action", "of_petition", "leads_to", "other_subject")
LONGEST_LINE = 400  # what an edition stores
# Mail programs cut what is longer, and with it the link to unsubscribe.
HEAVY = 100 * 1024
# A mailing to more than so many times the people of the last one may go to the wrong list.
JUMP = 2
NAMED_SOURCES = 5


@dataclass(frozen=True)
class Checklist:
    """What keeps the mailing from leaving, and what staff should look at."""

    errors: list[FieldProblem]
    warnings: list[FieldProblem]


def check(mailing: Mailing, *, at: datetime, audience: Audience | None = None) -> Checklist:
    """Every mistake of a mailing, saved or not, for all petitions it can lead to. A handful of queries."""
    parsed = compiled(mailing)
    errors = text_problems(mailing, parsed)
    warnings = warnings_of(mailing, parsed)
    if not errors:
        petitions = reached(mailing, audience or audience_of(mailing, at=at))
        errors += missing_values(parsed, petitions)
        warnings += heavy(parsed, petitions)
    errors += audience_problems(mailing, at)
    return Checklist(in_order(errors), in_order(warnings))


def in_order(problems: list[FieldProblem]) -> list[FieldProblem]:
    """Each problem once, down the form; what belongs to no field of it comes first."""
    return sorted(
        dict.fromkeys(problems), key=lambda found: ORDER.index(found.field) if found.field in ORDER else -1
    )


def text_problems(mailing: Mailing, parsed: CompiledMailing) -> list[FieldProblem]:
    """What is wrong whoever reads it."""
    problems = [
        FieldProblem(name, f"The {label(name)} is empty.")
        for name in REQUIRED
        if not getattr(mailing, name).strip()
    ]
    for name in LINES:
        text = getattr(mailing, name)
        problems += [
            FieldProblem(name, problem.message) for problem in merge_fields.problems(text, known=MAIL_FIELDS)
        ]
        if "[^" in text:
            problems.append(FieldProblem(name, "Notes can be cited in the body only."))
    if not mailing.campaign.organization.postal_address.strip():
        problems.append(
            FieldProblem(
                "",
                "The organization has no postal address, which stands at the foot of every mailing: the law asks for "
                "one in many countries. Add it on the organization’s page.",
            )
        )
    problems += [
        FieldProblem("body", problem.message)
        for problem in parsed.body.problems(fields=MAIL_FIELDS, keys=list(parsed.sources), blocks=MAIL_BLOCKS)
    ]
    for name, fields in fields_of(mailing, parsed).items():
        lacking = {field.raw for field in fields if field.name == READER and field.fallback is None}
        if lacking:
            problems.append(
                FieldProblem(
                    name, f"Some readers gave no first name. Add a fallback: {{{{ {READER}|friend }}}}."
                )
            )
    return problems


def fields_of(mailing: Mailing, parsed: CompiledMailing) -> dict[str, list[MergeField]]:
    fields = {name: list(merge_fields.find(getattr(mailing, name))) for name in LINES}
    return {**fields, "body": list(parsed.body.fields)}


def reached(mailing: Mailing, audience: Audience) -> list[Petition | None]:
    """The petitions the mailing can lead to; None stands for the campaign page."""
    chosen = {mailing.leads_to_id} if mailing.leads_to_id else set(audience.petitions.values())
    petitions: list[Petition | None] = list(for_editions().filter(pk__in=chosen))
    others = not mailing.leads_to_id and mailing.others == Mailing.Others.CAMPAIGN_PAGE and not mailing.kind
    return [*petitions, None] if others else petitions


def missing_values(parsed: CompiledMailing, petitions: list[Petition | None]) -> list[FieldProblem]:
    """Fields without a fallback that would stay empty for some readers, and lines that become too long."""
    mailing = parsed.mailing
    fields = fields_of(mailing, parsed)
    lacking: dict[tuple[str, str], list[Petition | None]] = {}
    too_long: dict[str, list[Petition | None]] = {}
    for petition in petitions:
        values = mail_values(parsed, petition)
        for name, used in fields.items():
            for field in merge_fields.missing(used, values):
                lacking.setdefault((name, field.name), []).append(petition)
            if name in LINES and len(merge_fields.fill(getattr(mailing, name), values)) > LONGEST_LINE:
                too_long.setdefault(name, []).append(petition)
    problems = [
        FieldProblem(
            name,
            f"{{{{ {field} }}}} has no value for {readers_of(where)}. Add a fallback: {{{{ {field}|… }}}}.",
        )
        for (name, field), where in lacking.items()
    ]
    return problems + [
        FieldProblem(name, f"With its merge fields filled this is too long for {readers_of(where)}.")
        for name, where in too_long.items()
    ]


def readers_of(petitions: list[Petition | None]) -> str:
    known = [petition for petition in petitions if petition is not None]
    if len(known) == len(petitions):
        return named(known)
    without = "people without a petition"
    return f"{named(known)} and {without}" if known else without


def audience_problems(mailing: Mailing, at: datetime) -> list[FieldProblem]:
    problems = []
    if mailing.audience == Mailing.Audience.SIGNED and mailing.of_petition_id is None:
        problems.append(FieldProblem("of_petition", "Choose the petition whose signers get this mailing."))
    for name in ("of_petition", "leads_to"):
        petition: Petition | None = getattr(mailing, name)
        if petition is not None and petition.campaign.pk != mailing.campaign_id:
            problems.append(FieldProblem(name, "This petition belongs to another campaign."))
    leads_to = mailing.leads_to
    if leads_to is not None and not leads_to.is_live(at):
        problems.append(FieldProblem("leads_to", "This petition is not live."))
    elif leads_to is not None and mailing.asks_to_sign and not leads_to.is_open(at):
        problems.append(FieldProblem("leads_to", "This petition takes no signatures."))
    return problems


def warnings_of(mailing: Mailing, parsed: CompiledMailing) -> list[FieldProblem]:
    organization = mailing.campaign.organization
    warnings = []
    if not organization.from_email:
        warnings.append(
            FieldProblem("", "The organization has no from address, so the mail comes from the site’s own.")
        )
    if CALL_TO_ACTION not in parsed.body.blocks:
        warnings.append(
            FieldProblem(
                "body",
                "The button stands only at the end; a paragraph of only {{ call_to_action }} repeats it.",
            )
        )
    if not mailing.preview_text.strip():
        warnings.append(
            FieldProblem("preview_text", "Without it, mail programs show the beginning of the text.")
        )
    return warnings + uncited(parsed)


def uncited(parsed: CompiledMailing) -> list[FieldProblem]:
    """Sources of the campaign that the mail does not cite."""
    cited = {folded_key(key) for key in parsed.body.citations}
    left = [key for key in parsed.sources if folded_key(key) not in cited]
    if not left:
        return []
    more = f" and {len(left) - NAMED_SOURCES} more" if len(left) > NAMED_SOURCES else ""
    named_sources = ", ".join(f"[^{key}]" for key in left[:NAMED_SOURCES])
    return [
        FieldProblem("body", f"Sources of the campaign that this mail does not cite: {named_sources}{more}.")
    ]


def heavy(parsed: CompiledMailing, petitions: list[Petition | None]) -> list[FieldProblem]:
    """Looks at the edition with the most text of its own."""
    if not petitions:
        return []
    longest = max(petitions, key=lambda petition: len(petition.local) if petition else 0)
    size = len(edition_of(parsed, longest).html.encode("utf-8", "replace"))
    if size <= HEAVY:
        return []
    message = f"The mail has {size // 1024} KB; many mail programs cut what is above {HEAVY // 1024} KB."
    return [FieldProblem("body", message)]


def size_jump(mailing: Mailing, people: int) -> list[FieldProblem]:
    """Whether it goes to many more than the organization's last mailing. One query."""
    last = (
        Mailing.objects.filter(
            campaign__organization=mailing.campaign.organization_id, people__gt=0, canceled_at=None
        )
        .exclude(pk=mailing.pk)
        .order_by("-started_at")
        .values_list("people", flat=True)
        .first()
    )
    if last is None or people <= JUMP * last:
        return []
    return [
        FieldProblem(
            "audience", f"{people:,} people would get it; the last mailing went to {last:,}. Is that meant?"
        )
    ]


def label(name: str) -> str:
    return str(Mailing._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
