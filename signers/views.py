"""Signing and what follows: the post, the page after it, confirming, and “it wasn't me”."""

import re
from dataclasses import replace

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.models import Campaign
from petitions.models import Petition
from petitions.pages import PetitionPage, next_petitions, organization_context, page_of
from petitions.views import live_page, petition_context
from signers import confirming, tokens
from signers.confirming import Outcome
from signers.forms import SignForm
from signers.models import Signature
from signers.same_origin import Verdict, carries_token, verdict
from signers.sharing import is_code, referral_from, share_places
from signers.signing import submit
from toolkit import email_addresses
from toolkit.signed_tokens import ExpiredToken, InvalidToken

HINT_KEY = "mail"
DOMAIN = re.compile(r"[^\s@/<>\"']{1,100}")


@csrf_exempt
@never_cache
def sign(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes a signature: 303 when it is written down, 422 with the input kept on a mistake. One read, one insert."""
    if request.method != "POST":
        return post_only(request, slug)
    origin = verdict(request)
    if origin is Verdict.CROSS:
        return render(request, "403.html", status=403)
    try:
        return take_signature(request, slug, sure=origin is Verdict.SAME)
    except (InterfaceError, OperationalError):
        return try_again(request, slug)


def take_signature(request: HttpRequest, slug: str, *, sure: bool) -> HttpResponse:
    now = timezone.now()
    page = live_page(slug)
    if not sure and not carries_token(request):
        return one_more_click(request, page)
    if page.state != "open":
        return render(
            request, "petitions/petition.html", petition_context(page) | {"too_late": True}, status=409
        )
    form = SignForm(page=page, at=now, data=request.POST)
    if not form.is_valid():
        return render(request, "petitions/petition.html", petition_context(page) | {"form": form}, status=422)
    typed = form.sign_input(referral=referral_from(request.headers.get("Referer", "")))
    submit(petition_id=page.petition.pk, version_id=version_shown(page, form), cleaned=typed, at=now)
    url = reverse("signed", args=[slug, typed.referral_code])
    if form.email_hint:
        url += "?" + urlencode({HINT_KEY: typed.email.rpartition("@")[2]})
    return HttpResponseRedirect(url, status=303)


def post_only(request: HttpRequest, slug: str) -> HttpResponse:
    """For those who open the form's address: where the form is."""
    response = render(request, "405.html", {"petition_url": reverse("petition", args=[slug])}, status=405)
    response["Allow"] = "POST"
    return response


def version_shown(page: PetitionPage, form: SignForm) -> int:
    """The version that was read: a page opened before a change still shows the older one. One query then."""
    number = form.version_number
    if number in {None, page.version.number}:
        return page.version.pk
    shown = page.petition.versions.filter(number=number).values_list("pk", flat=True).first()
    return shown or page.version.pk


def one_more_click(request: HttpRequest, page: PetitionPage) -> HttpResponse:
    """For browsers that do not say where a post comes from: everything typed, and a button that carries a token."""
    context = petition_context(page) | {"fields": typed_fields(request), "sign_url": page.sign_url}
    return render(request, "signers/one_more_click.html", context, status=403)


def try_again(request: HttpRequest, slug: str) -> HttpResponse:
    """The database is away: everything typed, and a button that sends it again. Needs no database."""
    context = {"fields": typed_fields(request), "sign_url": reverse("sign", args=[slug])}
    response = render(request, "signers/try_again.html", context, status=503)
    response["Retry-After"] = "10"
    return response


def typed_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What was posted of the form's own fields."""
    return [(name, request.POST[name]) for name in SignForm.base_fields if name in request.POST]


@require_safe
@never_cache
def signed(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """The page after signing, the same whoever signed: what is left to do, sharing, the next petitions."""
    if not is_code(code):
        raise Http404
    page = live_page(slug)
    context = after_signing(page, code=code) | {
        "needs_confirmation": page.campaign.confirmation == Campaign.Confirmation.REQUIRED,
        "email_domain_hint": domain_hint(request.GET.get(HINT_KEY, "")),
        "page_title": f"Thank you: {page.version.headline}",
    }
    return render(request, "signers/signed.html", context)


def domain_hint(typed: str) -> dict[str, str] | None:
    """The domain as typed and as probably meant. The address itself never enters an address bar."""
    suggested = email_addresses.suggest_domain(typed) if DOMAIN.fullmatch(typed) else None
    return {"typed": typed, "suggested": suggested} if suggested else None


def after_signing(page: PetitionPage, *, code: str) -> dict[str, object]:
    return petition_context(page) | {
        "share": share_places(page, code=code),
        "next_petitions": next_petitions(page, at=timezone.now()),
    }


@csrf_exempt  # The token in the address is what proves the right to post.
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button; POST counts the signature. Repeating either shows the same result."""
    now = timezone.now()
    try:
        signature = found(tokens.read_confirm(token, at=now))
    except ExpiredToken as expired:
        return link_problem(
            request, "expired", signature=Signature.objects.filter(pk=expired.subject).first()
        )
    except (InvalidToken, Signature.DoesNotExist):
        return link_problem(request, "unknown")
    if request.method == "POST":
        return confirmed(request, signature, confirming.confirm(signature_id=signature.pk, at=now))
    if signature.removed_at or signature.held_at:
        return link_problem(request, "removed", signature=signature)
    if signature.confirmed_at:
        return confirmed(request, signature, Outcome.ALREADY)
    page = page_for(signature)
    if page is None or (page.state != "open" and signature.accepted_at is None):
        return link_problem(request, "closed", signature=signature)
    context = petition_context(as_signed(page, signature)) | {
        "first_name": signature.first_name,
        "token": token,
    }
    return render(request, "signers/confirm.html", context)


def confirmed(request: HttpRequest, signature: Signature, outcome: Outcome) -> HttpResponse:
    page = page_for(signature)
    if outcome not in {Outcome.CONFIRMED, Outcome.ALREADY} or page is None:
        reasons = {Outcome.CLOSED: "closed", Outcome.REMOVED: "removed"}
        return link_problem(request, reasons.get(outcome, "unknown"), signature=signature)
    context = after_signing(page, code=signature.referral_code) | {"already": outcome is Outcome.ALREADY}
    return render(request, "signers/confirmed.html", context)


@csrf_exempt  # The token in the address is what proves the right to post.
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what was signed with this address; POST removes it, and blocks the address where asked to."""
    now = timezone.now()
    try:
        signature = found(tokens.read_not_me(token, at=now))
    except ExpiredToken as expired:
        return link_problem(
            request, "expired", signature=Signature.objects.filter(pk=expired.subject).first()
        )
    except (InvalidToken, Signature.DoesNotExist):
        return link_problem(request, "unknown")
    page = page_for(signature)
    context = (petition_context(as_signed(page, signature)) if page else {}) | {"token": token}
    if request.method == "POST":
        block = request.POST.get("block") == "yes"
        confirming.disown(signature_id=signature.pk, at=now, block=block)
        return render(request, "signers/not_me_done.html", context | {"blocked": block})
    if signature.removed_at:
        return render(request, "signers/not_me_done.html", context | {"blocked": False})
    return render(request, "signers/not_me.html", context)


def found(signature_id: int) -> Signature:
    return Signature.objects.select_related("version").get(pk=signature_id)


def page_for(signature: Signature) -> PetitionPage | None:
    """The page of the petition it is under, or None where that was taken off the site."""
    now = timezone.now()
    petition = Petition.objects.public(at=now).for_page().filter(pk=signature.petition_id).first()
    return page_of(petition, at=now) if petition else None


def as_signed(page: PetitionPage, signature: Signature) -> PetitionPage:
    """With the version the signature is under, whatever the petition says by now."""
    return replace(page, version=signature.version)


def link_problem(request: HttpRequest, reason: str, *, signature: Signature | None = None) -> HttpResponse:
    """Why a mailed link does not work (expired, unknown, removed, closed), and what to do instead."""
    page = page_for(signature) if signature else None
    context = {"reason": reason, "page": page} | (organization_context(page.organization) if page else {})
    return render(request, "signers/link_problem.html", context, status=404 if reason == "unknown" else 410)
