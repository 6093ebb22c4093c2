"""Writing a campaign as a file that a person likes to read, and that reading gives back exactly."""

import datetime
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping

from django.db.models import Model
from django.utils.text import slugify

from campaigns.last_names import guess_last_name
from campaigns.models import Campaign, Target
from petitions.campaign_files import keys
from petitions.campaign_files.keys import Form, Key
from petitions.campaign_files.tables import Value
from petitions.campaign_files.values import normal_line_ends
from petitions.models import Petition

# What TOML's ''' cannot hold, and what nobody would see in a text: these make it a text with escapes.
_SHORT_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write(campaign: Campaign) -> str:
    """The file of `campaign`, without the logo and what happened to petitions (published, closed, signed)."""
    return "\n\n".join("\n".join(table) for table in tables(campaign)) + "\n"


def tables(campaign: Campaign) -> Iterator[list[str]]:
    """Each table as its lines, in the order of the format."""
    petitions = list(
        Petition.objects.filter(letter__campaign=campaign)
        .select_related("letter", "target__place")
        .prefetch_related("members")
        .order_by("position", "pk")
    )
    targets = list(campaign.targets.select_related("place").order_by("pk"))
    yield table("[organization]", keys.ORGANIZATION, [campaign.organization])
    yield table("[campaign]", keys.CAMPAIGN, [campaign])
    for source in campaign.sources.order_by("key"):
        yield table("[[sources]]", keys.SOURCES, [source])
    for letter in campaign.letters.order_by("kind"):
        yield table(f"[letters.{letter.kind}]", keys.LETTER, [letter])
    slugs = member_slugs(targets, petitions)
    for petition in petitions:
        if petition.target:
            yield target_table(petition.target, petition)
    for target in targets:
        if not any(petition.target_id == target.pk for petition in petitions):
            yield target_table(target, None, slug=slugs[target.pk])
    for petition in petitions:
        if petition.target is None:
            members = sorted(slugs[member.pk] for member in petition.members.all() if member.pk in slugs)
            yield table("[[groups]]", keys.GROUPS, [petition], kind=petition.letter.kind, members=members)


def target_table(target: Target, petition: Petition | None, *, slug: str = "") -> list[str]:
    steering: dict[str, Value] = {
        "last_name": "" if target.last_name == guess_last_name(target.name) else target.last_name
    }
    if petition is None:
        return table(
            "[[targets]]", keys.TARGETS, [target, target.place], petition=False, slug=slug, **steering
        )
    return table(
        "[[targets]]", keys.TARGETS, [target, target.place, petition], kind=petition.letter.kind, **steering
    )


def member_slugs(targets: list[Target], petitions: list[Petition]) -> dict[int, str]:
    """The slug by which a group names each target: that of its first petition, or one made up where it has none."""
    slugs = {petition.target_id: petition.slug for petition in reversed(petitions) if petition.target_id}
    taken = {petition.slug for petition in petitions}
    numbers: Counter[str] = Counter()
    for target in targets:
        if target.pk not in slugs:
            base = slugify(f"{target.place.name} {target.name}")[:80] or "target"
            slug = base
            while slug in taken:
                numbers[base] += 1
                slug = f"{base}-{numbers[base] + 1}"
            slugs[target.pk] = slug
            taken.add(slug)
    return {target.pk: slugs[target.pk] for target in targets}


def table(header: str, table_keys: tuple[Key, ...], instances: list[Model], **steering: Value) -> list[str]:
    """A header and its keys. `steering` gives the values that are no plain field, and replaces those that are."""
    stored: Mapping[type[Model], Model] = {type(instance): instance for instance in instances}
    lines = [header]
    for key in table_keys:
        if key.name in steering:
            value = steering[key.name]
        elif key.model and key.model in stored:
            value = getattr(stored[key.model], key.stored_in)
        else:
            continue
        if is_said(key, value):
            lines.append(f"{key.name} = {written(key, value)}")
    return lines


def is_said(key: Key, value: Value | None) -> bool:
    """Whether the value has to be in the file: it is neither empty nor what a missing key means anyway."""
    if key.name == "petition":
        return value is False
    return value not in (None, "", [], 0)


def written(key: Key, value: Value) -> str:
    if isinstance(value, str) and key.form is Form.CODES:
        words = value.split()
        value = words if " ".join(words) == value else value
    match value:
        case bool():
            return "true" if value else "false"
        case datetime.datetime():
            return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
        case list():
            return f"[{', '.join(one_line(item) for item in value)}]"
        case str() if key.form is Form.TEXT or (key.form is Form.CODES and "\n" in value):
            return block(normal_line_ends(value))
        case str():
            return one_line(
                value if key.form is Form.CODES else " ".join(normal_line_ends(value).split("\n")).strip()
            )
        case _:
            return str(value)


def block(text: str) -> str:
    """A text between three quotes, as it is; one with escapes where it holds what such a text cannot."""
    if (
        "'''" in text
        or text.endswith("'")
        or any(is_unseen(character) for character in text if character not in "\n\t")
    ):
        if "\n" not in text:
            return one_line(text)
        return '"""\n' + "\n".join(escaped(line) for line in text.split("\n")) + '"""'
    return f"'''\n{text}'''"


def one_line(text: str) -> str:
    plain = not any(is_unseen(character) for character in text)
    if plain and "'" not in text and ('"' in text or "\\" in text):
        return f"'{text}'"
    return f'"{escaped(text)}"'


def escaped(text: str) -> str:
    return "".join(
        _SHORT_ESCAPES.get(character) or (f"\\u{ord(character):04X}" if is_unseen(character) else character)
        for character in text
    )


def is_unseen(character: str) -> bool:
    r"""Control characters, line separators, byte order marks and noncharacters; all of them in the range of \uXXXX."""
    return (
        unicodedata.category(character) in {"Cc", "Zl", "Zp"}
        or character == "\ufeff"
        or "\ufdd0" <= character <= "\ufdef"
        or character in "\ufffe\uffff"
    )
