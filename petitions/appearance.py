"""How an organization's color and logo reach its pages: a style sheet and an image at lasting addresses."""

import hashlib
from dataclasses import dataclass

from django.urls import reverse

from campaigns.models import Organization
from toolkit.colors import on_color, readable

# The page backgrounds of static/css/tokens.css, against which the accent has to be readable.
LIGHT_BACKGROUND = "#ffffff"
DARK_BACKGROUND = "#14171a"
BUTTON_CONTRAST = 3.0


@dataclass(frozen=True)
class Logo:
    url: str
    width: int
    height: int


def accent_rules(accent: str) -> str:
    """CSS custom properties for an accent color, adjusted for both schemes so that text and buttons stay readable."""
    light, dark = (scheme(accent, background) for background in (LIGHT_BACKGROUND, DARK_BACKGROUND))
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def scheme(accent: str, background: str) -> str:
    button = readable(accent, background=background, minimum=BUTTON_CONTRAST)
    return f"--accent:{button};--on-accent:{on_color(button)};--accent-text:{readable(accent, background=background)}"


def accent_url(organization: Organization) -> str:
    """Where the organization's style sheet is, or "" where it has no color of its own."""
    if not organization.accent:
        return ""
    return reverse("accent", args=[organization.pk, accent_digest(organization.accent)])


def accent_digest(accent: str) -> str:
    return hashlib.sha256(accent_rules(accent).encode()).hexdigest()[:12]


def logo_of(organization: Organization) -> Logo | None:
    if not organization.logo_digest:
        return None
    url = reverse("logo", args=[organization.pk, organization.logo_digest])
    return Logo(url, organization.logo_width, organization.logo_height)
