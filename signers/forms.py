"""The sign form: input to clean Python, with words that help."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.functional import cached_property
from django_countries import countries

from petitions.pages import PetitionPage
from signers.models import LONGEST_PROOF
from signers.signing import SignInput, new_referral_code
from signers.wordings import UPDATES_ANSWERS, updates_question, updates_wording
from toolkit import email_addresses
from toolkit.person_names import clean_name
from toolkit.plain_text import storable
from toolkit.signed_tokens import stamp, stamp_age

# Faster than this nobody reads and types; older than this nobody keeps a page open.
TOO_FAST = timedelta(seconds=1)
TOO_FAST_TYPED = timedelta(seconds=2)
STALE = timedelta(days=2)

# What every campaign asks for, and what only some do.
ALWAYS_ASKED = ("first_name", "last_name", "email", "updates")
SOMETIMES_ASKED = ("postal_code", "country", "comment")

ONE_NAME = "If you go by one name only, enter it in both fields."


class NameField(forms.CharField):
    def clean(self, value: Any) -> str:
        return clean_name(super().clean(value))


class AddressField(forms.CharField):
    widget = forms.EmailInput

    def clean(self, value: Any) -> str:
        return email_addresses.clean(super().clean(value))


class CountryField(forms.ChoiceField):
    """The choices are given to a form that shows them; checking does without."""

    def valid_value(self, value: Any) -> bool:
        return value in country_codes()


@cache
def country_codes() -> frozenset[str]:
    return frozenset(code for code, _name in countries)


class SignForm(forms.Form):
    """The sign form of one petition. Asks for postal code, country and comment only where the campaign does.

    `website` is a honeypot; `stamp` and `elapsed` say when the page was made and how long it was open: evidence for
    the fold, as is the `proof` of work. `version` is the number of the version shown. None of them can make the form
    invalid.
    """

    first_name = NameField(
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "given-name", "autocapitalize": "words"}),
        error_messages={"required": f"Enter your first name. {ONE_NAME}"},
    )
    last_name = NameField(
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "family-name", "autocapitalize": "words"}),
        error_messages={"required": f"Enter your last name. {ONE_NAME}"},
    )
    email = AddressField(
        label="E-mail",
        max_length=320,
        widget=forms.EmailInput(
            attrs={
                "autocomplete": "email",
                "inputmode": "email",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
        error_messages={
            "required": "Enter your e-mail address, such as name@example.org. It is never published."
        },
    )
    postal_code = forms.CharField(
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "autocapitalize": "characters"}),
        validators=[
            RegexValidator(r"^[\w][\w \-]*$", "A postal code has letters, digits, spaces and hyphens only.")
        ],
        error_messages={"required": "Enter your postal code."},
    )
    country = CountryField(
        widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={
            "required": "Choose your country.",
            "invalid_choice": "Choose your country from the list.",
        },
    )
    comment = forms.CharField(
        label="Why are you signing? (optional)",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    updates = forms.ChoiceField(
        choices=UPDATES_ANSWERS,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose yes or no. Your signature counts either way.",
            "invalid_choice": "Choose yes or no. Your signature counts either way.",
        },
    )
    stamp = forms.Field(required=False, widget=forms.HiddenInput)
    elapsed = forms.Field(required=False, widget=forms.HiddenInput)
    version = forms.Field(required=False, widget=forms.HiddenInput)
    proof = forms.Field(required=False, widget=forms.HiddenInput)
    website = forms.Field(
        required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )

    use_required_attribute = True

    def __init__(self, *, page: PetitionPage, at: datetime, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="sign-%s", initial={"stamp": new_stamp(page, at)})
        self.page = page
        self.at = at
        campaign = page.campaign
        for name in SOMETIMES_ASKED:
            if not getattr(campaign, f"asks_{name}"):
                del self.fields[name]
        if campaign.asks_country:
            self.fields["country"].choices = [("", "Choose…"), *countries]  # type: ignore[attr-defined]
        self.updates_question = updates_question(page.organization)
        self.fields["updates"].label = self.updates_question

    @cached_property
    def email_hint(self) -> str:
        """What the address was probably meant to be, or ""."""
        return email_hint(self.data) if self.is_bound else ""

    @property
    def version_number(self) -> int | None:
        """What the page says it shows; None where that is no number."""
        return version_number(self.data.get("version", ""))

    def sign_input(self, *, referral: str) -> SignInput:
        """What is stored. Only for a valid form."""
        return sign_input(
            self.cleaned_data,
            wording=updates_wording(self.page.organization),
            referral=referral,
            evidence=self.evidence(),
            proof=self.data.get("proof", ""),
        )

    def evidence(self) -> list[str]:
        return evidence(self.data, petition_id=self.page.petition.pk, at=self.at, hint=self.email_hint)


def cleaned_at_once(data: Mapping[str, Any], *, asked: Iterable[str]) -> dict[str, str] | None:
    """What a `SignForm` would clean, by the form's own fields and without building one, which takes ten times as long.

    None where it would find a mistake: then a form has to say so.
    """
    fields = SignForm.base_fields
    try:
        return {name: fields[name].clean(data.get(name)) for name in asked}
    except ValidationError:
        return None


def sign_input(
    cleaned: Mapping[str, Any], *, wording: str, referral: str, evidence: list[str], proof: str
) -> SignInput:
    return SignInput(
        first_name=cleaned["first_name"],
        last_name=cleaned["last_name"],
        email=cleaned["email"],
        postal_code=cleaned.get("postal_code", ""),
        country=cleaned.get("country", ""),
        comment=cleaned.get("comment", ""),
        updates=cleaned["updates"] == "yes",
        wording=wording,
        referral=referral,
        referral_code=new_referral_code(),
        evidence=evidence,
        # What is too long is wrong; shortened it stays so.
        proof=storable(proof[:LONGEST_PROOF]),
    )


def evidence(data: Mapping[str, Any], *, petition_id: int, at: datetime, hint: str) -> list[str]:
    """What looks odd about a post: honeypot, forged-form, no-stamp, stale-form, too-fast, typo."""
    found = []
    if data.get("website"):
        found.append("honeypot")
    sent = data.get("stamp", "")
    age = stamp_age(sent, scope=stamp_scope(petition_id), at=at)
    if age is None:
        found.append("forged-form" if sent else "no-stamp")
    elif age > STALE:
        found.append("stale-form")
    if (age is not None and age < TOO_FAST) or typed_too_fast(data.get("elapsed", "")):
        found.append("too-fast")
    if hint:
        found.append("typo")
    return found


def email_hint(data: Mapping[str, Any]) -> str:
    return email_addresses.suggest(data.get("email", "")) or ""


def version_number(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None


def stamp_scope(petition_id: int) -> str:
    return f"petition {petition_id}"


def new_stamp(page: PetitionPage, at: datetime) -> str:
    """The same for everybody within ten seconds, so that the page stays the same bytes."""
    return stamp(scope=stamp_scope(page.petition.pk), at=at)


def typed_too_fast(elapsed: str) -> bool:
    """`elapsed` is what the page's script measured, in milliseconds; nothing where no script ran."""
    return (
        elapsed.isascii()
        and elapsed.isdigit()
        and len(elapsed) < 12
        and timedelta(milliseconds=int(elapsed)) < TOO_FAST_TYPED
    )
