"""Taking a stand, and undoing it: pages that show what will happen, and do it on a POST; and the latest moves."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from petitions.admin import preview_views
from petitions.admin.petition_filters import number
from petitions.admin.publishing_views import LISTED, back_query, back_to, keys_in_short, keys_of
from petitions.admin.steps import counted
from petitions.closing import WrongState
from petitions.forms.stands import StandForm, UndoForm
from petitions.models import Kind, Petition, Stand
from petitions.publishing import NotPublishable, Problem
from petitions.taking_a_stand import Outlook, locked, outlook, slug_beside, take_stands, undo
from staff.models import User

LATEST = 100
NAMED = 5  # with their pages, in the message after a move
PERMISSION = "petitions.publish_petition"


def meant(keys: Iterable[int]) -> list[Petition]:
    return list(
        Petition.objects.filter(pk__in=list(keys)).select_related(
            "letter__campaign", "target__place", "tally", "current_version"
        )
    )


# --- Taking ----------------------------------------------------------------------------------------------------


def take_view(
    model_admin: admin.ModelAdmin, request: HttpRequest, *, chosen: list[int] | None = None
) -> HttpResponse:
    """Asks for day and reason, shows which petitions end and which open, and moves all targets or none."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    petitions = meant(chosen if chosen is not None else keys_of(request))
    confirmed = request.method == "POST" and "_confirmed" in request.POST
    form = StandForm(request.POST) if confirmed else StandForm()
    problems: list[Problem] = []
    if confirmed and form.is_valid():
        try:
            stands = take_stands(
                petitions=petitions,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
                **form.arguments(),
            )
        except WrongState as problem:
            messages.error(request, f"Nothing was changed. {problem}")
        except NotPublishable as error:
            problems = error.problems
        else:
            messages.success(request, what_happened(stands))
            return HttpResponseRedirect(back_to(petitions, request))
    return take_page(model_admin, request, petitions, form, problems, status=422 if confirmed else 200)


def take_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    petitions: list[Petition],
    form: StandForm,
    problems: list[Problem],
    *,
    status: int,
) -> HttpResponse:
    found = outlook(petitions)
    fitting = [item for item in found if not item.problem]
    left_out = [item for item in found if item.problem]
    kinds = {item.kind for item in fitting}
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title_of(fitting),
        "opts": Petition._meta,
        "mixed": len(kinds) > 1,
        "thanks": kinds == {Kind.THANK_YOU.value},
        "fitting": fitting,
        "listed": [shown(item, timezone.now()) for item in fitting[:LISTED]],
        "more": max(0, len(fitting) - LISTED),
        "left_out": left_out[:LISTED],
        "left_out_more": max(0, len(left_out) - LISTED),
        "keys": keys_in_short(item.left for item in fitting),
        "form": form,
        "problems": problems,
        "campaign": fitting[0].left.campaign if fitting else None,
        "back_url": back_to(petitions, request),
        "back": back_query(request),
    }
    return TemplateResponse(request, "admin/petitions/petition/take_a_stand.html", context, status=status)


def title_of(found: list[Outlook]) -> str:
    if len(found) != 1:
        return "Take a stand"
    addressee = found[0].left.addressed_to
    return f"{addressee} takes a stand" if found[0].kind == Kind.THANK_YOU else f"Ask {addressee} again"


def shown(item: Outlook, now: datetime) -> dict[str, object]:
    """A move as the page tells it beforehand: what ends and how, what opens and from where, and its preview."""
    joined = item.joined
    if joined is None:
        opens, preview = (
            "is made and opens",
            reverse("admin:petitions_petition_take-a-stand_page", args=[item.left.pk]),
        )
    else:
        opens = {"open": "is open already", "closed": "opens again", "won": "opens again"}.get(
            joined.state(now), "opens"
        )
        preview = reverse("admin:petitions_petition_preview", args=[joined.pk])
    return {"left": item.left, "joined": joined, "opens": opens, "preview": preview}


def page_to_be(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """How the page of the other side will look that is not made yet."""
    found = [item for item in outlook(meant([pk])) if not item.problem]
    if not found or found[0].letter is None:
        raise Http404
    left, letter = found[0].left, found[0].letter
    if not model_admin.has_view_permission(request, left):
        raise PermissionDenied
    to_be = found[0].joined or Petition(letter=letter, target=left.target, slug=slug_beside(left))
    if problems := preview_views.problems_of(to_be):
        context = {
            **model_admin.admin_site.each_context(request),
            "title": f"Preview: {to_be.addressed_to}",
            "opts": Petition._meta,
            "campaign": left.campaign,
            "problems": problems,
        }
        return TemplateResponse(request, "admin/petitions/petition/preview.html", context, status=422)
    response = preview_views.page(to_be, preview_views.unsaved_version(to_be))
    response["Cache-Control"] = "no-store"
    return response


def what_happened(stands: list[Stand]) -> SafeString:
    """With the way to the pages, and the way back."""
    undo_link = format_html(
        '<a href="{}?stands={}">Undo</a> (until {})',
        undo_url(),
        in_short(stands),
        moment(stands[0].undo_until),
    )
    if len(stands) > NAMED:
        return format_html("{} moved. {}.", counted(len(stands), "target"), undo_link)
    pages = format_html_join(
        " ",
        '{}: <a href="{}">{}</a>, <a href="{}">{}</a>.',
        (
            (
                stand.target,
                stand.left.get_absolute_url(),
                "won" if stand.kind == Kind.THANK_YOU else "closed",
                stand.joined.get_absolute_url(),
                "thank-you" if stand.kind == Kind.THANK_YOU else "demand",
            )
            for stand in stands
        ),
    )
    return format_html("{} moved. {} {}.", counted(len(stands), "target"), pages, undo_link)


# --- Undoing ---------------------------------------------------------------------------------------------------


def undo_view(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Shows what goes back, and takes the moves back on a POST: all of them or none."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    sent = request.POST if request.method == "POST" else request.GET
    keys = [number(key) for key in sent.get("stands", "").split("-")]
    stands = list(
        Stand.objects.filter(pk__in=keys).select_related(
            "target__place", "left__letter__campaign", "joined__letter", "campaign"
        )
    )
    if not stands:
        raise Http404
    now = timezone.now()
    confirmed = request.method == "POST" and "_confirmed" in request.POST
    form = UndoForm(request.POST) if confirmed else UndoForm()
    if confirmed and form.is_valid():
        try:
            kept = undo_all(stands, request, at=now, reason=form.cleaned_data["reason"])
        except WrongState as problem:
            messages.error(request, f"Nothing was changed. {problem}")
        else:
            messages.success(request, what_was_undone(stands, kept))
            return HttpResponseRedirect(back_to([stand.left for stand in stands], request))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Undo the move of {stands[0].target.title}" if len(stands) == 1 else "Undo moves",
        "opts": Petition._meta,
        "stands": stands,
        "undoable": all(stand.can_be_undone(now) for stand in stands),
        "until": moment(min(stand.undo_until for stand in stands)),
        "keys": in_short(stands),
        "form": form,
        "back_url": reverse("admin:petitions_petition_stands"),
    }
    return TemplateResponse(
        request, "admin/petitions/petition/undo_stand.html", context, status=422 if confirmed else 200
    )


@transaction.atomic
def undo_all(stands: list[Stand], request: HttpRequest, *, at: datetime, reason: str) -> int:
    actor: User = request.user  # type: ignore[assignment]
    # All at once and in one order, so that nobody waits in a circle.
    locked([petition for stand in stands for petition in (stand.left, stand.joined)])
    return sum([undo(stand=stand, actor=actor, at=at, reason=reason) for stand in stands])


def what_was_undone(stands: list[Stand], kept: int) -> str:
    done = f"{counted(len(stands), 'move')} undone: the petitions are as they were before."
    if not kept:
        return done
    stay = "stays" if kept == 1 else "stay"
    return f"{done} {counted(kept, 'signature')} given meanwhile {stay} stored."


# --- The latest ------------------------------------------------------------------------------------------------


def latest_view(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Who moved lately, of all campaigns, with the way back while there is one. One query."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    now = timezone.now()
    stands = (
        Stand.objects.select_related("target__place", "left__letter", "joined__letter", "campaign", "recorded_by")
        .order_by("-recorded_at", "-pk")
    )  # fmt: skip
    may_undo = request.user.has_perm(PERMISSION)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Who took a stand",
        "opts": Petition._meta,
        "latest": [
            {
                "stand": stand,
                "undo_url": f"{undo_url()}?stands={stand.pk}"
                if may_undo and stand.can_be_undone(now)
                else "",
                "until": moment(stand.undo_until),
            }
            for stand in stands[:LATEST]
        ],
    }
    return TemplateResponse(request, "admin/petitions/petition/stands.html", context)


def of_petition(petition: Petition, request: HttpRequest) -> dict[str, object]:
    """What the petition's own page says: where its target stands, the way back, and whether it can take a stand."""
    if petition.target_id is None:
        return {}
    may_publish = request.user.has_perm(PERMISSION)
    stand = (
        Stand.objects.standing().filter(target=petition.target_id).select_related("left", "joined").first()
    )
    ended_this = stand is not None and stand.left_id == petition.pk
    item = outlook([petition])[0] if may_publish and not ended_this else None
    return {
        "stand": stand,
        "stand_ended_this": ended_this,
        "stand_undo_url": f"{undo_url()}?stands={stand.pk}"
        if stand and may_publish and stand.can_be_undone(timezone.now())
        else "",
        "stand_undo_until": moment(stand.undo_until) if stand else "",
        "take_a_stand": ("Take a stand" if item.kind == Kind.THANK_YOU else "Ask again")
        if item and not item.problem
        else "",
    }


def undo_url() -> str:
    return reverse("admin:petitions_petition_stands-undo")


def in_short(stands: Iterable[Stand]) -> str:
    return "-".join(str(stand.pk) for stand in stands)


def moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "M j, H:i")


# Address, view and the last part of its name, under the list of petitions.
PAGES: tuple[tuple[str, Callable[..., HttpResponse], str], ...] = (
    ("take-a-stand/", take_view, "take-a-stand"),
    ("take-a-stand/<int:pk>/page/", page_to_be, "take-a-stand_page"),
    ("stands/", latest_view, "stands"),
    ("stands/undo/", undo_view, "stands-undo"),
)
