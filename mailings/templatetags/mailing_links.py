"""The ways that lead from campaigns and petitions to a mailing, for the pages of lower apps."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse

from campaigns.models import Campaign
from petitions.models import Kind, Petition, Stand

register = template.Library()
ADD = "mailings.add_mailing"


@register.inclusion_tag("admin/mailings/mailing/_tools.html", takes_context=True)
def write_to_supporters(context: dict[str, Any], campaign: Campaign) -> dict[str, Any]:
    """Buttons of a campaign: writing a mailing, and those it has. No query."""
    tools = []
    if may_add(context["request"]):
        tools.append(("Write to supporters", f"{reverse('admin:mailings_mailing_add')}?of={campaign.pk}"))
    if context["request"].user.has_perm("mailings.view_mailing"):
        listed = reverse("admin:mailings_mailing_changelist")
        tools.append(("Mailings", f"{listed}?campaign={campaign.pk}"))
    return {"tools": tools}


@register.inclusion_tag("admin/mailings/mailing/_letters.html", takes_context=True)
def mail_this_letter(context: dict[str, Any], campaign: Campaign | None) -> dict[str, Any]:
    """A link for each letter that is saved. One query."""
    if campaign is None or not campaign.pk or not may_add(context["request"]):
        return {"letters": []}
    return {"letters": campaign.letters.defer("body")}


@register.inclusion_tag("admin/mailings/mailing/_tools.html", takes_context=True)
def ask_for_thanks(context: dict[str, Any], petition: Petition) -> dict[str, Any]:
    """The button of a petition that was won by a stand. One query."""
    if not may_add(context["request"]):
        return {"tools": []}
    stand = Stand.objects.standing().filter(left=petition, kind=Kind.THANK_YOU).first()
    return {"tools": [stand_tool(stand)] if stand else []}


@register.inclusion_tag("admin/mailings/mailing/_after_stand.html", takes_context=True)
def ask_for_thanks_after(context: dict[str, Any], stand: Stand) -> dict[str, Any]:
    """The link of a stand in a list of them. No query."""
    stands = stand.kind == Kind.THANK_YOU and stand.undone_at is None and stand.superseded_at is None
    asked = stands and may_add(context["request"])
    return {"tool": stand_tool(stand) if asked else None}


def stand_tool(stand: Stand) -> tuple[str, str]:
    url = reverse("admin:mailings_mailing_after_a_stand", args=[stand.pk])
    return "Ask its signers for their thanks", url


def may_add(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(ADD))
