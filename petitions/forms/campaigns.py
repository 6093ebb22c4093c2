"""The campaign’s own fields, once it may have been published."""

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from campaigns.forms import CampaignForm
from campaigns.models import Campaign
from petitions.models import Petition


class PublishedCampaignForm(CampaignForm):
    """The campaign's form; the address of a campaign stays once people may have the link."""

    def clean_slug(self) -> str:
        slug = super().clean_slug()
        before = self.initial.get("slug")
        if self.instance.pk and slug != before and published_petitions(self.instance).exists():
            raise ValidationError(f"This campaign has been published, so its address “{before}” stays.")
        return slug


def published_petitions(campaign: Campaign) -> QuerySet[Petition]:
    return Petition.objects.filter(letter__campaign=campaign).exclude(current_version=None)
