"""Changing the kind of chosen petitions: a page that says what becomes of each, and does it on a POST."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from petitions.admin.publishing_views import LISTED, back_query, back_to, keys_in_short, keys_of
from petitions.admin.steps import counted
from petitions.changing_kind import CannotChangeKind, KindReview, change_kind, review_kind
from petitions.models import Kind, Petition


def kind_view(
    model_admin: Any, request: HttpRequest, kind: str = "", *, chosen: list[int] | None = None
) -> HttpResponse:
    """Shows which of the petitions would get the other letter, and why the rest would not; all of those or none."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    sent = kind or request.POST.get("kind", "")
    wanted = Kind(sent) if sent in Kind.values else Kind.THANK_YOU
    meant = Petition.objects.filter(pk__in=chosen if chosen is not None else keys_of(request))
    petitions = list(meant.select_related("letter__campaign", "target__place").defer("letter__body"))
    found = review_kind(petitions, kind=wanted)
    confirmed = request.method == "POST" and "_confirmed" in request.POST
    if confirmed and found.changing:
        try:
            changed = change_kind(
                petitions=found.changing,
                kind=wanted,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except CannotChangeKind as problem:
            messages.error(request, f"Nothing was changed. {problem}")
            found = review_kind(petitions, kind=wanted)
        else:
            messages.success(request, f"{counted(changed, 'petition')} changed to {wanted.label.lower()}.")
            return HttpResponseRedirect(back_to(found.changing, request))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Change to {wanted.label.lower()}",
        "opts": Petition._meta,
        "kind": wanted,
        "action_url": reverse("admin:petitions_petition_change-kind"),
        "back_url": back_to(petitions, request),
        "back": back_query(request),
        "may_publish": request.user.has_perm("petitions.publish_petition"),
        **shown(found),
    }
    return TemplateResponse(
        request, "admin/petitions/petition/kind.html", context, status=422 if confirmed else 200
    )


def shown(found: KindReview) -> dict[str, Any]:
    return {
        "review": found,
        "keys": keys_in_short(found.changing),
        "listed": found.changing[:LISTED],
        "more": max(0, len(found.changing) - LISTED),
        "published_keys": keys_in_short(found.published),
        "published_listed": found.published[:LISTED],
        "published_more": max(0, len(found.published) - LISTED),
        "refused_listed": found.refused[:LISTED],
        "refused_more": max(0, len(found.refused) - LISTED),
    }
