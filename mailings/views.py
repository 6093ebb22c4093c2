"""What the links of a mailing do: recognize its reader for one petition, and end all mailings. GET shows, POST acts."""

import logging
from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.models import Organization
from mailings import links, recognizing, unsubscribing, unsubscribing_later
from mailings.forms import ReaderForm
from mailings.models import Recipient
from mailings.recognizing import Reading
from petitions.pages import PetitionPage, organization_context
from petitions.views import live_page, petition_context
from signers.recognized import Outcome
from signers.views import after_signing, version_shown
from staff import site_state
from staff.site_state import State
from toolkit.database_trouble import AWAY
from toolkit.referral_codes import is_code
from toolkit.same_origin import Verdict, verdict
from toolkit.signed_tokens import InvalidToken

logger = logging.getLogger(__name__)

# Holds the link's token for the petition's own pages, so that the address bar is clean.
COOKIE = "reader"
COOKIE_LIFETIME = 60 * 60  # seconds; whoever comes back later has the mail


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button. POST ends the updates, without cookies or redirect, for people and programs (RFC 8058)."""
    try:
        recipient = links.read_unsubscribe(token, at=timezone.now())
    except InvalidToken:
        return render(request, "mailings/unsubscribe_problem.html", status=404)
    try:
        organization = leave_or_ask(request, recipient)
    except OSError as error:
        logger.error("Unsubscribing cannot be written down: %s", error.strerror)
        response = render(request, "503.html", status=503)
        response["Retry-After"] = "60"
        return response
    template = "mailings/unsubscribed.html" if request.method == "POST" else "mailings/unsubscribe.html"
    context = organization_context(organization) if organization else {}
    return render(request, template, context)


def leave_or_ask(request: HttpRequest, recipient: int) -> Organization | None:
    """Whose mail it was; None where it is gone, or where the database is away or to be left alone.

    Raises OSError where leaving can be written down nowhere at all.
    """
    now, state = timezone.now(), site_state.current()
    try:
        if request.method != "POST":
            return None if state is State.MAINTENANCE else unsubscribing.organization_of(recipient)
        if state.takes_changes:
            return unsubscribing.unsubscribe(recipient_id=recipient, at=now)
    except AWAY:
        pass
    if request.method == "POST":
        unsubscribing_later.note(recipient_id=recipient, at=now)
    return None


@require_safe
@never_cache
def arrive(request: HttpRequest, token: str) -> HttpResponse:
    """Takes the token out of the address bar. Changes nothing: programs follow links, too."""
    now = timezone.now()
    reading = recognizing.reading(token, at=now)
    if reading is None:
        return without_reader(request, token, at=now)
    slug = reading.recipient.edition.petition.slug  # type: ignore[union-attr]
    response = HttpResponseRedirect(reverse("reader-page", args=[slug]))
    response.set_cookie(
        COOKIE,
        token,
        max_age=COOKIE_LIFETIME,
        path=reverse("petition", args=[slug]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def without_reader(request: HttpRequest, token: str, *, at: datetime) -> HttpResponse:
    """The ordinary page, for a link that recognizes nobody any more; for one that isn't ours, a word about it."""
    recipient = recognizing.recipient_of(token, at=at)
    if recipient is None:
        return render(request, "signers/link_problem.html", status=404)
    page = recipient.edition.petition or recipient.mailing.campaign
    return HttpResponseRedirect(page.get_absolute_url())


@require_safe
@never_cache
def reader_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The petition with the reader's first name and one button."""
    page, reading = live_page(slug), reader_of(request)
    if reading is None or reading.petition_id != page.petition.pk:
        return HttpResponseRedirect(page.url)
    return show(request, page, reading, ReaderForm(page=page, known=reading.known))


@csrf_exempt
@require_POST
@never_cache
def reader_sign(request: HttpRequest, slug: str) -> HttpResponse:
    """Signs with one press: 303 to the thanks, 422 with the input kept on a mistake.

    The cookie is never sent along by another site's form (SameSite), so a browser that does not say where a post
    comes from can be believed.
    """
    if verdict(request) is Verdict.CROSS:
        return render(request, "403.html", status=403)
    now = timezone.now()
    page = live_page(slug)
    recipient = recipient_in(request, at=now)
    if recipient is None or recipient.edition.petition_id != page.petition.pk:
        return HttpResponseRedirect(page.url, status=303)
    if recipient.signature is not None:
        return forgotten(thanked(slug, recipient.signature.referral_code), slug)
    if page.state != "open":
        return forgotten(too_late(request, page), slug)
    reading = reader_of(request)
    if reading is None:
        return forgotten(HttpResponseRedirect(page.url, status=303), slug)
    form = ReaderForm(page=page, known=reading.known, data=request.POST)
    if not form.is_valid():
        return show(request, page, reading, form, status=422)
    outcome, signature = recognizing.sign(
        recipient_id=recipient.pk,
        version_id=version_shown(page, form.version_number),
        typed=form.reader_input(),
        at=now,
    )
    if outcome in {Outcome.SIGNED, Outcome.ALREADY} and signature is not None:
        return forgotten(thanked(slug, signature.referral_code), slug)
    return forgotten(HttpResponseRedirect(page.url, status=303), slug)


@csrf_exempt
@require_POST
@never_cache
def reader_leaves(request: HttpRequest, slug: str) -> HttpResponse:
    """“Not Connie?”: forgets the reader and shows the ordinary page. The link in the mail stays good."""
    return forgotten(HttpResponseRedirect(reverse("petition", args=[slug]), status=303), slug)


@require_safe
@never_cache
def thanks(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """The page after signing with a recognised link, the same whoever signed."""
    if not is_code(code):
        raise Http404
    page = live_page(slug)
    context = after_signing(page, code=code) | {"page_title": f"Thank you: {page.version.headline}"}
    return render(request, "mailings/thanks.html", context)


# --- The reader ----------------------------------------------------------------------------------------------


def reader_of(request: HttpRequest) -> Reading | None:
    return recognizing.reading(request.COOKIES.get(COOKIE, ""), at=timezone.now())


def recipient_in(request: HttpRequest, *, at: datetime) -> Recipient | None:
    """The copy whose link brought the reader, used or not."""
    return recognizing.recipient_of(request.COOKIES.get(COOKIE, ""), at=at)


def show(
    request: HttpRequest, page: PetitionPage, reading: Reading, form: ReaderForm, *, status: int = 200
) -> HttpResponse:
    context = petition_context(page) | {
        "reader": reading.supporter.first_name,
        "is_reader": True,
        "form": form,
    }
    return render(request, "petitions/petition.html", context, status=status)


def too_late(request: HttpRequest, page: PetitionPage) -> HttpResponse:
    return render(request, "petitions/petition.html", petition_context(page) | {"too_late": True}, status=409)


def thanked(slug: str, code: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("reader-thanks", args=[slug, code]), status=303)


def forgotten(response: HttpResponse, slug: str) -> HttpResponse:
    """Without the cookie: the link has done its work."""
    response.delete_cookie(COOKIE, path=reverse("petition", args=[slug]), samesite="Lax")
    return response
