"""Sending a mailing: asking, approving, starting, watching and stopping it. What a POST does was shown before."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone

from mailings import starting
from mailings.admin.pages import APPROVE, SEND, WRITE, may, page
from mailings.admin.steps import UNSTARTED, Standing, clock, counted, page_url, people_text
from mailings.audience import audience_of
from mailings.checking import check, size_jump
from mailings.figures import Progress, figures, progress
from mailings.models import TAKE_BACK, Mailing, Recipient
from mailings.sending import in_doubt
from mailings.starting import NotNow, digest_of, needs_approval
from staff.models import User

MANY = 1000
# The page asks again after so many seconds, and less often where counting takes long.
EVERY, REST = 3, 10


@dataclass(frozen=True)
class Verb:
    """One thing staff do to a mailing on its way: its page, who may, and the activity behind it.

    `says` tells what will happen; `act` does it and returns what has happened.
    """

    name: str
    title: str
    button: str
    permission: str
    fits: Callable[[Mailing, User, datetime], bool]
    says: Callable[[Mailing, datetime], list[str]]
    act: Callable[..., str]

    def url(self, mailing: Mailing) -> str:
        return reverse(f"admin:mailings_mailing_{self.name}", args=[mailing.pk])


# --- The page ------------------------------------------------------------------------------------------------


def send_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> HttpResponse:
    now = timezone.now()
    user: User = request.user  # type: ignore[assignment]
    state = mailing.state(now)
    verbs = [
        verb for verb in VERBS.values() if may(request, verb.permission) and verb.fits(mailing, user, now)
    ]
    context: dict[str, Any] = {
        "verbs": [(verb.url(mailing), verb) for verb in verbs if not verb.name.startswith("choose")],
        "starts_at": clock(mailing.starts_at, at=now) if mailing.starts_at else "",
    }
    if mailing.is_frozen:
        standing = Standing(errors=0, people=mailing.people)
        context |= under_way(mailing, state, now)
        context["choices"] = [(verb.url(mailing), verb) for verb in verbs if verb.name.startswith("choose")]
    else:
        audience = audience_of(mailing, at=now)
        errors, people = check(mailing, at=now, audience=audience).errors, audience.size()
        standing = Standing(errors=len(errors), people=people)
        context |= not_started(mailing, state, people) | {
            "errors": errors,
            "people_text": people_text(people),
        }
        if errors or not people:
            context["verbs"] = []
    return page(model_admin, request, mailing, "send", title="Send", context=context, standing=standing)


def not_started(mailing: Mailing, state: str, people: int) -> dict[str, Any]:
    limit = mailing.campaign.organization.approval_above
    return {
        "check_url": page_url(mailing, "check"),
        "limit": limit,
        "needs_approval": needs_approval(mailing, people),
        "changed_since": state in {"asked", "approved"} and mailing.digest != digest_of(mailing),
        "jump": size_jump(mailing, people),
    }


def under_way(mailing: Mailing, state: str, now: datetime) -> dict[str, Any]:
    found = progress(mailing, at=now)
    doubt = in_doubt(at=now).filter(mailing=mailing)[:MANY].count()
    return {
        "progress": told(mailing, found, now),
        "progress_url": page_url(mailing, "progress"),
        "is_live": state in {"leaving", "sending", "paused"},
        "dropped": [
            (f"{number:,}", Recipient.Dropped(reason).label) for reason, number in found.dropped.items()
        ],
        "doubt_text": f"{MANY:,} copies or more" if doubt >= MANY else counted_copies(doubt) if doubt else "",
        "doubt_url": page_url(mailing, "doubt"),
        "failed": found.failed,
        "waiting": found.waiting,
        "subjects": figures(mailing).subjects if mailing.other_subject else [],
    }


def told(mailing: Mailing, found: Progress, now: datetime) -> dict[str, Any]:
    """The numbers as the page shows them, at first and whenever it asks again."""
    return {
        "state": mailing.state(now),
        "percent": found.percent,
        "done": f"{found.dealt_with:,} of {found.people:,}",
        "sent": f"{found.sent:,}",
        "queued": f"{found.queued:,}",
        "waiting": f"{found.waiting:,}",
        "failed": f"{found.failed:,}",
        "in_doubt": f"{found.in_doubt:,}",
        "dropped": f"{sum(found.dropped.values()):,}",
        "left": left_text(mailing, found, now),
    }


def left_text(mailing: Mailing, found: Progress, now: datetime) -> str:
    state = mailing.state(now)
    if state == "leaving" and mailing.starts_at:
        return f"The first copy leaves at {clock(mailing.starts_at, at=now)}."
    if state == "paused":
        return "Paused: nothing leaves."
    if state != "sending":
        return ""
    left = found.time_left(mailing.per_minute)
    if left is None:
        return "The rest waits for the winning subject." if found.waiting else "Nothing is left to send."
    return f"{about(left)} left."


def about(time: timedelta) -> str:
    minutes = time / timedelta(minutes=1)
    if minutes < 1:
        return "Less than a minute"
    if minutes < 90:
        return f"About {counted(ceil(minutes), 'minute')}"
    hours = minutes / 60
    return f"About {ceil(hours)} hours" if hours < 36 else f"About {ceil(hours / 24)} days"


def counted_copies(number: int) -> str:
    return "1 copy" if number == 1 else f"{number:,} copies"


def progress_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> JsonResponse:
    """What `told` says, and in how many seconds to ask again. Two queries."""
    began = time.monotonic()
    now = timezone.now()
    found = progress(mailing, at=now)
    seconds = max(EVERY, ceil(REST * (time.monotonic() - began)))
    response = JsonResponse(told(mailing, found, now) | {"again_in": seconds})
    response["Cache-Control"] = "no-store"
    return response


# --- What staff do -------------------------------------------------------------------------------------------


def decide_view(
    model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing, name: str
) -> HttpResponse:
    """Says what will happen, and does it on a POST. Pressed twice, the second press says what is so already."""
    verb = VERBS[name]
    now = timezone.now()
    user: User = request.user  # type: ignore[assignment]
    if not may(request, verb.permission):
        raise PermissionDenied
    back = page_url(mailing, "send")
    if request.method == "POST":
        try:
            messages.success(request, verb.act(mailing=mailing, actor=user, at=now, seen=seen_by(request)))
        except NotNow as problem:
            messages.warning(request, f"Nothing was changed. {problem}")
        return HttpResponseRedirect(back)
    if not verb.fits(mailing, user, now):
        messages.warning(
            request, f"This cannot be done now: the mailing is {starting.SAID[mailing.state(now)]}."
        )
        return HttpResponseRedirect(back)
    context = {
        "verb": verb,
        "sentences": verb.says(mailing, now),
        "seen": digest_of(mailing),
        "back_url": back,
    }
    return page(model_admin, request, mailing, "decide", title=verb.title, context=context)


def seen_by(request: HttpRequest) -> str:
    return request.POST.get("seen", "")[:64]


def says_start(mailing: Mailing, at: datetime) -> list[str]:
    people = audience_of(mailing, at=at).size()
    sentences = [
        f"{people_text(people)} get this mailing: “{mailing.subject}”.",
        f"Started now, the first copy leaves at {clock(at + TAKE_BACK, at=at)}. "
        "You can take it back until then; afterwards you can pause or cancel what has not left.",
        "From now on neither the text nor the list changes.",
    ]
    if mailing.other_subject:
        sentences.insert(
            1,
            f"{mailing.test_share} percent of them get one of the two subjects, half each. "
            "The others wait until you choose the better one.",
        )
    return sentences + [problem.message for problem in size_jump(mailing, people)]


def says_approve(mailing: Mailing, at: datetime) -> list[str]:
    people = audience_of(mailing, at=at).size()
    asked = f"{mailing.asked_by.get_username() if mailing.asked_by else 'Somebody'} asks you to approve it."
    return [
        asked,
        f"{people_text(people)} would get it: “{mailing.subject}”. Read its preview first.",
        "Approving sends nothing yet. Any change to text or audience ends the approval.",
    ]


def says_cancel(mailing: Mailing, at: datetime) -> list[str]:
    left = Recipient.objects.queued().filter(mailing=mailing).count()
    return [f"{counted_copies(left)} will never leave. This cannot be undone."]


def says_choose(subject: str) -> Callable[[Mailing, datetime], list[str]]:
    def says(mailing: Mailing, at: datetime) -> list[str]:
        line = mailing.other_subject if subject == "b" else mailing.subject
        rest = Recipient.objects.queued().filter(mailing=mailing, due_at=None).count()
        return [f"The rest, {people_text(rest)}, gets the subject “{line}”. This cannot be undone."]

    return says


def said(*sentences: str) -> Callable[[Mailing, datetime], list[str]]:
    return lambda _mailing, _at: list(sentences)


def act_ask(**arguments: Any) -> str:
    starting.ask(**arguments)
    return "Somebody else can approve the mailing now. Tell them."


def act_approve(**arguments: Any) -> str:
    starting.approve(**arguments)
    return "Approved. It can be started now."


def act_start(*, mailing: Mailing, at: datetime, **arguments: Any) -> str:
    number = starting.start(mailing=mailing, at=at, **arguments)
    return (
        f"Started for {people_text(number)}. The first copy leaves at {clock(at + TAKE_BACK, at=at)}; "
        "until then you can take it back."
    )


def act_take_back(*, seen: str, **arguments: Any) -> str:
    starting.take_back(**arguments)
    return "Taken back: it is a draft again, and nothing has left."


def act_pause(*, seen: str, **arguments: Any) -> str:
    starting.pause(**arguments)
    return "Paused. A copy that was leaving this very second may still arrive."


def act_resume(*, seen: str, **arguments: Any) -> str:
    starting.resume(**arguments)
    return "It goes on."


def act_cancel(*, seen: str, **arguments: Any) -> str:
    return f"Canceled. {counted_copies(starting.cancel(**arguments))} never leave."


def act_choose(subject: str) -> Callable[..., str]:
    def act(*, seen: str, **arguments: Any) -> str:
        number = starting.choose_winner(subject=subject, **arguments)
        return f"The rest, {people_text(number)}, gets this subject."

    return act


def in_states(*states: str) -> Callable[[Mailing, User, datetime], bool]:
    return lambda mailing, _user, at: mailing.state(at) in states


def may_be_taken_back(mailing: Mailing, _user: User, at: datetime) -> bool:
    return bool(mailing.state(at) in {"leaving", "paused"} and mailing.starts_at and at < mailing.starts_at)


def may_be_asked_for(mailing: Mailing, _user: User, at: datetime) -> bool:
    """Where it is needed, and what was asked for is not what is there now."""
    if mailing.state(at) not in UNSTARTED:
        return False
    up_to_date = mailing.asked_at is not None and mailing.digest == digest_of(mailing)
    return not up_to_date and needs_approval(mailing, audience_of(mailing, at=at).size())


def may_be_approved(mailing: Mailing, user: User, at: datetime) -> bool:
    return (
        mailing.state(at) == "asked"
        and mailing.asked_by_id != user.pk
        and mailing.digest == digest_of(mailing)
    )


def may_be_started(mailing: Mailing, _user: User, at: datetime) -> bool:
    if mailing.state(at) not in UNSTARTED:
        return False
    approved = mailing.approved_at is not None and mailing.digest == digest_of(mailing)
    return approved or not needs_approval(mailing, audience_of(mailing, at=at).size())


def may_be_chosen(mailing: Mailing, _user: User, at: datetime) -> bool:
    return (
        mailing.state(at) in {"leaving", "sending", "paused"}
        and bool(mailing.other_subject)
        and not mailing.winner
    )


VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "ask",
            "Ask for approval",
            "Ask for approval",
            WRITE,
            may_be_asked_for,
            said(
                "So many people get this mailing that somebody else has to look at it first.",
                "Who may approve it sees that on the first page. Any change to text or audience asks anew.",
            ),
            act_ask,
        ),
        Verb("approve", "Approve", "Approve", APPROVE, may_be_approved, says_approve, act_approve),
        Verb("start", "Start", "Start", SEND, may_be_started, says_start, act_start),
        Verb(
            "take-back",
            "Take back",
            "Take back",
            SEND,
            may_be_taken_back,
            said("Nothing has left yet. It becomes a draft again; start it anew when it is right."),
            act_take_back,
        ),
        Verb(
            "pause",
            "Pause",
            "Pause",
            SEND,
            in_states("leaving", "sending"),
            said("No more copies leave until you resume."),
            act_pause,
        ),
        Verb(
            "resume",
            "Resume",
            "Resume",
            SEND,
            in_states("paused"),
            said("The copies that have not left go on leaving."),
            act_resume,
        ),
        Verb(
            "cancel",
            "Cancel for good",
            "Cancel for good",
            SEND,
            in_states("leaving", "sending", "paused"),
            says_cancel,
            act_cancel,
        ),
        Verb(
            "choose-a",
            "Send the rest with the first subject",
            "Send the rest with this subject",
            SEND,
            may_be_chosen,
            says_choose("a"),
            act_choose("a"),
        ),
        Verb(
            "choose-b",
            "Send the rest with the second subject",
            "Send the rest with this subject",
            SEND,
            may_be_chosen,
            says_choose("b"),
            act_choose("b"),
        ),
    )
}
