"""The audit log, read only; it is here because it is looked up by campaign and petition."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.models import Campaign
from petitions.admin.petition_filters import number
from petitions.models import Petition
from staff.edits import told
from staff.models import AuditEntry
from staff.odd_input import SurvivesOddInput

Signature = Petition._meta.get_field("signatures").related_model


def about(petitions: QuerySet[Petition]) -> Q:
    """Entries on these petitions, and on signatures under them."""
    signatures = Signature._default_manager.filter(petition__in=petitions)
    return Q(subject_type="petition", subject_id__in=petitions.values("pk")) | Q(
        subject_type="signature", subject_id__in=signatures.values("pk")
    )


class AboutCampaign(admin.SimpleListFilter):
    title = "campaign"
    parameter_name = "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(Campaign.objects.values_list("pk", "title")[:100])

    def queryset(self, request: HttpRequest, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        if self.value() is None:
            return entries
        campaign = number(self.value())
        mine = Q(subject_type="campaign", subject_id=campaign)
        targets = Q(
            subject_type="target", subject_id__in=Campaign.objects.filter(pk=campaign).values("targets")
        )
        mailings = Q(
            subject_type="mailing", subject_id__in=Campaign.objects.filter(pk=campaign).values("mailings")
        )
        return entries.filter(
            mine | targets | mailings | about(Petition.objects.filter(letter__campaign=campaign))
        )


class AboutPetition(admin.SimpleListFilter):
    title = "petition"
    parameter_name = "petition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        """The petitions of the campaign that is chosen; a thousand names would help nobody."""
        campaign = number(request.GET.get("campaign"))
        chosen = number(request.GET.get("petition"))
        petitions = Petition.objects.filter(Q(letter__campaign=campaign) | Q(pk=chosen)).select_related(
            "letter", "target"
        )
        return [(petition.pk, str(petition)) for petition in petitions[:50]]

    def queryset(self, request: HttpRequest, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        if self.value() is None:
            return entries
        return entries.filter(about(Petition.objects.filter(pk=number(self.value()))))


@admin.register(AuditEntry)
class AuditLogAdmin(SurvivesOddInput, admin.ModelAdmin):
    list_display = ("at", "actor_name", "action", "subject", "reason", "what_changed")
    list_filter = (AboutCampaign, AboutPetition, "subject_type")
    search_fields = ("actor_name", "subject_label", "reason")
    search_help_text = "Who, what or why"
    date_hierarchy = "at"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None
    list_display_links = None
    fields = ("at", "actor_name", "action", "subject", "reason", "what_changed")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="what")
    def subject(self, entry: AuditEntry) -> SafeString:
        """What it is about, linked where it has a page."""
        for app in ("campaigns", "petitions", "mailings", "signers", "staff"):
            try:
                url = reverse(f"admin:{app}_{entry.subject_type}_change", args=[entry.subject_id])
            except NoReverseMatch:
                continue
            return format_html('{} <a href="{}">{}</a>', entry.subject_type, url, entry.subject_label)
        return format_html("{} {}", entry.subject_type, entry.subject_label)

    @admin.display(description="details")
    def what_changed(self, entry: AuditEntry) -> str:
        details = entry.details if isinstance(entry.details, dict) else {}
        others = "; ".join(
            f"{name.replace('_', ' ')}: {value}" for name, value in details.items() if name != "changes"
        )
        return " ".join(part for part in (told(entry), others) if part)
