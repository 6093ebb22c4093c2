"""Mailings in the admin: the list, the form in which one is written, and the way to its other pages."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.models import Campaign
from mailings import starting, starting_from
from mailings.admin import (
    audience_views,
    check_views,
    doubt_views,
    figure_views,
    preview_views,
    sending_views,
)
from mailings.admin.pages import WRITE, may
from mailings.admin.steps import STATES, UNSTARTED, page_url, people_text, steps_of
from mailings.audience import REASONS, Audience
from mailings.checking import check
from mailings.models import Mailing
from mailings.rendering import MAIL_BLOCKS
from mailings.staff_forms import MailingForm, key
from petitions.admin.mistakes import mistakes_of
from petitions.models import Letter, Stand
from petitions.rendering import PAGE_FIELDS, READER
from signers.admin.read_only import BoundedPaginator
from staff.edits import RecordedAdmin

MOST_LISTED = 100


class OfCampaign(admin.SimpleListFilter):
    title = "campaign"
    parameter_name = "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(Campaign.objects.values_list("pk", "title")[:MOST_LISTED])

    def queryset(self, request: HttpRequest, mailings: QuerySet[Mailing]) -> QuerySet[Mailing]:
        return mailings if self.value() is None else mailings.filter(campaign=key(self.value()))


class InState(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, mailings: QuerySet[Mailing]) -> QuerySet[Mailing]:
        value = self.value()
        return mailings.filter(in_state(value)) if value in STATES else mailings


def in_state(state: str) -> Q:
    """The same rules as `Mailing.state`, as a condition."""
    now = timezone.now()
    conditions = {
        "canceled": Q(canceled_at__isnull=False),
        "sent": Q(canceled_at=None, finished_at__isnull=False),
        "paused": Q(canceled_at=None, finished_at=None, paused_at__isnull=False),
        "draft": Q(canceled_at=None, started_at=None, asked_at=None, approved_at=None),
        "asked": Q(canceled_at=None, started_at=None, asked_at__isnull=False, approved_at=None),
        "approved": Q(canceled_at=None, started_at=None, approved_at__isnull=False),
        "leaving": Q(canceled_at=None, finished_at=None, paused_at=None, starts_at__gt=now),
        "sending": Q(canceled_at=None, finished_at=None, paused_at=None, starts_at__lte=now),
    }
    return conditions[state]


@admin.register(Mailing)
class MailingAdmin(RecordedAdmin):
    form = MailingForm
    list_display = ("title", "campaign_title", "state", "people_text", "created_at", "started_at")
    list_filter = (OfCampaign, InState)
    list_select_related = ("campaign",)
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    search_fields = ("title", "subject", "campaign__title")
    search_help_text = "Name, subject or campaign"
    view_on_site = False
    actions = None
    change_form_template = "admin/mailings/mailing/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mailing]:
        mailings = super().get_queryset(request).select_related("campaign__organization")
        return mailings.defer("campaign__organization__logo")

    # --- Who may do what -----------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Mailing | None = None) -> bool:
        """What was started is as it was sent."""
        return super().has_change_permission(request, obj) and (obj is None or is_unstarted(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Mailing | None = None) -> bool:
        """What was started stays on record."""
        return super().has_delete_permission(request, obj) and (obj is None or not obj.is_frozen)

    # --- The list ------------------------------------------------------------------------------------------

    @admin.display(description="campaign", ordering="campaign__title")
    def campaign_title(self, mailing: Mailing) -> str:
        return mailing.campaign.title

    @admin.display(description="state")
    def state(self, mailing: Mailing) -> SafeString:
        return format_html('<span class="state">{}</span>', STATES[mailing.state(timezone.now())])

    @admin.display(description="copies", ordering="people")
    def people_text(self, mailing: Mailing) -> str:
        return "–" if mailing.people is None else f"{mailing.people:,}"

    # --- The form ------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Mailing | None = None) -> Any:
        beginning = ("seen",) if obj is not None else ("campaign", "letter", "seen")
        return (
            (
                "1. The text",
                {"fields": (*beginning, "subject", "preview_text", "body", "call_to_action")},
            ),
            (
                "2. Who gets it",
                {
                    "fields": (
                        "audience", "of_petition", "places", "kind", "joined_since", "asks_to_sign", "leads_to",
                        "others", "quiet_hours",
                    )
                },
            ),
            ("3. Sending", {"fields": ("title", "other_subject", "test_share", "per_minute")}),
        )  # fmt: skip

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """As the form's own `Meta` says: the campaign and the letter come with the link, not from a list."""
        if db_field.name in {"campaign", "letter"}:
            return db_field.formfield(**kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the letter says, or an empty mail of the campaign."""
        beginning = beginning_of(request)
        if beginning is None:
            return {}
        names = [name for name in MailingForm.Meta.fields if name != "places"]
        return {name: beginning.serializable_value(name) for name in names}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """What is being saved is held, so that it is not started at the same moment."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and request.method == "POST" and transaction.get_connection().in_atomic_block:
            Mailing.objects.select_for_update().filter(pk=found.pk).first()
            found = super().get_object(request, object_id, from_field)
        return found

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if request.method != "POST" and beginning_of(request) is None:
            return self.choose_view(request)
        return super().add_view(request, form_url, extra_context)

    def choose_view(self, request: HttpRequest) -> HttpResponse:
        """Which campaign, and which of its letters."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        campaigns = Campaign.objects.prefetch_related("letters").select_related("organization")
        if chosen := key(request.GET.get("of")):
            campaigns = campaigns.filter(pk=chosen)
        context = {
            **self.admin_site.each_context(request),
            "title": "Write to supporters",
            "opts": self.opts,
            "campaigns": campaigns.defer("organization__logo")[:MOST_LISTED],
            "steps": steps_of(None, at=timezone.now()),
        }
        return TemplateResponse(request, "admin/mailings/mailing/choose.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What cannot be written, or not any more, is looked at in its preview."""
        mailing = self.get_queryset(request).filter(pk=key(unquote(object_id)) or 0).first()
        if mailing is not None and not self.has_change_permission(request, mailing):
            if request.method != "POST" and self.has_view_permission(request, mailing):
                return HttpResponseRedirect(page_url(mailing, "preview"))
            if request.method == "POST" and not is_unstarted(mailing) and may(request, WRITE):
                state = STATES[mailing.state(timezone.now())].lower()
                messages.error(request, f"Not saved. This is what became of the mailing meanwhile: {state}.")
                return HttpResponseRedirect(page_url(mailing, "send"))
        return super().change_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        form = context["adminform"].form
        mailing: Mailing | None = kwargs.get("obj")
        now = timezone.now()
        campaign = self.campaign_of(request, form, mailing)
        if mailing is not None and not form.is_bound:
            form.show(check(mailing, at=now).errors)
        context |= {
            "title": mailing.title if mailing else f"Write to supporters: {campaign or 'of which campaign?'}",
            "mailing": mailing,
            "campaign": campaign,
            "state_label": STATES[mailing.state(now)] if mailing else "",
            "steps": steps_of(mailing, at=now),
            "step": "write",
            "mistakes": mistakes_of(form, []),
            "is_saved_with_mistakes": not form.is_bound and bool(form.errors),
            "audience_text": audience_text(form.audience_as_typed()) if only_counts(form) else None,
            "merge_fields": PAGE_FIELDS,
            "reader_field": READER,
            "blocks": MAIL_BLOCKS,
            "source_list": campaign.sources.all() if campaign else [],
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def campaign_of(self, request: HttpRequest, form: ModelForm, mailing: Mailing | None) -> Campaign | None:
        if mailing is not None and mailing.campaign_id:
            return mailing.campaign
        if isinstance(form, MailingForm) and form.is_bound:
            return Campaign.objects.filter(pk=form.campaign_id() or 0).first()
        beginning = beginning_of(request)
        return beginning.campaign if beginning else None

    def save_model(self, request: HttpRequest, obj: Mailing, form: ModelForm, change: bool) -> None:
        """Saves what the form has, and nothing that starting or approving may have changed meanwhile."""
        if not change:
            obj.created_at, obj.created_by = timezone.now(), request.user  # type: ignore[assignment]
            return super().save_model(request, obj, form, change)
        return obj.save(update_fields=[name for name in form.fields if name not in {"places", "seen"}])

    def response_add(
        self, request: HttpRequest, obj: Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.on(request, obj)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        return self.on(request, obj)

    def on(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """To the check list; where there are mistakes, back to the form that shows them."""
        errors = check(self.get_queryset(request).get(pk=obj.pk), at=timezone.now()).errors
        if not errors:
            messages.success(request, f"“{obj}” is saved.")
        if starting.forget_approval(mailing=obj):
            messages.warning(request, "It is not any more what was to be approved: it is a draft again.")
        stays = errors or "_continue" in request.POST
        return HttpResponseRedirect(page_url(obj, "write" if stays else "check"))

    # --- Counting while somebody writes --------------------------------------------------------------------

    def count_view(self, request: HttpRequest) -> JsonResponse:
        """`{"text": "312 people would get it. …"}` for the form as it was sent; nothing is saved."""
        if request.method != "POST" or not request.user.has_perm(WRITE):
            raise PermissionDenied
        mailing = self.get_queryset(request).filter(pk=key(request.POST.get("mailing")) or 0).first()
        form_class: Any = self.get_form(request, mailing, change=mailing is not None)
        form = form_class(request.POST, instance=mailing)
        form.is_valid()
        return uncached(JsonResponse({"text": audience_text(form.audience_as_typed())}))

    # --- More pages ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("count/", self.admin_site.admin_view(self.count_view), name="mailings_mailing_count"),
            path(
                "after-a-stand/<int:pk>/",
                self.admin_site.admin_view(self.stand_view),
                name="mailings_mailing_after_a_stand",
            ),
        ]
        for part, (address, view) in PAGES.items():
            own.append(path(f"<int:pk>/{address}", self.guarded(view), name=f"mailings_mailing_{part}"))
        for name in sending_views.VERBS:
            view = self.guarded(sending_views.decide_view, name)
            own.append(path(f"<int:pk>/{name}/", view, name=f"mailings_mailing_{name}"))
        return own + super().get_urls()

    def guarded(
        self, view: Callable[..., HttpResponseBase], *arguments: str
    ) -> Callable[..., HttpResponseBase]:
        def guarded_view(request: HttpRequest, pk: int, **more: str) -> HttpResponseBase:
            return view(self, request, self.found(request, pk), *arguments, **more)

        return self.admin_site.admin_view(guarded_view)

    def found(self, request: HttpRequest, pk: int) -> Mailing:
        mailing = get_object_or_404(self.get_queryset(request), pk=key(pk) or 0)
        if not self.has_view_permission(request, mailing):
            raise PermissionDenied
        return mailing

    def stand_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks once, then makes the draft that asks the signers of a won petition for their thanks."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        stand = (
            Stand.objects.select_related("target__place", "left__letter", "joined__letter", "campaign")
            .filter(pk=key(pk) or 0)
            .first()
        )
        if stand is None:
            raise Http404
        problem = ""
        if request.method == "POST":
            try:
                mailing, is_new = starting_from.ask_for_thanks(
                    stand=stand,
                    actor=request.user,  # type: ignore[arg-type]
                    at=timezone.now(),
                )
            except starting_from.NothingToThank as error:
                problem = str(error)
            else:
                text = (
                    "This is the draft. Read it, then check it."
                    if is_new
                    else "This draft was there already."
                )
                messages.success(request, text)
                return HttpResponseRedirect(page_url(mailing, "write"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Ask the signers to thank {stand.target.title}",
            "opts": self.opts,
            "stand": stand,
            "problem": problem,
        }
        return TemplateResponse(
            request, "admin/mailings/mailing/after_a_stand.html", context, status=422 if problem else 200
        )


PAGES: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
    "check": ("check/", check_views.check_view),
    "preview": ("preview/", preview_views.preview_view),
    "preview_part": ("preview/<slug:part>/", preview_views.part_view),
    "audience": ("audience/", audience_views.audience_view),
    "send": ("send/", sending_views.send_view),
    "progress": ("progress.json", sending_views.progress_view),
    "doubt": ("in-doubt/", doubt_views.doubt_view),
    "figures": ("figures/", figure_views.figures_view),
    "figures_csv": ("figures.csv", figure_views.csv_view),
}


def is_unstarted(mailing: Mailing) -> bool:
    return mailing.state(timezone.now()) in UNSTARTED


def beginning_of(request: HttpRequest) -> Mailing | None:
    """What the link says the mailing begins with: a letter, or nothing but its campaign."""
    letter = (
        Letter.objects.select_related("campaign__organization")
        .defer("campaign__organization__logo")
        .filter(pk=key(request.GET.get("letter")) or 0)
        .first()
    )
    if letter is not None:
        return starting_from.from_letter(letter)
    campaign = (
        Campaign.objects.select_related("organization")
        .defer("organization__logo")
        .filter(pk=key(request.GET.get("campaign")) or 0)
        .first()
    )
    return starting_from.blank(campaign) if campaign else None


def only_counts(form: Any) -> bool:
    return bool(getattr(form, "only_counts", False))


def audience_text(audience: Audience | None) -> str:
    """The size in words, and who is left out."""
    if audience is None:
        return "Correct what is marked below, then count again."
    size = audience.size()
    left_out = audience.left_out()
    begin = "Nobody would get it." if not size else f"{people_text(size)} would get it."
    if not left_out:
        return begin
    reasons = "; ".join(f"{number:,}: {REASONS[reason]}" for reason, number in left_out.items())
    return f"{begin} Left out: {reasons}."


def uncached(response: JsonResponse) -> JsonResponse:
    response["Cache-Control"] = "no-store"
    return response
