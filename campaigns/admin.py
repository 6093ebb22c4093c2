"""Organizations and places in the admin; campaigns are in `petitions.admin`, because letters belong to their form."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.forms import OrganizationForm
from campaigns.models import Organization, Place
from staff.edits import RecordedAdmin


@admin.register(Organization)
class OrganizationAdmin(RecordedAdmin):
    form = OrganizationForm
    list_display = ("name", "parent", "campaigns")
    search_fields = ("name", "parent")
    readonly_fields = ("logo_now",)
    fieldsets = (
        (None, {"fields": ("name", "parent", "postal_address")}),
        ("Mail", {"fields": ("from_email", "reply_to", "approval_above")}),
        ("Pages", {"fields": ("privacy_url", "accent", "logo_now", "logo_file", "remove_logo")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        return super().get_queryset(request).defer("logo").annotate(campaigns_count=Count("campaigns"))

    @admin.display(description="campaigns", ordering="campaigns_count")
    def campaigns(self, organization: Organization) -> int:
        return organization.campaigns_count  # type: ignore[attr-defined]

    @admin.display(description="logo now")
    def logo_now(self, organization: Organization | None) -> SafeString | str:
        if organization is None or not organization.logo_digest:
            return "none"
        return format_html(
            '<img class="logo-now" src="{}" width="{}" height="{}" alt="Logo of {}">',
            reverse("logo", args=[organization.pk, organization.logo_digest]),
            organization.logo_width,
            organization.logo_height,
            organization.name,
        )


@admin.register(Place)
class PlaceAdmin(RecordedAdmin):
    list_display = ("name", "region", "country", "has_postal_codes")
    search_fields = ("name", "region", "postal_prefixes")
    list_filter = ("country",)

    @admin.display(description="postal codes", boolean=True)
    def has_postal_codes(self, place: Place) -> bool:
        return bool(place.postal_prefixes.strip())
