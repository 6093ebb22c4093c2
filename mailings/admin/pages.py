"""What the pages of one mailing have in common: who may see them, and what stands around each."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from mailings.admin.steps import STATES, Standing, steps_of
from mailings.models import Mailing

WRITE, SEND, APPROVE = (f"mailings.{verb}_mailing" for verb in ("change", "send", "approve"))
# Whoever lacks it sees numbers and invented readers, never who our supporters are.
SEES_PEOPLE = "signers.view_supporter"


def may(request: HttpRequest, permission: str) -> bool:
    return request.user.has_perm(permission)


def page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    mailing: Mailing,
    name: str,
    *,
    title: str,
    context: dict[str, Any],
    standing: Standing | None = None,
    status: int = 200,
) -> HttpResponse:
    """`admin/mailings/mailing/<name>.html`, under the steps of the mailing. Shown fresh each time."""
    now = timezone.now()
    response = TemplateResponse(
        request,
        f"admin/mailings/mailing/{name}.html",
        {
            **model_admin.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,
            "title": f"{title}: {mailing.title}",
            "heading": title,
            "opts": Mailing._meta,
            "mailing": mailing,
            "campaign": mailing.campaign,
            "state": mailing.state(now),
            "state_label": STATES[mailing.state(now)],
            "steps": steps_of(mailing, at=now, standing=standing),
            "step": name,
            "may_write": may(request, WRITE),
            "may_send": may(request, SEND),
            "may_approve": may(request, APPROVE),
            "sees_people": may(request, SEES_PEOPLE),
            **context,
        },
        status=status,
    )
    response["Cache-Control"] = "no-store"
    return response
