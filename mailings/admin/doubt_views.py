"""Copies in doubt or failed, and what staff make of them: sent again, or left as they are."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from mailings.admin.pages import SEND, may, page
from mailings.admin.sending_views import counted_copies
from mailings.admin.steps import page_url
from mailings.figures import FAILED
from mailings.models import Mailing, Recipient
from mailings.sending import CannotResend, in_doubt, leave, resend
from mailings.staff_forms import key
from signers.admin.read_only import BoundedPaginator

A_PAGE = 50
LISTS = {"doubt": "In doubt", "failed": "Failed"}
DEEDS = {"again": (resend, "queued once more"), "leave": (leave, "left as they are")}


def doubt_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> HttpResponse:
    """A page of copies; a POST decides about those that were chosen."""
    shown = "failed" if request.GET.get("list") == "failed" else "doubt"
    if request.method == "POST":
        if not may(request, SEND):
            raise PermissionDenied
        decide(request, mailing)
        return HttpResponseRedirect(f"{page_url(mailing, 'doubt')}?list={shown}")
    paginator: Paginator[Recipient] = BoundedPaginator(copies(mailing, shown), A_PAGE)
    context = {
        "list": shown,
        "lists": [(f"?list={name}", label, name == shown) for name, label in LISTS.items()],
        "copies": paginator.get_page(request.GET.get("page", "")[:9]),
    }
    return page(model_admin, request, mailing, "doubt", title="In doubt and failed", context=context)


def copies(mailing: Mailing, shown: str) -> QuerySet[Recipient]:
    found = (
        Recipient.objects.filter(FAILED, mailing=mailing)
        if shown == "failed"
        else in_doubt(at=timezone.now()).filter(mailing=mailing)
    )
    return found.select_related("supporter").order_by("pk")


def decide(request: HttpRequest, mailing: Mailing) -> None:
    deed = DEEDS.get(request.POST.get("deed", ""))
    chosen = [number for typed in request.POST.getlist("copy")[:A_PAGE] if (number := key(typed))]
    if deed is None or not chosen:
        messages.warning(request, "Choose at least one copy, then press one of the buttons.")
        return
    act, outcome = deed
    done, refused = 0, set()
    for copy in Recipient.objects.filter(mailing=mailing, pk__in=chosen):
        try:
            act(recipient=copy, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
            done += 1
        except CannotResend as problem:
            refused.add(str(problem))
    if done:
        messages.success(request, f"{counted_copies(done)} {outcome}.")
    for text in sorted(refused):
        messages.warning(request, text)
