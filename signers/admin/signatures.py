"""Signatures in the admin: found, exported, removed, restored and released."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.models import Campaign
from petitions.admin.petition_filters import number
from petitions.models import Petition
from signers import exporting, removing
from signers.admin.decisions import DECISIONS, decisions_for
from signers.admin.read_only import ReadOnlyAdmin
from signers.admin.signature_filters import STATES, InState, OfCampaign, OfPetition, in_state
from signers.models import Signature
from signers.searching import MOST_FOUND, signatures_matching, some_signatures


@admin.register(Signature)
class SignatureAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "petition", "place", "state", "signed_at")
    list_filter = (OfCampaign, OfPetition, InState)
    list_select_related = ("petition__letter", "petition__target__place")
    # What is searched is in `signers.searching`; this only makes the search box appear.
    search_fields = ("last_name",)
    most_found = MOST_FOUND
    search_help_text = "The beginning of a name, an e-mail address, a place or a postal code"
    change_list_template = "admin/signers/signature/change_list.html"
    change_form_template = "admin/signers/signature/change_form.html"
    fields = (
        "name", "email", "supporter", "petition", "version", "state", "signed_at", "confirmed_at", "accepted_at",
        "held_at", "removed_at", "removal", "hidden_at", "postal_code", "country", "is_local", "comment", "updates",
        "wording", "odd",
    )  # fmt: skip
    readonly_fields = fields

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Newest first, by the index that serves the list that is shown."""
        return ("-signed_at",) if request.GET.get("petition") else ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Signature], search_term: str
    ) -> tuple[QuerySet[Signature], bool]:
        return some_signatures(queryset, search_term), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Signature]:
        return super().get_queryset(request).defer("petition__letter__body", "petition__local")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"may_export": request.user.has_perm("signers.export_signature")}
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
        return signature.oddness

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
