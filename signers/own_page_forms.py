"""The forms of a person's own page: input to clean Python, with words that help."""

from typing import Any

from django import forms
from django.http import QueryDict

from signers.forms import ONE_NAME, AddressField, NameField

EMAIL_ATTRIBUTES = {
    "autocomplete": "email",
    "inputmode": "email",
    "autocapitalize": "off",
    "spellcheck": "false",
}


class AskForm(forms.Form):
    """Who wants the link to their own page."""

    email = AddressField(
        label="Your e-mail address",
        max_length=320,
        widget=forms.EmailInput(attrs=EMAIL_ATTRIBUTES),
        error_messages={"required": "Enter your e-mail address, such as name@example.org."},
    )

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="ask-%s", **kwargs)


class NameForm(forms.Form):
    """The right name, under one signature or under all."""

    first_name = NameField(
        max_length=80,
        error_messages={"required": f"Enter your first name. {ONE_NAME}"},
    )
    last_name = NameField(
        max_length=80,
        error_messages={"required": f"Enter your last name. {ONE_NAME}"},
    )

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="name-%s", **kwargs)


class NewAddressForm(forms.Form):
    """Where mail is to go from now on."""

    email = AddressField(
        label="New e-mail address",
        max_length=320,
        widget=forms.EmailInput(attrs=EMAIL_ATTRIBUTES),
        error_messages={"required": "Enter your new e-mail address, such as name@example.org."},
    )

    def __init__(self, data: QueryDict | None = None, *, current: str = "") -> None:
        super().__init__(data, auto_id="address-%s")
        self.current = current

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email == self.current:
            raise forms.ValidationError("This is the address we have.", code="same")
        return email
