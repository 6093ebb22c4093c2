"""Targets by themselves: for campaigns too large for one form, and for correcting one person."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from campaigns.models import Target
from petitions.admin.petitions import OfCampaign, number
from petitions.forms.targets import TargetPageForm
from petitions.models import Petition
from staff.edits import RecordedAdmin

# What a link to the form for a new target may fill in.
PREFILLED = frozenset({"campaign", "kind", "place_name", "place_region", "place_country"})


class TargetOfCampaign(OfCampaign):
    def queryset(self, request: HttpRequest, targets: QuerySet[Any]) -> QuerySet[Any]:
        return targets if self.value() is None else targets.filter(campaign=number(self.value()))


@admin.register(Target)
class TargetAdmin(RecordedAdmin):
    form = TargetPageForm
    list_display = ("title", "place", "campaign", "has_email")
    list_select_related = ("place", "campaign")
    list_filter = (TargetOfCampaign,)
    search_fields = ("name", "place__name")
    search_help_text = "Name or place"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None
    fieldsets = (
        (
            None,
            {"fields": ("campaign", "kind", "office", "name", "place_name", "place_region", "place_country")},
        ),
        ("Page", {"fields": ("slug", "headline", "local", "goal")}),
        ("More about the target", {"fields": ("salutation", "last_name", "email", "postal_prefixes")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Target | None = None) -> tuple[str, ...]:
        return ("campaign",) if obj is not None else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Target]:
        return super().get_queryset(request).prefetch_related("petitions__letter")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {key: value for key, value in request.GET.items() if key in PREFILLED}

    def save_model(self, request: HttpRequest, obj: Target, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        form.editor = request.user
        form.save_petition(obj)

    def response_post_save_add(self, request: HttpRequest, obj: Target) -> HttpResponseRedirect:
        """To the petitions of the campaign, where the new one waits to be published."""
        return HttpResponseRedirect(
            f"{reverse('admin:petitions_petition_changelist')}?campaign={obj.campaign_id}"
        )

    def has_delete_permission(self, request: HttpRequest, obj: Target | None = None) -> bool:
        """A target with a published petition stays on record."""
        if not super().has_delete_permission(request, obj):
            return False
        return obj is None or not Petition.objects.filter(target=obj).exclude(current_version=None).exists()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Drafts go with their target.
        drafts = Petition.objects.filter(target__in=objs, current_version=None)
        return (
            [*map(str, objs), *map(str, drafts)],
            {"targets": len(objs), "petitions": len(drafts)},
            set(),
            [],
        )

    def delete_model(self, request: HttpRequest, obj: Target) -> None:
        Petition.objects.filter(target=obj, current_version=None).delete()
        super().delete_model(request, obj)

    @admin.display(description="e-mail", boolean=True)
    def has_email(self, target: Target) -> bool:
        return bool(target.email)
