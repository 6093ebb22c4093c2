"""Clusters in the admin: what came in together, what would be changed, and doing and undoing it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from fraud import applying
from fraud.admin.forms import BatchForm, ReleaseForm
from fraud.models import Batch, Burst, Kind
from petitions.models import Petition
from signers.admin.decisions import DecisionForm
from signers.admin.read_only import ReadOnlyAdmin
from signers.models import Signature
from signers.removing import CannotBeDone

SAMPLE, LARGE_SAMPLE = 10, 20
MOST_PETITIONS = 5
EXPLANATIONS = {
    Batch.Act.REMOVE: "They no longer count, and are refused when they sign again. They stay on record.",
    Batch.Act.HOLD: "They are set aside: they do not count and get no mail until you decide.",
    Batch.Act.RELEASE: (
        "They go on as if they had just come in: who has not confirmed is asked to by e-mail, and what counted before "
        "counts again. No cluster holds them again."
    ),
}


@admin.register(Burst)
class BurstAdmin(ReadOnlyAdmin):
    list_display = (
        "what",
        "found_by",
        "signatures",
        "held",
        "counted",
        "under",
        "first_at",
        "last_at",
        "state",
    )
    list_filter = ("kind",)
    ordering = ("-id",)
    change_list_template = "admin/fraud/burst/change_list.html"
    change_form_template = "admin/fraud/burst/change_form.html"
    fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Burst]:
        standing = Q(members__signature__removed_at=None)
        held = Q(members__signature__held_at__isnull=False)
        return (
            super()
            .get_queryset(request)
            .annotate(
                size=Count("members"),
                size_held=Count("members", filter=standing & held),
                size_counted=Count(
                    "members", filter=standing & ~held & Q(members__signature__accepted_at__isnull=False)
                ),
                size_petitions=Count("members__signature__petition", distinct=True),
                a_petition=Min("members__signature__petition__slug"),
            )
        )

    @admin.display(description="cluster")
    def what(self, burst: Burst) -> str:
        return burst.label or f"Cluster {burst.pk}"

    @admin.display(description="found by", ordering="kind")
    def found_by(self, burst: Burst) -> str:
        return str(Kind(burst.kind).label)

    @admin.display(description="signatures", ordering="size")
    def signatures(self, burst: Any) -> str:
        return f"{burst.size:,}"

    @admin.display(description="held")
    def held(self, burst: Any) -> str:
        return f"{burst.size_held:,}"

    @admin.display(description="counted")
    def counted(self, burst: Any) -> str:
        return f"{burst.size_counted:,}"

    @admin.display(description="petition")
    def under(self, burst: Any) -> str:
        return burst.a_petition or "" if burst.size_petitions < 2 else f"{burst.size_petitions} petitions"

    @admin.display(description="state")
    def state(self, burst: Burst) -> str:
        if burst.dismissed_at:
            return "People, as staff found"
        return "Over" if burst.ended_at else "Going on"

    # --- Pages -----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:pk>/do/<slug:act>/", guarded(self.act_view), name="fraud_burst_act"),
            path("<int:pk>/undo/<int:batch>/", guarded(self.undo_view), name="fraud_burst_undo"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        burst: Burst | None = kwargs.get("obj")
        if burst is not None:
            may_see = request.user.has_perm("signers.view_signature")
            context |= {
                "title": str(Kind(burst.kind).label),
                "subtitle": self.what(burst),
                "burst": burst,
                "burst_state": self.state(burst),
                "numbers": applying.numbers_of(Signature.objects.filter(bursts__burst=burst)),
                "removed": Signature.objects.filter(bursts__burst=burst, removed_at__isnull=False).count(),
                "petitions": petitions_of(burst),
                "sample": sample(Signature.objects.filter(bursts__burst=burst), SAMPLE) if may_see else [],
                "acts": acts(burst) if request.user.has_perm("signers.remove_signature") else [],
                "batches": [shown(batch) for batch in burst.batches.select_related("actor")],
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def act_view(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """What would change, exactly; then, with a reason, the worker does it."""
        burst = self.decidable(request, pk)
        if act not in Batch.Act.values:
            raise Http404
        with_confirmed = (request.POST or request.GET).get("with_confirmed") in {"on", "True"}
        preview = applying.preview(burst=burst, act=act, with_confirmed=with_confirmed)
        form_class = ReleaseForm if act == Batch.Act.RELEASE else BatchForm
        form = form_class(
            request.POST or None,
            initial={"seen": preview.changed, "with_confirmed": with_confirmed, "dismiss": True},
        )
        if request.method == "POST" and form.is_valid():
            try:
                actor: Any = request.user
                applying.ask(burst=burst, act=act, actor=actor, at=timezone.now(), **form.cleaned_data)
            except CannotBeDone as problem:
                messages.error(request, str(problem))
                return HttpResponseRedirect(request.get_full_path())
            messages.success(request, "The worker is at it. This page shows how far it is.")
            return HttpResponseRedirect(reverse("admin:fraud_burst_change", args=[pk]))
        rows = applying.signatures_of(burst, through=preview.through)
        context = {
            "title": f"{Batch.Act(act).label} a cluster",
            "preview": preview,
            "act": act,
            "with_confirmed": with_confirmed,
            "explanation": EXPLANATIONS[Batch.Act(act)],
            "sample": sample(rows.filter(applying.fits(act, with_confirmed)), LARGE_SAMPLE),
            "button": f"{Batch.Act(act).label} {preview.changed:,}",
        }
        return self.page(request, burst, form, "admin/fraud/burst/act.html", context)

    def undo_view(self, request: HttpRequest, pk: int, batch: int) -> HttpResponse:
        burst = self.decidable(request, pk)
        done = get_object_or_404(Batch, pk=batch, burst=burst)
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                applying.ask_undo(batch=done, actor=request.user, at=timezone.now(), **form.cleaned_data)  # type: ignore[arg-type]
            except CannotBeDone as problem:
                messages.error(request, str(problem))
            else:
                messages.success(request, "The worker is at it. This page shows how far it is.")
            return HttpResponseRedirect(reverse("admin:fraud_burst_change", args=[pk]))
        context = {
            "title": "Undo what was done with a cluster",
            "batch": shown(done),
            "button": "Undo",
        }
        return self.page(request, burst, form, "admin/fraud/burst/undo.html", context)

    def decidable(self, request: HttpRequest, pk: int) -> Burst:
        if not request.user.has_perm("signers.remove_signature"):
            raise PermissionDenied
        return get_object_or_404(Burst, pk=pk)

    def page(
        self, request: HttpRequest, burst: Burst, form: Any, template: str, context: dict[str, Any]
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "burst": burst,
            "what": self.what(burst),
            "form": form,
            "back_url": reverse("admin:fraud_burst_change", args=[burst.pk]),
            **context,
        }
        return TemplateResponse(request, template, context, status=422 if request.method == "POST" else 200)


def acts(burst: Burst) -> list[tuple[str, str]]:
    """Address and label of what can be done, as long as nothing is being done."""
    return [
        (reverse("admin:fraud_burst_act", args=[burst.pk, act]), f"{Batch.Act(act).label} …")
        for act in (Batch.Act.RELEASE, Batch.Act.HOLD, Batch.Act.REMOVE)
    ]


def sample(rows: QuerySet[Signature], number: int) -> list[Signature]:
    """The first and the last of them."""
    related = rows.select_related("petition__letter", "petition__target__place").defer(
        "petition__letter__body"
    )
    half = number // 2
    first = list(related.order_by("pk")[:half])
    last = list(related.filter(pk__gt=first[-1].pk).order_by("-pk")[: number - half]) if first else []
    return first + last[::-1]


def petitions_of(burst: Burst) -> list[tuple[str, int]]:
    """The petitions they are under, most signed first, with numbers."""
    numbers = (
        Signature.objects.filter(bursts__burst=burst)
        .order_by()
        .values_list("petition")
        .annotate(number=Count("pk"))
        .order_by("-number")[:MOST_PETITIONS]
    )
    found = dict(numbers)
    petitions = Petition.objects.select_related("letter", "target").in_bulk(list(found))
    return [(str(petitions[pk]), number) for pk, number in found.items()]


def shown(batch: Batch) -> dict[str, Any]:
    """A batch with how far it is."""
    changes = batch.changes.aggregate(
        changed=Count("pk"),
        undone=Count("pk", filter=Q(undone_at__isnull=False)),
        left=Count("pk", filter=Q(left_at__isnull=False)),
    )
    left = batch.changes.filter(left_at__isnull=False).order_by("pk")[:100]
    return {
        "batch": batch,
        "is_undoable": batch.finished_at is not None and batch.undo_asked_at is None,
        "signatures_left": [change.signature_id for change in left],
        **changes,
    }
