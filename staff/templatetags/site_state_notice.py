"""The state of the site on the pages of the admin: what is switched off, and where to switch it back."""

from typing import Any

from django import template

from staff import site_state
from staff.site_state import State
from staff.switching_off import MAY_SWITCH

register = template.Library()


@register.inclusion_tag("admin/site_state_notice.html", takes_context=True)
def site_state_notice(context: dict[str, Any], *, always: bool = False) -> dict[str, Any]:
    """Says what is switched off. `always`: also a link where nothing is, for those who may switch. No query."""
    user = getattr(context.get("request"), "user", None)
    now = site_state.notice()
    return {
        "now": now,
        "off": now.state is not State.FULL,
        "always": always,
        "may_switch": user is not None and user.is_active and user.has_perm(MAY_SWITCH),
    }
