"""The sign form as the petition page composes it."""

from typing import Any

from django import template
from django.utils import timezone

from petitions.pages import PetitionPage
from signers.forms import SignForm

register = template.Library()


@register.simple_tag(takes_context=True)
def sign_form(context: dict[str, Any], page: PetitionPage) -> SignForm | None:
    """The form with what was typed (422), an empty one, or None where the petition takes no signatures."""
    if page.state != "open" and not page.preview:
        return None
    return context.get("form") or SignForm(page=page, at=timezone.now())
