"""The mail that asks to confirm, as a part of a petition’s preview."""

import base64
import hashlib
import re
from html import unescape

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from petitions.admin.preview_views import PARTS
from petitions.models import Petition, Version
from signers.emails import confirm_mail_preview


def preview_html(request: HttpRequest, petition: Petition, version: Version) -> HttpResponse:
    message = confirm_mail_preview(petition=petition, version=version, at=timezone.now())
    return as_page(str(message.alternatives[0][0]))


def as_page(html: str) -> HttpResponse:
    """A mail's HTML as a page of ours.

    Mail programs want style attributes, which our policy refuses; for the preview they become a style sheet that the
    policy allows by its hash.
    """
    html = with_style_sheet(html)
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()}'"
        for sheet in re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    ]
    return csp_update({"style-src": hashes})(lambda: HttpResponse(html))()


def with_style_sheet(html: str) -> str:
    """The same page with each style attribute moved into a rule of a style sheet in its head."""
    rules: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        return f' data-style="{rules.setdefault(unescape(match.group(1)), len(rules))}"'

    html = re.sub(r'\sstyle="([^"]*)"', numbered, html)
    sheet = "".join(f'[data-style="{number}"]{{{rule}}}' for rule, number in rules.items())
    # Before the mail's own sheet, which may overrule it.
    return re.sub(r"<head[^>]*>", lambda match: f"{match.group()}<style>{sheet}</style>", html, count=1)


def preview_text(request: HttpRequest, petition: Petition, version: Version) -> HttpResponse:
    message = confirm_mail_preview(petition=petition, version=version, at=timezone.now())
    headers = f"From: {message.from_email}\nSubject: {message.subject}\n\n"
    return HttpResponse(headers + str(message.body), content_type="text/plain; charset=utf-8")


PARTS["mail"] = ("Confirmation mail", preview_html)


PARTS["mail-text"] = ("Confirmation mail, text only", preview_text)
