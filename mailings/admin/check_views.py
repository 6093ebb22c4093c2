"""The check list of a mailing: what keeps it from leaving, and what is worth a look."""

from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from mailings.admin.pages import page
from mailings.admin.steps import Standing, page_url
from mailings.audience import audience_of
from mailings.checking import check, label, size_jump
from mailings.models import Mailing
from petitions.checking import FieldProblem


@dataclass(frozen=True)
class Told:
    """A problem as the list shows it: where, with the address of its field, and what."""

    where: str
    url: str
    message: str


def check_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> HttpResponse:
    now = timezone.now()
    audience = audience_of(mailing, at=now)
    found = check(mailing, at=now, audience=audience)
    people = mailing.people if mailing.people is not None else audience.size()
    warnings = [*size_jump(mailing, people), *found.warnings]
    return page(
        model_admin,
        request,
        mailing,
        "check",
        title="Check",
        standing=Standing(errors=len(found.errors), people=people),
        context={
            "errors": [told(problem, mailing) for problem in found.errors],
            "warnings": [told(problem, mailing) for problem in warnings],
            "people": people,
        },
    )


def told(problem: FieldProblem, mailing: Mailing) -> Told:
    if not problem.field:
        organization = reverse("admin:campaigns_organization_change", args=[mailing.campaign.organization_id])
        return Told("Organization", organization, problem.message)
    where = label(problem.field)
    return Told(
        where[:1].upper() + where[1:], f"{page_url(mailing, 'write')}#id_{problem.field}", problem.message
    )
