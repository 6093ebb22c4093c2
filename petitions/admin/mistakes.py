"""Every mistake on a long form in one list at its top, each with a link to its field."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.forms import BaseForm


@dataclass(frozen=True)
class Mistake:
    """`anchor` is the address of the field on the page, or "" where a mistake has none."""

    anchor: str
    where: str
    message: str


def mistakes_of(form: BaseForm, inlines: Iterable[Any]) -> list[Mistake]:
    """Those of the form, then those of each part in the order of the page; `inlines` are the admin's form sets."""
    found = list(of_form(form))
    for inline in inlines:
        group = f"#{inline.formset.prefix}-group"
        plural = str(inline.opts.verbose_name_plural)
        found += [Mistake(group, capitalized(plural), str(text)) for text in inline.formset.non_form_errors()]
        for number, row in enumerate(inline.formset.forms, start=1):
            found += of_form(row, f"{capitalized(str(inline.opts.verbose_name))} {number}")
    return found


def of_form(form: BaseForm, row: str = "") -> Iterator[Mistake]:
    for name, messages in form.errors.items():
        label = str(form[name].label) if name in form.fields else ""
        anchor = f"#{form[name].auto_id}" if name in form.fields else ""
        where = ", ".join(part for part in (row, label) if part)
        for message in messages:
            yield Mistake(anchor, where, str(message))


def capitalized(words: str) -> str:
    return words[:1].upper() + words[1:]
