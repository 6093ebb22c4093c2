"""What rules leave alone: networks and mail domains of many people."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from fraud.models import AllowedDomain
from signers.models import SharedNetwork
from signers.networks import network_of
from staff.edits import RecordedAdmin
from toolkit.email_addresses import mailbox_key

DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.ASCII)


class SharedNetworkForm(forms.ModelForm):
    def clean_addresses(self) -> str:
        try:
            return str(network_of(self.cleaned_data["addresses"]))
        except ValueError as problem:
            raise ValidationError(str(problem)) from None


class AllowedDomainForm(forms.ModelForm):
    def clean_domain(self) -> str:
        """As addresses have it: small letters, ASCII, without an @."""
        typed = self.cleaned_data["domain"].strip().lstrip("@")
        domain = mailbox_key(f"name@{typed}").rpartition("@")[2]
        if not DOMAIN.fullmatch(domain):
            raise ValidationError("Enter a domain such as university.example.")
        return domain


@admin.register(SharedNetwork)
class SharedNetworkAdmin(RecordedAdmin):
    form: Any = SharedNetworkForm
    list_display = ("addresses", "note")
    fields = ("addresses", "note")


@admin.register(AllowedDomain)
class AllowedDomainAdmin(RecordedAdmin):
    form: Any = AllowedDomainForm
    list_display = ("domain", "note")
    fields = ("domain", "note")
