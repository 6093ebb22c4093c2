"""What is answered while parts of the site are switched off; see `staff.site_state`. None of it needs the database."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, ResolverMatch, resolve

from config.errors import error_page
from config.middleware import without_database
from mailings import unsubscribing_later
from staff import site_state
from staff.site_state import Notice, State
from toolkit.database_trouble import AWAY
from toolkit.same_origin import Verdict, verdict

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SIGNING = frozenset({"sign", "reader-sign"})
# Switching back must always work. Leaving a list is a right: its view has a way that needs no database.
ALWAYS_OPEN = frozenset({"admin:login", "admin:logout", "admin:site-state", "unsubscribe"})
# Posts that write nothing.
READS = frozenset({"find"})
CAUGHT_UP_AT_ONCE = 20
RETRY_AFTER = 60  # seconds
MOST_FIELDS = 50  # that a visitor's form may have; none of ours comes near


class SiteStateMiddleware:
    """Lets through what the state allows, and answers everything else with a page that keeps what was typed.

    Stands inside whatever adds headers and serves static files, and outside of what reads sessions.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            now = site_state.look()
        except AWAY as error:
            refused = while_away(request, error)
        else:
            refused = None if now.state is State.FULL else answer_in(now, request)
            if now.state.takes_changes and unsubscribing_later.something_waits():
                catch_up()
        return self.get_response(request) if refused is None else refused


def catch_up() -> None:
    """Here as well as in the worker: a machine may serve pages only."""
    try:
        unsubscribing_later.catch_up(limit=CAUGHT_UP_AT_ONCE)
    except AWAY:
        pass  # the next request tries again


def while_away(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """At once: this request has waited for the database already, and its view would wait as long again."""
    now = site_state.known()
    if now.state is not State.FULL and (answer := answer_in(now, request)):
        return answer
    view = view_of(request)
    if view and view.view_name == "unsubscribe":
        return None
    if view and view.view_name in SIGNING and request.method == "POST":
        return refusal(request, view, now, "away")
    return without_database(request, error)


def answer_in(now: Notice, request: HttpRequest) -> HttpResponse | None:
    """None for what the state lets through."""
    view = view_of(request)
    name = view.view_name if view else ""
    if name in ALWAYS_OPEN:
        return None
    if now.state is State.MAINTENANCE:
        return refusal(request, view, now, now.state)
    if request.method in SAFE or not name or name in READS:
        return None
    refused = name in SIGNING or now.state is State.READ_ONLY
    return refusal(request, view, now, now.state) if refused else None


def view_of(request: HttpRequest) -> ResolverMatch | None:
    """None where the address leads nowhere."""
    try:
        return resolve(request.path_info)
    except Resolver404:
        return None


def refusal(request: HttpRequest, view: ResolverMatch | None, now: Notice, why: str) -> HttpResponse:
    """503: what is going on and, for a form, everything typed with a button that sends it again."""
    name = view.view_name if view else ""
    # Another site must not get fields of its own onto a page of ours; a mailed token proves who posts.
    checked = request.method == "POST" and not (view and "token" in view.kwargs)
    if checked and verdict(request) is Verdict.CROSS:
        return error_page(request, 403)
    if name == "count" or "application/json" in request.headers.get("Accept", ""):
        response: HttpResponse = JsonResponse({"state": now.state, "message": now.message}, status=503)
        response["Cache-Control"] = "no-store"
    else:
        response = kept(request, name, now, why)
    response["Retry-After"] = str(RETRY_AFTER)
    response["X-Frame-Options"] = "DENY"
    return response


def kept(request: HttpRequest, name: str, now: Notice, why: str) -> HttpResponse:
    for_staff = name.startswith("admin:")
    is_form = request.method == "POST"
    context = {
        "why": str(why),
        "message": now.message,
        "is_signing": name in SIGNING,
        "for_staff": for_staff,
        "is_form": is_form,
        "fields": typed(request, most=None if for_staff else MOST_FIELDS) if is_form else [],
        "has_files": is_form and bool(request.FILES),
        "action": request.get_full_path(),
    }
    response = render(request, "site_state.html", context, status=503)
    response["Cache-Control"] = "no-store"
    return response


def typed(request: HttpRequest, *, most: int | None) -> list[tuple[str, str]]:
    """Passwords are typed again: they have no place in a page's source."""
    fields = [
        (name, str(value))
        for name, values in request.POST.lists()
        for value in values
        if "password" not in name
    ]
    return fields[:most]
