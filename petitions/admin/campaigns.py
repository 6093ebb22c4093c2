"""The campaign's form: from organization to published page, with sources, letters and targets in one save."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Model, Q, QuerySet, Sum
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from campaigns.forms import SourceForm
from campaigns.models import Campaign, Source, Target
from petitions.admin import campaign_file_views, publishing_views, sharing_views, target_list_views
from petitions.admin.mistakes import mistakes_of
from petitions.admin.petitions import row_of
from petitions.admin.steps import MOST_ON_FORM, counted, numbers_of, steps_of, total_text
from petitions.duplicating import duplicate
from petitions.forms.campaigns import PublishedCampaignForm, published_petitions
from petitions.forms.letters import LetterForm, LetterFormSet
from petitions.forms.sources import SourceFormSet
from petitions.forms.targets import TargetFormSet, TargetPetitionForm, current_petition
from petitions.models import Kind, Letter, Petition
from petitions.rendering import BLOCKS, PAGE_FIELDS, READER
from staff.edits import RecordedAdmin

MANY_SOURCES = 12


class OnCampaignForm:
    """What the three parts have in common: who may write campaigns may write their parts."""

    def get_extra(self, request: HttpRequest, obj: Campaign | None = None, **kwargs: Any) -> int:
        """One empty row where there is none yet, so that nobody has to look for a button."""
        return 0 if obj is not None and self.model.objects.filter(campaign=obj).exists() else 1  # type: ignore[attr-defined]


class SourceInline(OnCampaignForm, admin.StackedInline):
    model = Source
    form = SourceForm
    formset = SourceFormSet
    template = "admin/campaigns/campaign/sources.html"
    fieldsets = (
        (None, {"fields": (("key", "authors", "title"), ("publication", "date", "url", "archived_url"))}),
    )


class LetterInline(OnCampaignForm, admin.StackedInline):
    model = Letter
    form = LetterForm
    formset = LetterFormSet
    max_num = len(Kind)
    template = "admin/campaigns/campaign/letters.html"
    fieldsets = (
        (None, {"fields": ("kind", "headline", "lead_in", "statement", "button")}),
        (
            "The letter",
            {"fields": ("greeting", "body", "call_to_action", "closing", ("signed_by", "signed_role"))},
        ),
        (
            "After signing, and when shared",
            {"classes": ("collapse",), "fields": ("thanks", "share_title", "share_text")},
        ),
    )


class TargetInline(OnCampaignForm, admin.StackedInline):
    model = Target
    form = TargetPetitionForm
    formset = TargetFormSet
    verbose_name_plural = "5. Targets and their petitions"
    readonly_fields = ("page",)
    fieldsets = (
        (
            None,
            {"fields": ("page", ("kind", "office", "name"), ("place_name", "place_region", "place_country"))},
        ),
        (
            "Headline and local paragraph",
            # One field a line: Django opens a folded part for a mistake only where its field stands alone.
            {"classes": ("collapse",), "fields": ("headline", "local", "slug", "goal")},
        ),
        (
            "Salutation, e-mail and postal codes",
            {"classes": ("collapse",), "fields": ("salutation", "last_name", "email", "postal_prefixes")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Target]:
        targets = super().get_queryset(request).select_related("place", "campaign")
        return targets.prefetch_related(
            "petitions__letter__campaign", "petitions__tally", "petitions__current_version"
        )

    def get_formset(
        self, request: HttpRequest, obj: Campaign | None = None, **kwargs: Any
    ) -> type[BaseInlineFormSet]:
        formset: Any = super().get_formset(request, obj, **kwargs)
        # Django would refuse to delete any target with a petition; ours go while nobody has seen them.
        formset.form.hand_clean_DELETE = refuse_deleting_published
        formset.form.editor = request.user
        return formset

    @admin.display(description="petition")
    def page(self, target: Target | None) -> SafeString | str:
        """State, count and links of the row's petition; the script keeps the numbers fresh."""
        petition = current_petition(target) if target is not None and target.pk else None
        if petition is None:
            return "Saving makes the petition."
        label, count = row_of(petition)
        links = [(reverse("admin:petitions_petition_preview", args=[petition.pk]), "Preview")]
        if petition.is_live(timezone.now()):
            links.append((petition.get_absolute_url(), "Public page"))
        links.append((reverse("admin:petitions_petition_change", args=[petition.pk]), "More"))
        return format_html(
            '<span class="petition-row" data-petition="{}"><span class="state" data-part="state">{}</span> '
            '<span data-part="count">{}</span></span> {}',
            petition.pk,
            label,
            count,
            format_html_join(" · ", '<a href="{}">{}</a>', links),
        )


def refuse_deleting_published(form: TargetPetitionForm) -> None:
    """Part of a row's validation: what was published stays on record."""
    if not form.cleaned_data.get("DELETE") or not form.instance.pk:
        return
    if Petition.objects.filter(target=form.instance).exclude(current_version=None).exists():
        raise ValidationError(
            f"{form.instance} has a published petition and stays. Close or unpublish the petition instead."
        )
    groups = Petition.objects.filter(members=form.instance)
    if groups.exists():
        names = ", ".join(petition.addressee for petition in groups[:3])
        raise ValidationError(
            f"{form.instance} is a member of a group: {names}. Take them out of the group first."
        )


@admin.register(Campaign)
class CampaignAdmin(RecordedAdmin):
    form = PublishedCampaignForm
    list_display = ("title", "organization", "petitions", "live", "signatures", "created_at")
    list_filter = ("organization",)
    search_fields = ("title", "slug")
    list_select_related = ("organization",)
    view_on_site = False
    prepopulated_fields: ClassVar = {"slug": ("title",)}
    inlines = (SourceInline, LetterInline, TargetInline)
    actions = None
    fieldsets = (
        ("1. Organization", {"fields": ("organization",)}),
        ("2. Campaign", {"fields": ("title", "summary", "slug", "seen")}),
        (
            "Options",
            {
                "classes": ("collapse",),
                "fields": (
                    "language",
                    "confirmation",
                    ("asks_postal_code", "asks_country", "asks_comment"),
                    "count_floor",
                    "total_of",
                    "shows_league",
                    "asks_proof",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return (
            super()
            .get_queryset(request)
            .select_related("organization")
            .defer("organization__logo")
            .annotate(
                petitions_count=Count("letters__petitions"),
                live_count=Count(
                    "letters__petitions", filter=Q(letters__petitions__live_at__lte=timezone.now())
                ),
                signatures_count=Sum("letters__petitions__tally__count"),
            )
        )

    # --- The form ------------------------------------------------------------------------------------------

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "organization":
            # To add one or correct it is enough here.
            field.widget.can_delete_related = field.widget.can_view_related = False
        return field

    def get_inlines(self, request: HttpRequest, obj: Campaign | None) -> Any:
        """Targets leave the form of a large campaign; its petitions have a list of their own."""
        if obj is not None and Target.objects.filter(campaign=obj).count() > MOST_ON_FORM:
            return (SourceInline, LetterInline)
        return self.inlines

    def get_inline_instances(self, request: HttpRequest, obj: Campaign | None = None) -> list[Any]:
        """A long source library is folded; Django opens it where a row has a mistake."""
        inlines = super().get_inline_instances(request, obj)
        for inline in inlines:
            if isinstance(inline, SourceInline) and obj is not None and obj.sources.count() > MANY_SOURCES:
                inline.classes = ["collapse"]
        return inlines

    def _create_formsets(
        self, request: HttpRequest, obj: Campaign, change: bool
    ) -> tuple[list[Any], list[Any]]:
        # The only place where Django has all parts of the form together before checking any of them.
        formsets, inlines = super()._create_formsets(request, obj, change)  # type: ignore[misc]
        siblings = {formset.prefix: formset for formset in formsets}
        for formset in formsets:
            formset.siblings = siblings
        return formsets, inlines

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Campaign, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        if isinstance(inline, LetterInline) and obj.pk:
            written = set(Letter.objects.filter(campaign=obj).values_list("kind", flat=True))
            kwargs["initial"] = [{"kind": kind} for kind in Kind.values if kind not in written]
        return kwargs

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        campaign: Any = self.get_object(request, unquote(object_id)) if object_id else None
        context = self.form_context(request, campaign) | (extra_context or {})
        return super().changeform_view(request, object_id, form_url, context)

    def form_context(self, request: HttpRequest, campaign: Campaign | None) -> dict[str, Any]:
        context: dict[str, Any] = {
            "steps": steps_of(campaign),
            "merge_fields": PAGE_FIELDS,
            "reader_field": READER,
            "blocks": BLOCKS,
        }
        if campaign is not None:
            numbers = numbers_of(campaign)
            groups = list(
                Petition.objects.filter(letter__campaign=campaign, target=None).select_related(
                    "letter", "tally"
                )
            )
            for petition in groups:
                petition.row = row_of(petition)  # type: ignore[attr-defined]
            context |= {
                "title": campaign.title,
                "numbers": numbers,
                "total_text": total_text(numbers.signatures, numbers.people),
                "petitions_text": counted(numbers.petitions, "petition"),
                "groups": groups,
                "has_letters": campaign.letters.exists(),
                "is_large": numbers.petitions > MOST_ON_FORM,
                "source_list": campaign.sources.all(),
            }
        return context

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["mistakes"] = mistakes_of(context["adminform"].form, context["inline_admin_formsets"])
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.on_to_check(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        return self.on_to_check(request, obj) or super().response_change(request, obj)

    def on_to_check(self, request: HttpRequest, obj: Model) -> HttpResponse | None:
        if "_check" not in request.POST:
            return None
        self.message_user(request, f"“{obj}” is saved.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:campaigns_campaign_publish", args=[obj.pk]))

    # --- Deleting ------------------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """What was published stays on record; a campaign of drafts can go."""
        return super().has_delete_permission(request, obj) and (
            obj is None or not published_petitions(obj).exists()
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        listed, counts = [], {}
        for campaign in objs:
            parts = {
                "petitions": Petition.objects.filter(letter__campaign=campaign),
                "targets": campaign.targets.all(),
                "letters": campaign.letters.all(),
                "sources": campaign.sources.all(),
            }
            counts = {"campaigns": 1} | {name: rows.count() for name, rows in parts.items()}
            listed.append(str(campaign))
        return listed, counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        Petition.objects.filter(letter__campaign=obj, current_version=None).delete()
        super().delete_model(request, obj)

    # --- The list ------------------------------------------------------------------------------------------

    @admin.display(description="petitions")
    def petitions(self, campaign: Campaign) -> int:
        return campaign.petitions_count  # type: ignore[attr-defined]

    @admin.display(description="live")
    def live(self, campaign: Campaign) -> int:
        return campaign.live_count  # type: ignore[attr-defined]

    @admin.display(description="signatures")
    def signatures(self, campaign: Campaign) -> str:
        return f"{campaign.signatures_count or 0:,}"  # type: ignore[attr-defined]

    # --- More pages ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        own = [
            path("<int:pk>/publish/", guarded(self.publish_view), name="campaigns_campaign_publish"),
            path("<int:pk>/duplicate/", guarded(self.duplicate_view), name="campaigns_campaign_duplicate"),
            path("upload/", guarded(self.upload_view), name="campaigns_campaign_upload"),
            path("<int:pk>/file/", guarded(self.download_view), name="campaigns_campaign_download"),
            path("<int:pk>/targets/", guarded(self.bring_view), name="campaigns_campaign_bring_targets"),
            path(
                "<int:pk>/targets/<int:key>/",
                guarded(self.list_view(target_list_views.preview_view)),
                name="campaigns_campaign_target_list",
            ),
            *(
                path(
                    f"<int:pk>/targets/<int:key>/{verb}/",
                    guarded(self.list_view(view)),
                    name=f"campaigns_campaign_{verb}_targets",
                )
                for verb, view in target_list_views.VERBS.items()
            ),
            path("<int:pk>/addresses/", guarded(self.addresses_view), name="campaigns_campaign_addresses"),
            path("<int:pk>/addresses/sheet/", guarded(self.sheet_view), name="campaigns_campaign_qr_sheet"),
            path("<int:pk>/addresses.csv", guarded(self.csv_view), name="campaigns_campaign_addresses_csv"),
            path("<int:pk>/counts.json", guarded(self.counts_view), name="campaigns_campaign_counts"),
        ]
        return own + super().get_urls()

    def found(self, request: HttpRequest, pk: int) -> Campaign:
        campaign = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        return campaign

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        return campaign_file_views.upload_view(self, request)

    def download_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return campaign_file_views.download_view(self.found(request, pk))

    def bring_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return target_list_views.bring_view(self, request, self.found(request, pk))

    def list_view(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """One of the pages of a list of targets."""
        return lambda request, pk, key: view(self, request, self.found(request, pk), key)

    def addresses_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return sharing_views.campaign_addresses(self, request, self.found(request, pk))

    def sheet_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return sharing_views.campaign_sheet(self, request, self.found(request, pk))

    def csv_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        return sharing_views.campaign_csv(request, self.found(request, pk))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"may_upload": campaign_file_views.may_upload(request)} | (extra_context or {})
        return super().changelist_view(request, context)

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return publishing_views.publish_view(self, request, self.found(request, pk))

    def duplicate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks what to take along, then copies."""
        campaign = self.found(request, pk)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            copy = duplicate(
                campaign=campaign,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
                with_targets=request.POST.get("with_targets") == "on",
            )
            self.message_user(
                request,
                f"This is the copy of “{campaign}”. Give it a title and an address.",
                messages.SUCCESS,
            )
            return HttpResponseRedirect(reverse("admin:campaigns_campaign_change", args=[copy.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Duplicate “{campaign}”",
            "campaign": campaign,
            "opts": self.opts,
            "targets": campaign.targets.count(),
        }
        return TemplateResponse(request, "admin/campaigns/campaign/duplicate.html", context)

    def counts_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """`{"total": "9 signatures", "petitions": {"12": {"state": "Open", "count": "9 signatures"}}}`. Few queries."""
        campaign = self.found(request, pk)
        petitions = Petition.objects.filter(letter__campaign=campaign).select_related("tally")
        rows = {}
        for petition in petitions[: 2 * MOST_ON_FORM]:
            state, count = row_of(petition)
            rows[str(petition.pk)] = {"state": state, "count": count}
        numbers = numbers_of(campaign)
        total = total_text(numbers.signatures, numbers.people)
        response = JsonResponse({"total": total, "petitions": rows})
        response["Cache-Control"] = "no-store"
        return response
