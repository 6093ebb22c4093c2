"""Supporters in the admin, with what they signed and agreed to; blocked and stopped addresses are freed here."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from signers import mail_stops, removing
from signers.admin.decisions import DecisionForm
from signers.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from signers.models import Consent, Signature, Supporter
from signers.searching import MOST_FOUND, some_supporters


class SignaturesOfSupporter(ReadOnlyInline):
    model = Signature
    fields = ("petition", "signed_at", "confirmed_at", "removed_at")
    readonly_fields = fields
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Signature]:
        return super().get_queryset(request).select_related("petition__letter", "petition__target")


class ConsentsOfSupporter(ReadOnlyInline):
    model = Consent
    fields = ("at", "organization", "purpose", "granted", "source", "wording")
    readonly_fields = fields
    ordering = ("-id",)


class Freeing(NamedTuple):
    """What staff can undo about a mailbox, and what they are told."""

    title: str
    explanation: str
    button: str
    done: str
    not_needed: str
    act: Callable[..., bool]


UNBLOCK = Freeing(
    "Unblock an address",
    "The address may sign petitions and get mail again. Removed signatures stay removed.",
    "Unblock",
    "This address may sign and get mail again.",
    "This address was not blocked.",
    removing.unblock,
)
LET_THROUGH = Freeing(
    "Let mail through again",
    "Mail goes to this address again, and soft bounces count anew. Do it when you know that the mailbox works; after a "
    "complaint only when the person asked for it. Updates that a complaint ended stay ended.",
    "Let mail through again",
    "Mail goes to this address again.",
    "Mail to this address was not stopped.",
    mail_stops.let_through,
)


@admin.register(Supporter)
class SupporterAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "created_at", "confirmed_at", "blocked_at", "stopped_at")
    ordering = ("-id",)
    search_fields = ("last_name",)
    most_found = MOST_FOUND
    search_help_text = "The beginning of a name, or an e-mail address"
    fields = (
        "first_name", "last_name", "email", "created_at", "confirmed_at", "blocked_at", "stopped_at", "stopped",
        "soft_bounces",
    )  # fmt: skip
    readonly_fields = fields
    inlines = (SignaturesOfSupporter, ConsentsOfSupporter)
    change_form_template = "admin/signers/supporter/change_form.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Supporter], search_term: str
    ) -> tuple[QuerySet[Supporter], bool]:
        return some_supporters(queryset, search_term), False

    @admin.display(description="name")
    def name(self, supporter: Supporter) -> SafeString | str:
        whole = f"{supporter.first_name} {supporter.last_name}".strip()
        return format_html("<bdi>{}</bdi>", whole) if whole else f"Supporter {supporter.pk}"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:pk>/{name.replace('_', '-')}/",
                self.admin_site.admin_view(self.freeing_view),
                {"freeing": freeing},
                name=f"signers_supporter_{name}",
            )
            for name, freeing in (("unblock", UNBLOCK), ("let_through", LET_THROUGH))
        ]
        return own + super().get_urls()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        supporter: Supporter | None = kwargs.get("obj")
        may_free = supporter is not None and request.user.has_perm("signers.remove_signature")
        context["may_unblock"] = may_free and supporter and supporter.blocked_at
        context["may_let_through"] = may_free and supporter and supporter.stopped_at
        return super().render_change_form(request, context, *args, **kwargs)

    def freeing_view(self, request: HttpRequest, pk: int, freeing: Freeing) -> HttpResponse:
        if not request.user.has_perm("signers.remove_signature"):
            raise PermissionDenied
        supporter = get_object_or_404(Supporter, pk=pk)
        form = DecisionForm(request.POST or None)
        back = reverse("admin:signers_supporter_change", args=[pk])
        if request.method == "POST" and form.is_valid():
            at, reason = timezone.now(), form.cleaned_data["reason"]
            if freeing.act(supporter=supporter, actor=request.user, at=at, reason=reason):
                messages.success(request, freeing.done)
            else:
                messages.info(request, freeing.not_needed)
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": freeing.title,
            "opts": self.opts,
            "explanation": freeing.explanation,
            "form": form,
            "button": freeing.button,
            "back_url": back,
        }
        status = 422 if request.method == "POST" else 200
        return TemplateResponse(request, "admin/signers/signature/decision.html", context, status=status)
