"""Organizations, places and nominations in the admin; campaigns are in `petitions.admin`, with their letters."""

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.lookups import Exact
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from campaigns.forms import OrganizationForm
from campaigns.models import Nomination, Organization, Place, Target
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

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> tuple[str, ...]:
        """Who needs an approval cannot do away with it."""
        may = request.user.has_perm("mailings.approve_mailing")
        return self.readonly_fields if may else (*self.readonly_fields, "approval_above")

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


@admin.register(Nomination)
class NominationAdmin(RecordedAdmin):
    """Which cities visitors wish for. Nothing to write here: whoever sees campaigns reads it, editors tidy up."""

    list_display = ("city", "country", "campaign", "count", "last_at", "next_step")
    list_display_links = None
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("campaign",)
    search_fields = ("name", "region")
    search_help_text = "City or region"
    ordering = ("-count", "name", "pk")
    show_facets = admin.ShowFacets.NEVER

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        may_add = request.user.has_perm("campaigns.add_target")
        return self.list_display if may_add else self.list_display[:-1]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Nomination | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Nomination | None = None) -> bool:
        return request.user.has_perm("campaigns.view_campaign")

    def has_delete_permission(self, request: HttpRequest, obj: Nomination | None = None) -> bool:
        return request.user.has_perm("campaigns.change_campaign")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Nomination]:
        """With the key of a target in that city, where the campaign has one by now."""
        same_region = Q(place__region__iexact=OuterRef("region")) | Q(Exact(OuterRef("region"), Value("")))
        targets = Target.objects.filter(
            same_region, campaign=OuterRef("campaign"), place__name__iexact=OuterRef("name")
        )
        return super().get_queryset(request).annotate(listed=Subquery(targets.values("pk")[:1]))

    @admin.display(description="city", ordering="name")
    def city(self, nomination: Nomination) -> str:
        return str(nomination)

    @admin.display(description="next step")
    def next_step(self, nomination: Nomination) -> SafeString:
        """The form for a new target, with the place filled in; or the target who is there."""
        if listed := getattr(nomination, "listed", None):
            return format_html(
                '<a href="{}">Has a target</a>', reverse("admin:campaigns_target_change", args=[listed])
            )
        place: dict[str, str | int] = {
            "campaign": nomination.campaign_id,
            "place_name": nomination.name,
            "place_region": nomination.region,
            "place_country": nomination.country,
        }
        address = f"{reverse('admin:campaigns_target_add')}?{urlencode(place)}"
        return format_html('<a href="{}">Add a target</a>', address)
