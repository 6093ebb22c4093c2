"""A person's own page: asking for its link, what it shows, and what its buttons do. GET shows, POST acts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from petitions.pages import organization_context
from petitions.public_pages import public_page
from signers import changing_address, own_page, personal_data, tokens
from signers.changing_address import Moved
from signers.emails import organization_about
from signers.erasing import erase
from signers.models import AddressChange, Supporter
from signers.own_page_forms import AskForm, NameForm, NewAddressForm
from signers.wordings import UPDATES_ANSWERS, no_more_updates_wording
from toolkit.same_origin import Verdict, carries_token, verdict
from toolkit.signed_tokens import ExpiredToken, InvalidToken

# What the page says at its top after a button was pressed.
DONE = {
    "name": "Your name is corrected.",
    "hidden": "Your name is hidden. The signature goes on counting.",
    "shown": "Your name is given to the addressee again.",
    "withdrawn": "Your signature is withdrawn. It counts no more.",
    "updates-yes": "You get updates by e-mail. Every mail has a link that ends them.",
    "updates-no": "You get no more updates by e-mail.",
    "address": "We are sending a link to your new address. Press the button there; until then nothing changes.",
    "nothing": "Nothing was changed: what you asked for is no longer there.",
    "blocked": "Nothing was changed: your address is blocked, and we send it no mail.",
}


# --- Asking for the link -----------------------------------------------------------------------------------


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The page where the link is asked for. Whatever address is typed, the answer is the same."""
    if request.method != "POST":
        return public_page(request, "signers/own_page_ask.html", {"form": AskForm()})
    return take_wish(request)


@never_cache
def take_wish(request: HttpRequest) -> HttpResponse:
    """One insert, and nothing that depends on whose address it is."""
    origin = verdict(request)
    if origin is Verdict.CROSS:
        return render(request, "403.html", status=403)
    if origin is Verdict.UNKNOWN and not carries_token(request):
        context = {
            "fields": [("email", request.POST.get("email", ""))],
            "sign_url": reverse("own-page-link"),
            "button": "Mail me the link",
        }
        return render(request, "signers/one_more_click.html", context, status=403)
    form = AskForm(request.POST)
    if not form.is_valid():
        return render(request, "signers/own_page_ask.html", {"form": form}, status=422)
    own_page.ask_for_link(email=form.cleaned_data["email"], at=timezone.now())
    return HttpResponseRedirect(reverse("own-page-asked"), status=303)


@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    return public_page(request, "signers/own_page_asked.html", {})


# --- The page ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """Somebody who opened or posted to their own page."""

    request: HttpRequest
    supporter: Supporter
    token: str
    now: datetime

    @property
    def url(self) -> str:
        return reverse("own-page", args=[self.token])

    @property
    def signature_id(self) -> int:
        """Which signature is meant; 0, which no row has, where that is no number."""
        said = (self.request.POST or self.request.GET).get("signature", "")
        return number(said)

    def show(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        about = organization_context(organization_about(self.supporter))
        always = {"url": self.url, "supporter": self.supporter}
        return render(self.request, f"signers/{template}.html", about | always | context, status=status)

    def back(self, done: str, *, at: str = "") -> HttpResponse:
        """To the page, which says what was done."""
        return HttpResponseRedirect(f"{self.url}?{urlencode({'done': done})}{at}", status=303)


Step = Callable[[Visit], HttpResponseBase]


def of_a_person(view: Step) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """Gives a view the person whose link it is, or says why the link does not work.

    The token is what proves the right to post, so Django's cross-site check has nothing to add. It leaves the page
    with nobody: what the page links to is not told where the reader came from.
    """

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, token: str) -> HttpResponseBase:
        now = timezone.now()
        try:
            visit = Visit(request, behind(token, now), token, now)
        except ExpiredToken as expired:
            response: HttpResponseBase = too_late(request, expired.subject, now)
        except InvalidToken:
            response = render(request, "signers/own_page_problem.html", {"reason": "unknown"}, status=404)
        except Supporter.DoesNotExist:
            response = render(request, "signers/own_page_problem.html", {"reason": "nobody"}, status=410)
        else:
            response = view(visit)
        response["Referrer-Policy"] = "no-referrer"
        return response

    return answer


def behind(token: str, now: datetime) -> Supporter:
    """Whose link it is. One made before the person moved to another mailbox has expired."""
    supporter_id = tokens.read_own_page(token, at=now)
    supporter = Supporter.objects.get(pk=supporter_id)
    tokens.read_own_page(token, at=now, not_before=changing_address.moved_at(supporter_id))
    return supporter


def too_late(request: HttpRequest, supporter_id: int, now: datetime) -> HttpResponse:
    """An old link does nothing but ask for a new one, which goes to the person's own mailbox; what was typed stays."""
    if request.POST.get("do") == "link":
        email = Supporter.objects.filter(pk=supporter_id).values_list("email", flat=True).first()
        if email:
            own_page.ask_for_link(email=email, at=now)
        return HttpResponseRedirect(reverse("own-page-asked"), status=303)
    typed = [
        (label, request.POST[name])
        for name, label in (
            ("first_name", "First name"),
            ("last_name", "Last name"),
            ("email", "E-mail address"),
        )
        if request.POST.get(name)
    ]
    context = {"reason": "expired", "typed": typed, "acted": request.method == "POST"}
    return render(request, "signers/own_page_problem.html", context, status=410)


@of_a_person
def page(visit: Visit) -> HttpResponseBase:
    if visit.request.method == "POST":
        return ACTS.get(visit.request.POST.get("do", ""), not_known)(visit)
    return STEPS.get(visit.request.GET.get("ask", ""), overview)(visit)


def overview(visit: Visit, *, status: int = 200, done: str = "", **forms: Any) -> HttpResponse:
    """Everything on one page. Six queries, however much there is."""
    supporter = visit.supporter
    lines = own_page.lines(supporter, at=visit.now)
    typed_names = {"first_name": supporter.first_name, "last_name": supporter.last_name}
    context = {
        "lines": lines,
        "has_names": any(line.is_there for line in lines),
        "choices": own_page.updates_choices(supporter),
        "answers": UPDATES_ANSWERS,
        "pending_address": waiting_address(supporter),
        "name_form": NameForm(initial=typed_names),
        "address_form": NewAddressForm(),
        "done": DONE.get(done or visit.request.GET.get("done", ""), ""),
    }
    return visit.show("own_page", context | forms, status=status)


def waiting_address(supporter: Supporter) -> str:
    changes = AddressChange.objects.filter(supporter=supporter, done_at=None).order_by("-pk")
    return changes.values_list("email", flat=True).first() or ""


def not_known(visit: Visit) -> HttpResponse:
    return overview(visit, status=422, done="nothing")


# --- Name --------------------------------------------------------------------------------------------------


def ask_name(visit: Visit) -> HttpResponse:
    line = own_page.line(visit.supporter, visit.signature_id, at=visit.now)
    if line is None or not line.is_there:
        return overview(visit, done="nothing")
    names = {"first_name": line.signature.first_name, "last_name": line.signature.last_name}
    return visit.show("own_page_name", {"line": line, "form": NameForm(initial=names), "which": "one"})


def correct_name(visit: Visit) -> HttpResponse:
    """Under one signature where its form was sent and says so, else under all."""
    sent = visit.request.POST
    form = NameForm(sent)
    line = own_page.line(visit.supporter, visit.signature_id, at=visit.now) if "signature" in sent else None
    if not form.is_valid():
        if line is None:
            return overview(visit, status=422, name_form=form)
        context = {"line": line, "form": form, "which": sent.get("which", "one")}
        return visit.show("own_page_name", context, status=422)
    only = visit.signature_id if "signature" in sent and sent.get("which") != "all" else None
    done = own_page.rename(supporter_id=visit.supporter.pk, only=only, **form.cleaned_data)
    return visit.back("name" if done else "nothing")


# --- Signatures --------------------------------------------------------------------------------------------


def hide(visit: Visit) -> HttpResponse:
    done = own_page.hide(supporter_id=visit.supporter.pk, signature_id=visit.signature_id, at=visit.now)
    return visit.back("hidden" if done else "nothing")


def show(visit: Visit) -> HttpResponse:
    done = own_page.show(supporter_id=visit.supporter.pk, signature_id=visit.signature_id)
    return visit.back("shown" if done else "nothing")


def ask_withdraw(visit: Visit) -> HttpResponse:
    """One step more than a slip of the finger."""
    line = own_page.line(visit.supporter, visit.signature_id, at=visit.now)
    if line is None or not line.is_there:
        return overview(visit, done="nothing")
    organization = line.signature.petition.campaign.organization
    wants = own_page.wants_updates(visit.supporter.pk, organization.pk)
    wording = no_more_updates_wording(organization) if wants else ""
    return visit.show("own_page_withdraw", {"line": line, "stop_updates": wording})


def withdraw(visit: Visit) -> HttpResponse:
    done = own_page.withdraw(
        supporter_id=visit.supporter.pk,
        signature_id=visit.signature_id,
        at=visit.now,
        stop_updates=visit.request.POST.get("stop_updates") == "yes",
    )
    return visit.back("withdrawn" if done else "nothing")


# --- Choices, address, erasing -----------------------------------------------------------------------------


def choose_updates(visit: Visit) -> HttpResponse:
    answer = visit.request.POST.get("updates", "")
    if answer not in dict(UPDATES_ANSWERS):
        return not_known(visit)
    if answer == "yes" and visit.supporter.blocked_at:
        return visit.back("blocked")
    done = own_page.choose_updates(
        supporter_id=visit.supporter.pk,
        organization_id=number(visit.request.POST.get("organization", "")),
        wants=answer == "yes",
        at=visit.now,
    )
    return visit.back(f"updates-{answer}" if done else "nothing")


def change_address(visit: Visit) -> HttpResponse:
    form = NewAddressForm(visit.request.POST, current=visit.supporter.email)
    if not form.is_valid():
        return overview(visit, status=422, address_form=form)
    done = changing_address.ask(
        supporter_id=visit.supporter.pk, email=form.cleaned_data["email"], at=visit.now
    )
    return visit.back("address" if done else "blocked")


def ask_erase(visit: Visit) -> HttpResponse:
    lines = own_page.lines(visit.supporter, at=visit.now)
    return visit.show("own_page_erase", {"counting": sum(line.signature.is_counted for line in lines)})


def erase_me(visit: Visit) -> HttpResponse:
    about = organization_context(organization_about(visit.supporter))
    erase(supporter_id=visit.supporter.pk, at=visit.now)
    return render(visit.request, "signers/own_page_erased.html", about)


STEPS: dict[str, Callable[..., HttpResponse]] = {
    "name": ask_name,
    "withdraw": ask_withdraw,
    "erase": ask_erase,
}
ACTS: dict[str, Callable[[Visit], HttpResponse]] = {
    "name": correct_name,
    "hide": hide,
    "show": show,
    "withdraw": withdraw,
    "updates": choose_updates,
    "address": change_address,
    "erase": erase_me,
    # Asking for a new link with one that still works: here it is.
    "link": lambda visit: HttpResponseRedirect(visit.url, status=303),
}


# --- Taking everything along -------------------------------------------------------------------------------


@of_a_person
def as_json(visit: Visit) -> HttpResponseBase:
    data = personal_data.as_json(personal_data.collect(visit.supporter))
    return download(HttpResponse(data, content_type="application/json"), "my-data.json")


@of_a_person
def as_csv(visit: Visit) -> HttpResponseBase:
    blocks = personal_data.as_csv(personal_data.collect(visit.supporter))
    return download(StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8"), "my-data.csv")


def download(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# --- The link in the new mailbox ---------------------------------------------------------------------------


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new_address(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button, POST moves. Whoever reads this owns the new mailbox and may be a stranger: no name."""
    now = timezone.now()
    try:
        change_id = tokens.read_new_address(token, at=now)
    except ExpiredToken:
        return address_problem(request, "expired", 410)
    except InvalidToken:
        return address_problem(request, "unknown", 404)
    if request.method == "POST":
        moved = changing_address.confirm(change_id=change_id, at=now)
    else:
        change = AddressChange.objects.filter(pk=change_id).first()
        moved = Moved.GONE if change is None else Moved.DONE
        if change is not None and change.done_at is None:
            return with_no_referrer(render(request, "signers/new_address.html", {}))
    if moved is Moved.DONE:
        return with_no_referrer(render(request, "signers/new_address_done.html", {}))
    return address_problem(request, moved.value, 410)


def address_problem(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    return render(request, "signers/new_address_problem.html", {"reason": reason}, status=status)


def with_no_referrer(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "no-referrer"
    return response


def number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
