"""The form of a recognised reader: only what is missing."""

from django import forms
from django.http import QueryDict

from petitions.pages import PetitionPage
from signers.forms import SignForm, version_number
from signers.recognized import ReaderInput


class ReaderForm(forms.Form):
    """Asks a recognised reader for what their signature lacks; often that is nothing."""

    def __init__(self, *, page: PetitionPage, known: ReaderInput, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="sign-%s")
        self.page = page
        self.known = known
        campaign = page.campaign
        wanted = {
            "first_name": not known.first_name,
            "last_name": not known.last_name,
            "postal_code": campaign.asks_postal_code and not known.postal_code,
            "country": campaign.asks_country and not known.country,
        }
        # The fields of the ordinary form, with its words and its rules.
        ordinary = SignForm(page=page, at=page.version.published_at)
        for name, is_wanted in wanted.items():
            if is_wanted:
                self.fields[name] = ordinary.fields[name]

    @property
    def version_number(self) -> int | None:
        """What the page says it shows; None where that is no number."""
        return version_number(self.data.get("version", ""))

    def reader_input(self, *, referral: str = "") -> ReaderInput:
        """What is signed with. Only for a valid form."""

        def value(name: str) -> str:
            return self.cleaned_data.get(name) or getattr(self.known, name)

        campaign = self.page.campaign
        return ReaderInput(
            first_name=value("first_name"),
            last_name=value("last_name"),
            postal_code=value("postal_code") if campaign.asks_postal_code else "",
            country=value("country") if campaign.asks_country else "",
            referral=referral,
        )
