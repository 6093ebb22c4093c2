"""What the links in mails do: confirm a signature, or take away one that isn't mine. GET shows, POST acts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from petitions.models import Petition
from petitions.pages import PetitionPage, organization_context, page_of
from petitions.views import petition_context
from signers import confirming, tokens
from signers.confirming import Outcome
from signers.models import Signature
from signers.views import after_signing
from toolkit.signed_tokens import ExpiredToken, InvalidToken

LinkView = Callable[[HttpRequest, Signature, str, datetime], HttpResponse]
TooOld = Callable[[HttpRequest, Signature], HttpResponse]


def by_token(
    read: Callable[..., int], *, too_old: TooOld
) -> Callable[[LinkView], Callable[..., HttpResponse]]:
    """Gives a view the signature that the token in its address stands for, or says why the link does not work.

    The token is what proves the right to post, so Django's cross-site check has nothing to add.
    """

    def decorate(view: LinkView) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, token: str) -> HttpResponse:
            now = timezone.now()
            try:
                signature, is_too_old = behind(token, read, now)
            except (InvalidToken, Signature.DoesNotExist):
                return link_problem(request, "unknown")
            return too_old(request, signature) if is_too_old else view(request, signature, token, now)

        return answer

    return decorate


def behind(token: str, read: Callable[..., int], now: datetime) -> tuple[Signature, bool]:
    """The signature, and whether the link is too old to act on. Raises InvalidToken, Signature.DoesNotExist."""
    try:
        pk, is_too_old = read(token, at=now), False
    except ExpiredToken as expired:
        pk, is_too_old = expired.subject, True
    return Signature.objects.select_related("version").get(pk=pk), is_too_old


def confirmed_long_ago(request: HttpRequest, signature: Signature) -> HttpResponse:
    """A confirmation link after its time: what is done stands, what is not needs a new link."""
    if signature.state == "confirmed":
        return confirmed(request, signature, Outcome.ALREADY)
    return link_problem(request, "removed" if signature.removed_at else "expired", signature=signature)


@by_token(tokens.read_confirm, too_old=confirmed_long_ago)
def confirm(request: HttpRequest, signature: Signature, token: str, now: datetime) -> HttpResponse:
    """GET shows one button; POST counts the signature. Repeating either shows the same result."""
    if request.method == "POST":
        return confirmed(request, signature, confirming.confirm(signature_id=signature.pk, at=now))
    if signature.removed_at or signature.held_at:
        return link_problem(request, "removed", signature=signature)
    if signature.confirmed_at:
        return confirmed(request, signature, Outcome.ALREADY)
    page = page_for(signature)
    if page is None:
        return link_problem(request, "gone", signature=signature)
    if signature.accepted_at is None and not confirming.still_counts(signature, page.petition, at=now):
        return link_problem(request, "closed", signature=signature)
    context = petition_context(as_signed(page, signature)) | {
        "first_name": signature.first_name,
        # Whoever knows an address can sign up with it again: its owner sees what the click is about to make true.
        "signature": signature,
        "token": token,
    }
    return render(request, "signers/confirm.html", context)


def confirmed(request: HttpRequest, signature: Signature, outcome: Outcome) -> HttpResponse:
    if outcome in {Outcome.REMOVED, Outcome.UNKNOWN}:
        return link_problem(request, outcome.value, signature=signature)
    page = page_for(signature)
    if page is None:
        return link_problem(request, "gone", signature=signature)
    if outcome is Outcome.CLOSED:
        return link_problem(request, "closed", signature=signature)
    context = after_signing(page, code=signature.referral_code) | {"already": outcome is Outcome.ALREADY}
    return render(request, "signers/confirmed.html", context)


def disowned_too_late(request: HttpRequest, signature: Signature) -> HttpResponse:
    if signature.removed_at:
        return render(request, "signers/not_me_done.html", {"blocked": False})
    return link_problem(request, "too-late", signature=signature)


@by_token(tokens.read_not_me, too_old=disowned_too_late)
def not_me(request: HttpRequest, signature: Signature, token: str, now: datetime) -> HttpResponse:
    """GET shows what was signed with this address; POST removes it, and blocks the address where asked to."""
    page = page_for(signature)
    context = (petition_context(as_signed(page, signature)) if page else {}) | {"token": token}
    if request.method == "POST":
        block = request.POST.get("block") == "yes"
        confirming.disown(signature_id=signature.pk, at=now, block=block)
        return render(request, "signers/not_me_done.html", context | {"blocked": block})
    if signature.removed_at:
        return render(request, "signers/not_me_done.html", context | {"blocked": False})
    return render(request, "signers/not_me.html", context)


def page_for(signature: Signature) -> PetitionPage | None:
    """The page of the petition it is under, or None where that was taken off the site."""
    now = timezone.now()
    petition = Petition.objects.public(at=now).for_page().filter(pk=signature.petition_id).first()
    return page_of(petition, at=now) if petition else None


def as_signed(page: PetitionPage, signature: Signature) -> PetitionPage:
    """With the version the signature is under, whatever the petition says by now."""
    return replace(page, version=signature.version)


def link_problem(request: HttpRequest, reason: str, *, signature: Signature | None = None) -> HttpResponse:
    """Why a mailed link does not work, and what to do instead.

    Reasons: unknown, expired (confirming), too-late (taking away), removed, closed, gone (page off the site).
    """
    page = page_for(signature) if signature else None
    by_staff = signature is not None and signature.removal == Signature.Removal.STAFF
    context = {"reason": reason, "page": page, "by_staff": by_staff}
    if page:
        context |= organization_context(page.organization)
    return render(request, "signers/link_problem.html", context, status=404 if reason == "unknown" else 410)
