"""A petition as it will look, from the saved texts and without storing a version."""

import re
from collections.abc import Callable
from dataclasses import asdict

from csp.constants import SELF
from csp.decorators import csp_replace, csp_update
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin

from petitions import checking
from petitions.models import Letter, Petition, Version
from petitions.pages import PetitionPage
from petitions.progress import progress_of
from petitions.rendering import CompiledLetter, library, render
from petitions.views import petition_context

# Parts that upper apps add, such as the confirmation mail: name to (label, view of a petition with its version).
Part = Callable[[HttpRequest, Petition, Version], HttpResponse]
PARTS: dict[str, tuple[str, Part]] = {}


def problems_of(petition: Petition) -> list[str]:
    """What keeps the page from being shown right, each with its place. Two queries."""
    keys = [source.key for source in petition.campaign.sources.all()]
    found = [
        f"{petition.letter.get_kind_display()} letter, {checking.label(Letter, problem.field)}: {problem.message}"
        for problem in checking.letter_problems(petition.letter, keys=keys, petitions=[petition])
    ]
    return found + [
        f"{checking.label(Petition, problem.field).capitalize()}: {problem.message}"
        for problem in checking.petition_problems(petition, keys=keys)
    ]


def unsaved_version(petition: Petition) -> Version:
    """What publishing would store, not stored."""
    rendered = render(
        petition,
        compiled=CompiledLetter.of(petition.letter),
        sources=library(list(petition.campaign.sources.all())),
    )
    previous = petition.current_version
    return Version(
        petition=petition,
        number=previous.number if previous else 1,
        published_at=timezone.now(),
        digest=rendered.digest,
        **asdict(rendered),
    )


@csp_update({"frame-src": [SELF]})
def frame(model_admin: admin.ModelAdmin, request: HttpRequest, petition: Petition) -> HttpResponse:
    """The page around the preview: which part, and how wide."""
    problems = problems_of(petition)
    labels = {"page": "Web page", **{name: label for name, (label, _view) in PARTS.items()}}
    part_name = request.GET.get("part", "page")
    part_name = part_name if part_name in labels else "page"
    width = "phone" if request.GET.get("width") == "phone" else "desktop"
    others = Petition.objects.filter(letter__campaign=petition.campaign).select_related(
        "letter", "target__place"
    )
    context = {
        **model_admin.admin_site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "title": f"Preview: {petition.addressed_to}",
        "opts": Petition._meta,
        "petition": petition,
        "campaign": petition.campaign,
        "problems": problems,
        "labels": labels,
        "part": part_name,
        "part_label": labels[part_name],
        "width": width,
        "frame_url": reverse("admin:petitions_petition_preview_part", args=[petition.pk, part_name]),
        "others": [other for other in others[:50] if other.pk != petition.pk],
    }
    return TemplateResponse(request, "admin/petitions/petition/preview.html", context)


@xframe_options_sameorigin
@csp_replace({"frame-ancestors": [SELF]})
def part(request: HttpRequest, petition: Petition, name: str) -> HttpResponse:
    """One part of the preview, to be shown in a frame on our own pages only."""
    if name != "page" and name not in PARTS:
        raise Http404
    if problems_of(petition):
        return HttpResponse(status=422)
    version = unsaved_version(petition)
    response = PARTS[name][1](request, petition, version) if name in PARTS else page(petition, version)
    response["Cache-Control"] = "no-store"
    return response


def page(petition: Petition, version: Version) -> HttpResponse:
    shown = PetitionPage(petition, version, "open", progress_of(petition), preview=True)
    html = render_to_string("petitions/petition.html", petition_context(shown))
    # The frame runs none, and the browser would complain of each.
    return HttpResponse(re.sub(r"<script\b[^>]*>.*?</script>", "", html, flags=re.DOTALL))
