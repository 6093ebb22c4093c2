"""The sign form: input to clean Python, with words that help."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.functional import cached_property
from django_countries import countries

from petitions.pages import PetitionPage
from signers.signing import SignInput, new_referral_code
from signers.wordings import UPDATES_ANSWERS, updates_question, updates_wording
from toolkit import email_addresses
from toolkit.person_names import clean_name
from toolkit.signed_tokens import stamp, stamp_age

# Faster than this nobody reads and types; older than this nobody keeps a page open.
TOO_FAST = timedelta(seconds=1)
TOO_FAST_TYPED = timedelta(seconds=2)
STALE = timedelta(days=2)

ONE_NAME = "If you go by one name only, enter it in both fields."


class NameField(forms.CharField):
    def clean(self, value: Any) -> str:
        return clean_name(super().clean(value))


class AddressField(forms.CharField):
    widget = forms.EmailInput

    def clean(self, value: Any) -> str:
        return email_addresses.clean(super().clean(value))


class SignForm(forms.Form):
    """The sign form of one petition. Asks for postal code, country and comment only where the campaign does.

    `website` is a honeypot; `stamp` and `elapsed` say when the page was made and how long it was open: evidence for
    the fold. `version` is the number of the version shown. None of the four can make the form invalid.
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
    country = forms.ChoiceField(
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
    website = forms.Field(
        required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )

    use_required_attribute = True

    def __init__(self, *, page: PetitionPage, at: datetime, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="sign-%s", initial={"stamp": new_stamp(page, at)})
        self.page = page
        self.at = at
        campaign = page.campaign
        for name in ("postal_code", "country", "comment"):
            if not getattr(campaign, f"asks_{name}"):
                del self.fields[name]
        if campaign.asks_country:
            self.fields["country"].choices = [("", "Choose…"), *countries]  # type: ignore[attr-defined]
        self.updates_question = updates_question(page.organization)
        self.fields["updates"].label = self.updates_question

    @cached_property
    def email_hint(self) -> str:
        """What the address was probably meant to be, or ""."""
        typed = self.data.get("email", "") if self.is_bound else ""
        return email_addresses.suggest(typed) or ""

    @property
    def version_number(self) -> int | None:
        """What the page says it shows; None where that is no number."""
        return version_number(self.data.get("version", ""))

    def sign_input(self, *, referral: str) -> SignInput:
        """What is stored. Only for a valid form."""
        cleaned = self.cleaned_data
        return SignInput(
            first_name=cleaned["first_name"],
            last_name=cleaned["last_name"],
            email=cleaned["email"],
            postal_code=cleaned.get("postal_code", ""),
            country=cleaned.get("country", ""),
            comment=cleaned.get("comment", ""),
            updates=cleaned["updates"] == "yes",
            wording=updates_wording(self.page.organization),
            referral=referral,
            referral_code=new_referral_code(),
            evidence=self.evidence(),
        )

    def evidence(self) -> list[str]:
        """What looks odd about this post: honeypot, forged-form, no-stamp, stale-form, too-fast, typo."""
        found = []
        if self.data.get("website"):
            found.append("honeypot")
        sent = self.data.get("stamp", "")
        age = stamp_age(sent, scope=stamp_scope(self.page), at=self.at)
        if age is None:
            found.append("forged-form" if sent else "no-stamp")
        elif age > STALE:
            found.append("stale-form")
        if (age is not None and age < TOO_FAST) or typed_too_fast(self.data.get("elapsed", "")):
            found.append("too-fast")
        if self.email_hint:
            found.append("typo")
        return found


def version_number(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None


def stamp_scope(page: PetitionPage) -> str:
    return f"petition {page.petition.pk}"


def new_stamp(page: PetitionPage, at: datetime) -> str:
    """The same for everybody within ten seconds, so that the page stays the same bytes."""
    return stamp(scope=stamp_scope(page), at=at)


def typed_too_fast(elapsed: str) -> bool:
    """`elapsed` is what the page's script measured, in milliseconds; nothing where no script ran."""
    return (
        elapsed.isascii()
        and elapsed.isdigit()
        and len(elapsed) < 12
        and timedelta(milliseconds=int(elapsed)) < TOO_FAST_TYPED
    )
