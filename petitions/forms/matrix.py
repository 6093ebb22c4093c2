"""The rows of the matrix of petitions: what can be changed in them, and what was seen when somebody began."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from petitions.checking import petition_problems
from petitions.forms.addresses import SLUG_LENGTH, clean_petition_slug, free_slug
from petitions.forms.targets import PetitionFields
from petitions.models import Petition
from petitions.readdressing import owners_of

EDITABLE = ("slug", "headline", "goal", "local")
SEEN = re.compile(r"([1-9][0-9]{0,17})-seen")
IN_WORDS = {"slug": "address", "headline": "headline", "goal": "first goal", "local": "local paragraph"}
QUOTED = 120  # characters of what a colleague wrote


@dataclass(frozen=True)
class Typed:
    """What a row was sent with: the fields that somebody changed, and what was stored when they began."""

    changed: dict[str, str]
    seen: str


class RowForm(PetitionFields):
    """One petition of the matrix. Bound, it holds what was typed over what is stored by now."""

    kind = None  # type: ignore[assignment] # changed for chosen petitions together
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, petition: Petition, typed: Typed | None = None) -> None:
        self.petition = petition
        self.stored = stored_texts(petition)
        self.owners: Mapping[str, int] = {}
        self.keys: Collection[str] = ()
        self.taken: Collection[str] = ()
        self.typed = typed
        seen = seen_of(self.stored)
        prefix = str(petition.pk)
        values = {**self.stored, **(typed.changed if typed else {}), "seen": seen}
        data = {f"{prefix}-{name}": value for name, value in values.items()} if typed else None
        super().__init__(data, prefix=prefix, initial=values)
        self.dress()

    def dress(self) -> None:
        """In a table the heads of the columns are the labels; each field also says whose it is."""
        whose = self.petition.target.place.name if self.petition.target else self.petition.addressee
        for name in EDITABLE:
            field = self.fields[name]
            field.help_text = ""
            field.widget.attrs |= {"aria-label": f"{field.label}, {whose}"}
        self.fields["local"].widget.attrs |= {"rows": 5, "cols": 60}
        # A number field of a browser says nothing at all of what it takes for no number.
        self.fields["goal"].widget = forms.TextInput(
            attrs={**self.fields["goal"].widget.attrs, "inputmode": "numeric", "placeholder": "auto"}
        )
        self.fields["goal"].error_messages |= {
            "min_value": "At least 1.",
            "max_value": "At most 2,000,000,000.",
            "invalid": "Write a whole number.",
        }
        self.fields["headline"].widget.attrs |= {"placeholder": "the letter’s"}
        self.fields["slug"].widget.attrs |= {"maxlength": SLUG_LENGTH}

    @property
    def was_overtaken(self) -> bool:
        """Whether somebody else saved this row after it was opened, and said something different."""
        return self.typed is not None and self.typed.seen != seen_of(self.stored)

    def clean_slug(self) -> str:
        slug = clean_petition_slug(self.cleaned_data["slug"], self.petition, owners=self.owners)
        if slug and slug in self.taken:
            raise ValidationError("Another row has this address. Choose a different one.")
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        said = Petition(
            letter=self.petition.letter,
            target=self.petition.target,
            addressee=self.petition.addressee,
            headline=cleaned.get("headline", ""),
            local=cleaned.get("local", ""),
        )
        changed = self.typed.changed if self.typed else {}
        for problem in petition_problems(said, keys=self.keys):
            # What nobody touched is told where it is published.
            if problem.field in changed and problem.field not in self.errors:
                self.add_error(problem.field, problem.message)
        if self.was_overtaken and (self.errors or self.differences):
            self.add_error(None, ValidationError("overtaken", code="overtaken"))
        return cleaned

    @property
    def differences(self) -> list[str]:
        """The fields that saving would change."""
        return [
            name
            for name in EDITABLE
            if name in self.cleaned_data and text_of(self.cleaned_data[name]) != self.stored[name]
        ]

    @property
    def stored_in_words(self) -> str:
        """What a colleague made of the fields that were typed in: “headline “Open up””."""
        changed = self.typed.changed if self.typed else {}
        parts = [f"{IN_WORDS[name]} “{shortened(self.stored[name])}”" for name in EDITABLE if name in changed]
        return ", ".join(parts)


def typed_rows(data: Mapping[str, str]) -> dict[int, Typed]:
    """The rows in which something was typed that was not there when they were opened, by petition."""
    rows = {}
    for name, seen in data.items():
        match = SEEN.fullmatch(name)
        if match is None:
            continue
        then = dict(zip(EDITABLE, seen.split("-"), strict=False))
        sent = {field: data[f"{match[1]}-{field}"] for field in EDITABLE if f"{match[1]}-{field}" in data}
        changed = {
            field: text for field, text in sent.items() if digest_of(tidy(field, text)) != then.get(field)
        }
        if changed:
            rows[int(match[1])] = Typed(changed, seen)
    return rows


def checked_rows(
    petitions: Collection[Petition], typed: Mapping[int, Typed], *, keys: Collection[str]
) -> list[RowForm]:
    """A form for each of the petitions, all checked: with each other too. Two queries, and two for a missing address.

    `keys` are those of the campaign's sources.
    """
    rows = [RowForm(petition, typed[petition.pk]) for petition in petitions]
    wanted = [tidy("slug", row.typed.changed.get("slug", "")) for row in rows if row.typed]
    owners = owners_of([slug for slug in {*wanted} if re.fullmatch(r"[a-z0-9_-]{1,100}", slug)])
    twice = {slug for slug, times in Counter(filter(None, wanted)).items() if times > 1}
    for row in rows:
        row.owners, row.keys, row.taken = owners, keys, twice
    given: set[str] = {slug for slug in wanted if slug}
    for row in rows:
        if row.is_valid() and not row.cleaned_data["slug"]:
            row.cleaned_data["slug"] = made_slug(row.petition, given)
            given.add(row.cleaned_data["slug"])
    return rows


def made_slug(petition: Petition, taken: Collection[str]) -> str:
    target = petition.target
    words = (target.place.name, target.last_name) if target else (petition.addressee,)
    return free_slug(petition.campaign, *words, taken=taken)


def stored_texts(petition: Petition) -> dict[str, str]:
    """The fields as they are typed and compared."""
    return {name: tidy(name, text_of(getattr(petition, name))) for name in EDITABLE}


def text_of(value: object) -> str:
    return "" if value is None else str(value)


def tidy(name: str, text: str) -> str:
    """What a browser and a form make of a text by themselves is no change."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if name == "slug":
        return text.lower()
    return text if name == "local" else text.replace("\n", "").strip()


def seen_of(texts: Mapping[str, str]) -> str:
    """A short digest of each field, so that a row can say later which of them were typed in."""
    return "-".join(digest_of(texts[name]) for name in EDITABLE)


def digest_of(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def shortened(text: str) -> str:
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
