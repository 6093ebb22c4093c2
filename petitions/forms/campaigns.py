"""The campaign’s own fields: its address once it was published, and what colleagues saved meanwhile."""

import hashlib
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from campaigns.forms import CampaignForm
from campaigns.models import Campaign
from petitions.models import Petition
from staff.models import AuditEntry


class SeenField(forms.CharField):
    """What was stored when the form was opened; no change by itself."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class PublishedCampaignForm(CampaignForm):
    """The campaign’s form.

    Its address stays once people may have the link. Two who edit at the same time do not undo each other’s work
    without knowing: the second is told, and keeps what was typed.
    """

    seen = SeenField(required=False, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "seen" in self.fields:
            self.initial["seen"] = stored(self.instance)

    def clean_slug(self) -> str:
        slug = super().clean_slug()
        before = self.initial.get("slug")
        if self.instance.pk and slug != before and published_petitions(self.instance).exists():
            raise ValidationError(f"This campaign has been published, so its address “{before}” stays.")
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        seen, now = cleaned.get("seen"), self.initial.get("seen")
        if seen and now and seen != now:
            # Who saves again has been told.
            data = QueryDict(mutable=True)
            data.update(self.data)
            data[self.add_prefix("seen")] = now
            self.data = data
            self.add_error(None, f"{last_saved(self.instance)} {KEPT}")
        return cleaned


KEPT = (
    "What you typed is kept below, and not saved yet. To see what they saved, open this campaign in a new tab. "
    "Saving here again puts your texts in the place of theirs."
)


def stored(campaign: Campaign) -> str:
    """A digest of all that the campaign’s form edits, as the database has it now. Five queries."""
    petitions = Petition.objects.filter(letter__campaign=campaign).exclude(target=None)
    parts: tuple[QuerySet[Any, Any], ...] = (
        Campaign.objects.filter(pk=campaign.pk).values_list(),
        campaign.sources.order_by("pk").values_list(),
        campaign.letters.order_by("pk").values_list(),
        campaign.targets.order_by("pk").values_list(
            "pk", "name", "office", "last_name", "salutation", "email", "place", "place__postal_prefixes"
        ),
        petitions.order_by("pk").values_list("pk", "letter", "slug", "headline", "local", "goal"),
    )
    words = repr([list(part) for part in parts])
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def last_saved(campaign: Campaign) -> str:
    """Who saved the campaign after somebody opened its form, as far as the audit log knows."""
    entry = AuditEntry.objects.filter(
        subject_type="campaign", subject_id=campaign.pk, action="changed"
    ).first()
    if entry is None:
        return "Somebody saved this campaign after you opened it."
    at = timezone.localtime(entry.at)
    return f"{entry.actor_name} saved this campaign at {at:%H:%M}, after you opened it."


def published_petitions(campaign: Campaign) -> QuerySet[Petition]:
    return Petition.objects.filter(letter__campaign=campaign).exclude(current_version=None)
