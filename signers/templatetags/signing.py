"""The sign form as the petition page composes it."""

from typing import Any

from django import template
from django.utils import timezone

from petitions.pages import PetitionPage
from signers.forms import SignForm
from staff import site_state
from staff.site_state import Notice

register = template.Library()


@register.simple_tag(takes_context=True)
def sign_form(context: dict[str, Any], page: PetitionPage) -> SignForm | None:
    """The form with what was typed (422), an empty one, or None where the petition takes no signatures."""
    if (page.state != "open" and not page.preview) or signing_paused(page):
        return None
    return context.get("form") or SignForm(page=page, at=timezone.now())


@register.simple_tag
def signing_paused(page: PetitionPage) -> Notice | None:
    """What staff say about it, while the site takes no signatures and the petition would."""
    if page.state != "open" or page.preview:
        return None
    now = site_state.notice()
    return None if now.state.takes_signatures else now
