"""Signers in the admin: found, exported, removed and restored, never edited; and the mail they are owed."""

import base64
import hashlib
import re
from collections.abc import Callable
from html import unescape
from typing import Any, ClassVar

from csp.decorators import csp_update
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.models import Campaign
from petitions.admin.petitions import number
from petitions.admin.preview_views import PARTS
from petitions.models import Petition, Version
from signers import exporting, removing
from signers.emails import confirm_mail_preview
from signers.models import Consent, OutgoingMail, Signature, Submission, Supporter
from signers.searching import signatures_matching, supporters_matching
from signers.sending import CannotResend, resend
from staff.edits import RecordedAdmin

STATES = {
    "confirmed": "Confirmed",
    "accepted": "Counted, not yet confirmed",
    "pending": "Waiting for confirmation",
    "held": "Held",
    "removed": "Removed",
}
MOST_PETITIONS_LISTED = 60


class BoundedPaginator(Paginator):
    """Counts no further than this: a list nobody reads to its end need not be counted to its end."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[: self.MOST].count()  # type: ignore[attr-defined]


class ReadOnlyAdmin(admin.ModelAdmin):
    """Staff look; nothing is added or edited by hand."""

    actions: Any = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_max_show_all = 0
    list_per_page = 50
    view_on_site = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# --- Signatures --------------------------------------------------------------------------------------------


def in_state(signatures: QuerySet[Signature], state: str) -> QuerySet[Signature]:
    """The same rules as `Signature.state`, as a query."""
    standing = Q(removed_at=None, held_at=None)
    conditions = {
        "removed": Q(removed_at__isnull=False),
        "held": Q(removed_at=None, held_at__isnull=False),
        "confirmed": standing & Q(confirmed_at__isnull=False),
        "accepted": standing & Q(confirmed_at=None, accepted_at__isnull=False),
        "pending": standing & Q(accepted_at=None),
    }
    return signatures.filter(conditions[state])


class OfCampaign(admin.SimpleListFilter):
    title = "campaign"
    parameter_name = "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(Campaign.objects.values_list("pk", "title")[:100])

    def queryset(self, request: HttpRequest, signatures: QuerySet[Signature]) -> QuerySet[Signature]:
        if self.value() is None:
            return signatures
        petitions = Petition.objects.filter(letter__campaign=number(self.value()))
        return signatures.filter(petition__in=list(petitions.values_list("pk", flat=True)))


class OfPetition(admin.SimpleListFilter):
    """The petitions of the chosen campaign. Of a very large one they are found by searching for the place."""

    title = "petition"
    parameter_name = "petition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        campaign, chosen = number(request.GET.get("campaign")), number(request.GET.get("petition"))
        petitions = Petition.objects.filter(Q(letter__campaign=campaign) | Q(pk=chosen))
        listed = petitions.select_related("letter", "target").order_by("pk")[:MOST_PETITIONS_LISTED]
        return [(petition.pk, str(petition)) for petition in listed]

    def queryset(self, request: HttpRequest, signatures: QuerySet[Signature]) -> QuerySet[Signature]:
        return signatures if self.value() is None else signatures.filter(petition=number(self.value()))


class InState(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, signatures: QuerySet[Signature]) -> QuerySet[Signature]:
        state = self.value()
        return in_state(signatures, state) if state in STATES else signatures


class DecisionForm(forms.Form):
    """Why staff decide something about a signature."""

    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="Kept in the audit log, which publishers read too: leave names and addresses out.",
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if "@" in reason:
            raise ValidationError(
                "Leave e-mail addresses out: publishers, who may not see them, read the audit log too."
            )
        return reason


class RemovalForm(DecisionForm):
    block = forms.BooleanField(
        label="Also block this address",
        required=False,
        help_text="It cannot sign any petition again and gets no more mail.",
    )


DECISIONS: dict[str, tuple[str, str, type[DecisionForm], Callable[..., bool]]] = {
    "remove": (
        "Remove",
        "The signature no longer counts. It stays on record and can be restored.",
        RemovalForm,
        removing.remove,
    ),
    "restore": (
        "Restore",
        "The signature counts again, if it counted before.",
        DecisionForm,
        removing.restore,
    ),
    "release": (
        "Release",
        "The signature goes on as if it had just come in: its signer is asked to confirm it by e-mail.",
        DecisionForm,
        removing.release,
    ),
}


def decisions_for(signature: Signature) -> list[str]:
    if signature.removed_at:
        return ["restore"] if signature.removal == Signature.Removal.STAFF else []
    return ["release", "remove"] if signature.held_at else ["remove"]


@admin.register(Signature)
class SignatureAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "petition", "place", "state", "signed_at")
    list_filter = (OfCampaign, OfPetition, InState)
    list_select_related = ("petition__letter", "petition__target__place")
    # What is searched is in `signers.searching`; this only makes the search box appear.
    search_fields = ("last_name",)
    search_help_text = "The beginning of a name, an e-mail address, a place or a postal code"
    change_list_template = "admin/signers/signature/change_list.html"
    change_form_template = "admin/signers/signature/change_form.html"
    fields = (
        "name", "email", "supporter", "petition", "version", "state", "signed_at", "confirmed_at", "accepted_at",
        "held_at", "removed_at", "removal", "postal_code", "country", "is_local", "comment", "updates", "wording",
        "odd",
    )  # fmt: skip
    readonly_fields = fields

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Newest first, by the index that serves the list that is shown."""
        return ("-signed_at",) if request.GET.get("petition") else ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Signature], search_term: str
    ) -> tuple[QuerySet[Signature], bool]:
        return queryset.filter(signatures_matching(search_term)), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Signature]:
        return super().get_queryset(request).defer("petition__letter__body", "petition__local")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "may_export": request.user.has_perm("signers.export_signature"),
            "most": BoundedPaginator.MOST,
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        signature: Signature | None = kwargs.get("obj")
        if signature is not None and request.user.has_perm("signers.remove_signature"):
            context["decisions"] = [
                (reverse(f"admin:signers_signature_{verb}", args=[signature.pk]), DECISIONS[verb][0])
                for verb in decisions_for(signature)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="name")
    def name(self, signature: Signature) -> SafeString | str:
        whole = f"{signature.first_name} {signature.last_name}".strip()
        return format_html("<bdi>{}</bdi>", whole) if whole else "(erased)"

    @admin.display(description="place")
    def place(self, signature: Signature) -> str:
        target = signature.petition.target
        return " · ".join(
            part for part in (str(target.place) if target else "", signature.postal_code) if part
        )

    @admin.display(description="state")
    def state(self, signature: Signature) -> SafeString:
        return format_html('<span class="state">{}</span>', STATES[signature.state])

    @admin.display(description="what looked odd")
    def odd(self, signature: Signature) -> str:
        return ", ".join(map(str, signature.evidence)) if isinstance(signature.evidence, list) else ""

    # --- More pages ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        own = [path("export/", guarded(self.export_view), name="signers_signature_export")]
        for verb in DECISIONS:
            view = guarded(self.decision_view(verb))
            own.append(path(f"<int:pk>/{verb}/", view, name=f"signers_signature_{verb}"))
        return own + super().get_urls()

    def decision_view(self, verb: str) -> Callable[[HttpRequest, int], HttpResponse]:
        return lambda request, pk: self.decide(request, pk, verb)

    def decide(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Asks for the reason, then does it; pressing the button twice does it once."""
        if not request.user.has_perm("signers.remove_signature"):
            raise PermissionDenied
        signature = get_object_or_404(
            Signature.objects.select_related("petition__letter", "petition__target"), pk=pk
        )
        title, explanation, form_class, act = DECISIONS[verb]
        form = form_class(request.POST or None)
        back = reverse("admin:signers_signature_change", args=[pk])
        if request.method == "POST" and form.is_valid():
            try:
                changed = act(signature=signature, actor=request.user, at=timezone.now(), **form.cleaned_data)
            except removing.CannotBeDone as problem:
                messages.error(request, str(problem))
            else:
                self.say(request, verb, changed)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{title} a signature",
            "opts": self.opts,
            "signature": signature,
            "explanation": explanation,
            "form": form,
            "button": title,
            "back_url": back,
        }
        status = 422 if request.method == "POST" else 200
        return TemplateResponse(request, "admin/signers/signature/decision.html", context, status=status)

    def say(self, request: HttpRequest, verb: str, changed: bool) -> None:
        if changed:
            messages.success(request, f"The signature is {verb}d.")
        else:
            messages.info(
                request, f"Nothing to do: the signature was {verb}d already, or there was nothing to {verb}."
            )

    def export_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The list as it is filtered, as CSV. Only a POST: it is recorded."""
        if not request.user.has_perm("signers.export_signature"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:signers_signature_changelist"))
        now = timezone.now()
        signatures, filters, campaign, petition = self.chosen(request)
        blocks = exporting.begin(
            signatures=signatures,
            actor=request.user,  # type: ignore[arg-type]
            at=now,
            subject=petition or campaign or request.user,  # type: ignore[arg-type]
            filters=filters,
        )
        response = StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8")
        name = exporting.filename(campaign=campaign, petition=petition, at=now)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def chosen(
        self, request: HttpRequest
    ) -> tuple[QuerySet[Signature], str, Campaign | None, Petition | None]:
        """The filters the form sent along, as a query and as words for the audit log, which names nobody."""
        sent = request.POST
        signatures: QuerySet[Signature] = Signature.objects.all()
        words: list[str] = []
        campaign = Campaign.objects.filter(pk=number(sent.get("campaign"))).first()
        petition = Petition.objects.filter(pk=number(sent.get("petition"))).first()
        if sent.get("campaign"):
            signatures = (
                signatures.filter(petition__letter__campaign=campaign) if campaign else signatures.none()
            )
        if sent.get("petition"):
            signatures = signatures.filter(petition=petition) if petition else signatures.none()
        if sent.get("state") in STATES:
            signatures = in_state(signatures, sent["state"])
            words.append(f"state {sent['state']}")
        if sent.get("q"):
            signatures = signatures.filter(signatures_matching(sent["q"]))
            words.append("a search")
        return signatures, ", ".join(words), campaign, petition


# --- Supporters --------------------------------------------------------------------------------------------


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False
    max_num = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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


@admin.register(Supporter)
class SupporterAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "created_at", "confirmed_at", "blocked_at")
    ordering = ("-id",)
    search_fields = ("last_name",)
    search_help_text = "The beginning of a name, or an e-mail address"
    fields = ("first_name", "last_name", "email", "created_at", "confirmed_at", "blocked_at")
    readonly_fields = fields
    inlines = (SignaturesOfSupporter, ConsentsOfSupporter)
    change_form_template = "admin/signers/supporter/change_form.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Supporter], search_term: str
    ) -> tuple[QuerySet[Supporter], bool]:
        return queryset.filter(supporters_matching(search_term)), False

    @admin.display(description="name")
    def name(self, supporter: Supporter) -> SafeString | str:
        whole = f"{supporter.first_name} {supporter.last_name}".strip()
        return format_html("<bdi>{}</bdi>", whole) if whole else f"Supporter {supporter.pk}"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<int:pk>/unblock/",
                self.admin_site.admin_view(self.unblock_view),
                name="signers_supporter_unblock",
            )
        ]
        return own + super().get_urls()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        supporter: Supporter | None = kwargs.get("obj")
        context["may_unblock"] = (
            supporter is not None
            and supporter.blocked_at
            and request.user.has_perm("signers.remove_signature")
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def unblock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("signers.remove_signature"):
            raise PermissionDenied
        supporter = get_object_or_404(Supporter, pk=pk)
        form = DecisionForm(request.POST or None)
        back = reverse("admin:signers_supporter_change", args=[pk])
        if request.method == "POST" and form.is_valid():
            at, reason = timezone.now(), form.cleaned_data["reason"]
            if removing.unblock(supporter=supporter, actor=request.user, at=at, reason=reason):  # type: ignore[arg-type]
                messages.success(request, "This address may sign and get mail again.")
            else:
                messages.info(request, "This address was not blocked.")
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Unblock an address",
            "opts": self.opts,
            "explanation": "The address may sign petitions and get mail again. Removed signatures stay removed.",
            "form": form,
            "button": "Unblock",
            "back_url": back,
        }
        status = 422 if request.method == "POST" else 200
        return TemplateResponse(request, "admin/signers/signature/decision.html", context, status=status)


# --- What waits for staff ----------------------------------------------------------------------------------


class IsParked(admin.SimpleListFilter):
    title = "whether set aside"
    parameter_name = "parked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Set aside"), ("no", "On its way")]

    def queryset(self, request: HttpRequest, submissions: QuerySet[Submission]) -> QuerySet[Submission]:
        if self.value() in ("yes", "no"):
            return submissions.filter(parked_at__isnull=self.value() == "no")
        return submissions


@admin.register(Submission)
class SubmissionAdmin(RecordedAdmin, ReadOnlyAdmin):
    """What was typed and could not become a signature, with the reason; staff may delete it."""

    list_display = ("received_at", "name", "email", "petition_id", "parked_reason")
    list_filter = (IsParked,)
    ordering = ("-id",)
    fields = (
        "received_at", "first_name", "last_name", "email", "postal_code", "country", "comment", "updates",
        "petition_id", "evidence", "parked_at", "parked_reason",
    )  # fmt: skip
    readonly_fields = fields
    actions = ()

    def has_delete_permission(self, request: HttpRequest, obj: Submission | None = None) -> bool:
        """What is on its way is the worker's; only what was set aside can be deleted."""
        return request.user.has_perm("signers.delete_submission") and (
            obj is None or obj.parked_at is not None
        )

    @admin.display(description="name")
    def name(self, submission: Submission) -> SafeString:
        return format_html("<bdi>{} {}</bdi>", submission.first_name, submission.last_name)


class MailState(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    CONDITIONS: ClassVar = {
        "waiting": Q(handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None),
        "in doubt": Q(handed_over_at__isnull=False, sent_at=None, failed_at=None, dropped_at=None),
        "failed": Q(failed_at__isnull=False, sent_at=None, dropped_at=None),
        "sent": Q(sent_at__isnull=False),
        "dropped": Q(dropped_at__isnull=False, sent_at=None),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.capitalize()) for name in self.CONDITIONS]

    def queryset(self, request: HttpRequest, mails: QuerySet[OutgoingMail]) -> QuerySet[OutgoingMail]:
        condition = self.CONDITIONS.get(self.value() or "")
        return mails if condition is None else mails.filter(condition)


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "message", "to", "mail_state", "attempts", "last_error")
    list_filter = (MailState, "message")
    ordering = ("-id",)
    fields = (
        "message", "to", "signature", "mail_state", "created_at", "due_at", "attempts", "last_error", "handed_over_at",
        "sent_at", "failed_at", "dropped_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("send_again",)

    @admin.display(description="state")
    def mail_state(self, mail: OutgoingMail) -> str:
        return (
            "Sent again or no longer wanted"
            if mail.dropped_at and not mail.sent_at
            else mail.state.capitalize()
        )

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("signers.resend_outgoingmail")

    @admin.action(permissions=["resend"], description="Send again (in doubt or failed)")
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> None:
        done, refused = 0, set()
        for mail in queryset[:500]:
            try:
                resend(mail=mail, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
                done += 1
            except CannotResend as problem:
                refused.add(str(problem))
        if done:
            messages.success(request, f"{done} mail{'s' if done > 1 else ''} on the way again.")
        for text in sorted(refused):
            messages.warning(request, f"Not sent again: {text}")


# --- The confirmation mail in the preview ------------------------------------------------------------------


def preview_html(request: HttpRequest, petition: Petition, version: Version) -> HttpResponse:
    """The mail as HTML.

    Mail programs want style attributes, which our policy refuses; for the preview they become a style sheet that the
    policy allows by its hash.
    """
    message = confirm_mail_preview(petition=petition, version=version, at=timezone.now())
    html = with_style_sheet(str(message.alternatives[0][0]))
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()}'"
        for sheet in re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    ]
    return csp_update({"style-src": hashes})(lambda: HttpResponse(html))()


def with_style_sheet(html: str) -> str:
    """The same page with each style attribute moved into a rule of a style sheet in its head."""
    rules: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        return f' data-style="{rules.setdefault(unescape(match.group(1)), len(rules))}"'

    html = re.sub(r'\sstyle="([^"]*)"', numbered, html)
    sheet = "".join(f'[data-style="{number}"]{{{rule}}}' for rule, number in rules.items())
    # Before the mail's own sheet, which may overrule it.
    return re.sub(r"<head[^>]*>", lambda match: f"{match.group()}<style>{sheet}</style>", html, count=1)


def preview_text(request: HttpRequest, petition: Petition, version: Version) -> HttpResponse:
    message = confirm_mail_preview(petition=petition, version=version, at=timezone.now())
    headers = f"From: {message.from_email}\nSubject: {message.subject}\n\n"
    return HttpResponse(headers + str(message.body), content_type="text/plain; charset=utf-8")


PARTS["mail"] = ("Confirmation mail", preview_html)
PARTS["mail-text"] = ("Confirmation mail, text only", preview_text)
