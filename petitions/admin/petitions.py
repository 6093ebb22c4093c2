"""Petitions in the admin: the list with its actions, one petition by itself, and its versions."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.models import Campaign, Target
from petitions.admin import matrix, preview_views, publishing_views, sharing_views, stand_views
from petitions.admin.kind_view import kind_view
from petitions.admin.petition_filters import (
    InRegion,
    InState,
    OfCampaign,
    OfKind,
    WithEmail,
    WithLocal,
    number,
    row_of,
    state_label,
)
from petitions.forms.petitions import PetitionForm
from petitions.models import Kind, Letter, Petition, Version
from petitions.readdressing import move_to
from staff.edits import RecordedAdmin


class VersionInline(admin.TabularInline):
    """What was published when, newest first; the texts are on the public change history."""

    model = Version
    template = "admin/scrolling_table.html"
    fields = ("number", "published_at", "published_by", "headline", "reason")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    verbose_name_plural = "Published versions"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def state_action(verb: str, description: str) -> Callable[..., HttpResponse]:
    """An action on the list that leads to the page of `verb` with the chosen petitions."""

    @admin.action(permissions=["publish"], description=description)
    def action(
        model_admin: "PetitionAdmin", request: HttpRequest, queryset: QuerySet[Petition]
    ) -> HttpResponse:
        return publishing_views.state_view(
            model_admin, request, verb, chosen=list(queryset.values_list("pk", flat=True))
        )

    action.__name__ = verb.replace("-", "_")
    return action


@admin.action(permissions=["publish"], description="Take a stand…")
def take_a_stand(
    model_admin: "PetitionAdmin", request: HttpRequest, queryset: QuerySet[Petition]
) -> HttpResponse:
    return stand_views.take_view(model_admin, request, chosen=list(queryset.values_list("pk", flat=True)))


def kind_action(kind: Kind) -> Callable[..., HttpResponse]:
    """An action on the list that leads to the page on which petitions get the letter of this kind."""

    @admin.action(permissions=["change"], description=f"Change to {kind.label.lower()}…")
    def action(
        model_admin: "PetitionAdmin", request: HttpRequest, queryset: QuerySet[Petition]
    ) -> HttpResponse:
        return kind_view(model_admin, request, kind, chosen=list(queryset.values_list("pk", flat=True)))

    action.__name__ = f"change_to_{kind.value}".replace("-", "_")
    return action


@admin.action(permissions=["view"], description="Check and publish…")
def check_and_publish(
    model_admin: "PetitionAdmin", request: HttpRequest, queryset: QuerySet[Petition]
) -> HttpResponse | None:
    campaigns = list(Campaign.objects.filter(letters__petitions__in=queryset).distinct()[:2])
    if len(campaigns) != 1:
        model_admin.message_user(
            request, "Choose petitions of one campaign: publishing goes campaign by campaign.", "error"
        )
        return None
    return publishing_views.publish_view(
        model_admin, request, campaigns[0], chosen=list(queryset.values_list("pk", flat=True))
    )


@admin.register(Petition)
class PetitionAdmin(RecordedAdmin):
    form = PetitionForm
    list_display = ("addressed_to", "kind", "place", "campaign_title", "state", "count", "closes_at", "links")
    list_display_links = ("addressed_to",)
    list_filter = (OfCampaign, InState, OfKind, InRegion, WithEmail, WithLocal)
    list_per_page = 100
    list_select_related = ("letter__campaign", "target__place", "tally")
    search_fields = (
        "target__name",
        "target__place__name",
        "target__place__region",
        "addressee",
        "headline",
        "slug",
    )
    search_help_text = "Name of the target, place, headline or address"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    inlines = (VersionInline,)
    autocomplete_fields = ()
    filter_horizontal = ("members",)
    actions = (
        check_and_publish,
        state_action("close", "Close or mark as won…"),
        take_a_stand,
        state_action("reopen", "Reopen…"),
        state_action("schedule-closing", "Schedule closing…"),
        state_action("unpublish", "Take off the site…"),
        *map(kind_action, Kind),
    )
    change_form_template = "admin/petitions/petition/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Petition]:
        return (
            super()
            .get_queryset(request)
            .select_related("letter__campaign__organization", "target__place", "tally")
            .defer("letter__campaign__organization__logo")
        )

    # --- Who may do what -----------------------------------------------------------------------------------

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("petitions.publish_petition")

    def has_delete_permission(self, request: HttpRequest, obj: Petition | None = None) -> bool:
        """What was published stays on record."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.current_version_id is None)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # --- The form ------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Petition | None = None) -> Any:
        own = ("Page", {"fields": ("slug", "headline", "local", "goal", "position")})
        if obj is not None and obj.target_id:
            return (("To one target", {"fields": ("to_target",)}), own)
        return (("To a group", {"fields": ("letter", "addressee", "members")}), own)

    def get_readonly_fields(self, request: HttpRequest, obj: Petition | None = None) -> tuple[str, ...]:
        return ("to_target",)

    @admin.display(description="target")
    def to_target(self, petition: Petition) -> SafeString | str:
        target = petition.target
        if target is None:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:campaigns_target_change", args=[target.pk]), target
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "letter":
            letters = Letter.objects.select_related("campaign")
            campaign = number(request.GET.get("campaign"))
            kwargs["queryset"] = letters.filter(campaign=campaign) if campaign else letters
        elif db_field.name == "members":
            kwargs["queryset"] = self.possible_members(request)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in ("letter", "members") and field is not None:
            for button in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{button}_related", False)
        return field

    def possible_members(self, request: HttpRequest) -> QuerySet[Target]:
        """The targets of the petition's campaign, or of the one the link named."""
        targets = Target.objects.select_related("place")
        match = request.resolver_match
        if match is not None and match.kwargs.get("object_id"):
            return targets.filter(campaign__letters__petitions=number(match.kwargs["object_id"]))
        campaign = number(request.GET.get("campaign"))
        return targets.filter(campaign=campaign) if campaign else targets

    def get_form(
        self, request: HttpRequest, obj: Petition | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = [name for name in kwargs.get("fields") or () if name != "to_target"] or None
        if kwargs["fields"] is None:
            del kwargs["fields"]
        return super().get_form(request, obj, change=change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Petition, form: ModelForm, change: bool) -> None:
        """Saves what the form has, and nothing that publishing or closing may have changed meanwhile."""
        if not change:
            return super().save_model(request, obj, form, change)
        if "slug" in form.fields:
            move_to(petition=obj, slug=form.cleaned_data["slug"], actor=request.user, at=timezone.now())  # type: ignore[arg-type]
        names = [name for name in form.fields if name not in {"members", "slug"}]
        return obj.save(update_fields=names)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        petition: Petition | None = kwargs.get("obj")
        if petition is not None:
            now = timezone.now()
            context |= {
                "state": state_label(petition),
                "count_text": row_of(petition)[1],
                "is_live": petition.is_live(now),
                "verbs": publishing_views.verbs_for(petition, now)
                if self.has_publish_permission(request)
                else [],
                "campaign": petition.campaign,
                **stand_views.of_petition(petition, request),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_inline_instances(self, request: HttpRequest, obj: Petition | None = None) -> list[Any]:
        """What was published is listed once there is something."""
        return (
            super().get_inline_instances(request, obj) if obj is not None and obj.current_version_id else []
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The letter, where the campaign has only one."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        letters = list(Letter.objects.filter(campaign=number(request.GET.get("campaign")))[:2])
        return {"letter": letters[0].pk, **initial} if len(letters) == 1 else initial

    def response_post_save_add(self, request: HttpRequest, obj: Petition) -> HttpResponseRedirect:
        """Back to the campaign, where one came from, and where checking and publishing are."""
        form = reverse("admin:campaigns_campaign_change", args=[obj.campaign.pk])
        return HttpResponseRedirect(f"{form}#groups-heading")

    # --- The list ------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The matrix of a campaign where one is chosen, or else the list of all petitions."""
        campaign = matrix.campaign_of(request)
        if campaign is None:
            return super().changelist_view(request, extra_context)
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return matrix.view(self, request, campaign, super().changelist_view)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[matrix.PetitionList]:
        return matrix.PetitionList

    def get_list_display(self, request: HttpRequest) -> Any:
        return matrix.COLUMNS if number(request.GET.get("campaign")) else self.list_display

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return None if list_display == matrix.COLUMNS else self.list_display_links

    def get_ordering(self, request: HttpRequest) -> Any:
        return matrix.BY_CITY if number(request.GET.get("campaign")) else super().get_ordering(request)

    @admin.display(ordering="target__place__name")
    def city(self, petition: Petition) -> str:
        return str(petition.target.place) if petition.target else "Group"

    @admin.display(ordering="target__last_name")
    def mayor(self, petition: Petition) -> str:
        return petition.addressed_to

    @admin.display(ordering="gained_today")
    def today(self, petition: Petition) -> int:
        return petition.gained_today  # type: ignore[attr-defined]

    @admin.display(description="to")
    def addressed_to(self, petition: Petition) -> str:
        return petition.addressed_to

    @admin.display(ordering="letter__kind")
    def kind(self, petition: Petition) -> str:
        return petition.letter.get_kind_display()

    @admin.display(ordering="target__place__name")
    def place(self, petition: Petition) -> str:
        return str(petition.target.place) if petition.target else "group"

    @admin.display(description="campaign", ordering="letter__campaign__title")
    def campaign_title(self, petition: Petition) -> str:
        return petition.campaign.title

    @admin.display(ordering="state_rank")
    def state(self, petition: Petition) -> SafeString:
        return format_html('<span class="state">{}</span>', state_label(petition))

    @admin.display(description="signatures", ordering="tally__count")
    def count(self, petition: Petition) -> str:
        return f"{petition.tally.count:,}" if hasattr(petition, "tally") else "0"

    @admin.display(description="pages")
    def links(self, petition: Petition) -> SafeString:
        preview = format_html(
            '<a href="{}">Preview</a> <a href="{}">Sharing</a>',
            reverse("admin:petitions_petition_preview", args=[petition.pk]),
            sharing_views.sharing_url(petition),
        )
        if not petition.is_live(timezone.now()):
            return preview
        return format_html('{} <a href="{}">Public page</a>', preview, petition.get_absolute_url())

    # --- More pages ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        own = [
            path("<int:pk>/preview/", guarded(self.preview_view), name="petitions_petition_preview"),
            path(
                "<int:pk>/preview/<slug:part>/",
                guarded(self.preview_part_view),
                name="petitions_petition_preview_part",
            ),
        ]
        own += [
            path(address, guarded(partial(view, self)), name=f"petitions_petition_{name}")
            for address, view, name in stand_views.PAGES
        ]
        own.append(
            path("change-kind/", guarded(self.change_kind_view), name="petitions_petition_change-kind")
        )
        own += [
            path("<int:pk>/sharing/", guarded(self.sharing_view), name="petitions_petition_sharing"),
            path(
                "<int:pk>/sharing/image.png",
                guarded(self.share_image_view),
                name="petitions_petition_share_image",
            ),
            path("<int:pk>/sharing/<int:address>.svg", guarded(self.qr_view), name="petitions_petition_qr"),
        ]
        for verb in publishing_views.VERBS:
            own.append(path(f"{verb}/", guarded(self.verb_view(verb)), name=f"petitions_petition_{verb}"))
        return own + super().get_urls()

    def verb_view(self, verb: str) -> Callable[[HttpRequest], HttpResponse]:
        return lambda request: publishing_views.state_view(self, request, verb)

    def change_kind_view(self, request: HttpRequest) -> HttpResponse:
        return kind_view(self, request)

    def found(self, request: HttpRequest, pk: int) -> Petition:
        petition = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, petition):
            raise PermissionDenied
        return petition

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return preview_views.frame(self, request, self.found(request, pk))

    def preview_part_view(self, request: HttpRequest, pk: int, part: str) -> HttpResponse:
        return preview_views.part(request, self.found(request, pk), part)

    def sharing_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return sharing_views.petition_sharing(self, request, self.found(request, pk))

    def share_image_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return sharing_views.petition_image(request, self.found(request, pk))

    def qr_view(self, request: HttpRequest, pk: int, address: int) -> HttpResponse:
        return sharing_views.petition_qr(request, self.found(request, pk), address)
