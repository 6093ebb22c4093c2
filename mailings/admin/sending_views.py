"""Sending a mailing: asking, approving, starting, watching and stopping it. What a POST does was shown before."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
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
from mailings.audience import Audience, audience_of
from mailings.checking import check, size_jump
from mailings.digests import digest_of
from mailings.figures import Progress, figures, progress
from mailings.freezing import LIST_TRIES
from mailings.models import TAKE_BACK, Mailing, Recipient
from mailings.sending import in_doubt
from mailings.starting import NotNow, needs_approval
from staff.models import User

MANY = 1000
FEW = 5
# The page asks again after so many seconds, and less often where counting takes long.
EVERY, REST = 3, 10


@dataclass
class Situation:
    """A mailing as somebody finds it. What has to be counted is counted once, and only if it is asked for."""

    mailing: Mailing
    user: User
    at: datetime

    @cached_property
    def state(self) -> str:
        return self.mailing.state(self.at)

    @cached_property
    def audience(self) -> Audience:
        return audience_of(self.mailing, at=self.at)

    @cached_property
    def people(self) -> int:
        return self.audience.size()

    @cached_property
    def is_as_asked_for(self) -> bool:
        """Whether neither text nor audience has changed since approval was asked for."""
        return self.mailing.asked_at is not None and self.mailing.digest == digest_of(self.mailing)

    @property
    def needs_approval(self) -> bool:
        return needs_approval(self.mailing, self.people)


@dataclass(frozen=True)
class Verb:
    """One thing staff do to a mailing on its way: its page, who may, and the activity behind it.

    `says` tells what will happen; `act` does it and returns what has happened.
    """

    name: str
    title: str
    button: str
    permission: str
    fits: Callable[[Situation], bool]
    says: Callable[[Situation], list[str]]
    act: Callable[..., str]

    @property
    def is_forward(self) -> bool:
        """Whether it brings the mailing on its way, rather than stopping it."""
        return self.name in {"ask", "approve", "start", "resume"}

    def url(self, mailing: Mailing) -> str:
        return reverse(f"admin:mailings_mailing_{self.name}", args=[mailing.pk])


# --- The page ------------------------------------------------------------------------------------------------


def send_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> HttpResponse:
    found = situation(request, mailing)
    verbs = [verb for verb in VERBS.values() if may(request, verb.permission) and verb.fits(found)]
    if mailing.is_frozen or found.state == "canceled":
        standing = Standing(errors=0, people=mailing.people)
        context = under_way(mailing, found.state, found.at) if mailing.is_frozen else {}
    else:
        errors = check(mailing, at=found.at, audience=found.audience).errors
        standing = Standing(errors=len(errors), people=found.people)
        context = not_started(found) | {"errors": errors}
        verbs = verbs if not errors and found.people else []
    chosen = [verb for verb in verbs if verb.name.startswith("choose")]
    context |= {
        "verbs": [(verb.url(mailing), verb) for verb in verbs if verb not in chosen],
        "choices": [(verb.url(mailing), verb) for verb in chosen],
    }
    return page(model_admin, request, mailing, "send", title="Send", context=context, standing=standing)


def situation(request: HttpRequest, mailing: Mailing) -> Situation:
    return Situation(mailing, request.user, timezone.now())  # type: ignore[arg-type]


def not_started(found: Situation) -> dict[str, Any]:
    return {
        "check_url": page_url(found.mailing, "check"),
        "organization_url": reverse(
            "admin:campaigns_organization_change", args=[found.mailing.campaign.organization_id]
        ),
        "approvers": approvers(found) if found.needs_approval else [],
        "people_text": people_text(found.people),
        "limit": f"{found.mailing.campaign.organization.approval_above:,}",
        "needs_approval": found.needs_approval,
        "changed_since": found.state in {"asked", "approved"} and not found.is_as_asked_for,
        "jump": size_jump(found.mailing, found.people),
    }


def approvers(found: Situation) -> list[str]:
    """Some of those who may approve it, beside whoever asked or would ask. One query."""
    asks = found.mailing.asked_by_id if found.is_as_asked_for else found.user.pk
    others = User.objects.with_perm(APPROVE).exclude(pk__in=[asks]).order_by("username")
    return list(others.values_list("username", flat=True)[:FEW])


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
    if state == "paused" and mailing.list_tries >= LIST_TRIES:
        return "Its list could not be written, so it was paused. Nobody got it. Resume it to try again."
    if state in {"leaving", "sending"} and mailing.listed_at is None:
        return "The list is being written, which takes less than a minute. Nothing leaves before."
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
    found = situation(request, mailing)
    if not may(request, verb.permission):
        raise PermissionDenied
    back = page_url(mailing, "send")
    if request.method == "POST":
        try:
            done = verb.act(mailing=mailing, actor=found.user, at=found.at, seen=seen_by(request))
        except NotNow as problem:
            messages.warning(request, f"Nothing was changed. {problem}")
        else:
            messages.success(request, done)
        return HttpResponseRedirect(back)
    if not verb.fits(found):
        messages.warning(request, f"This cannot be done now: the mailing is {starting.SAID[found.state]}.")
        return HttpResponseRedirect(back)
    context = {
        "verb": verb,
        "sentences": verb.says(found),
        "seen": digest_of(mailing),
        "back_url": back,
    }
    return page(model_admin, request, mailing, "decide", title=verb.title, context=context)


def seen_by(request: HttpRequest) -> str:
    return request.POST.get("seen", "")[:64]


def says_start(found: Situation) -> list[str]:
    mailing, people = found.mailing, found.people
    sentences = [
        f"{people_text(people)} get this mailing: “{mailing.subject}”.",
        f"Started now, the first copy leaves at {clock(found.at + TAKE_BACK, at=found.at)}. "
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


def says_approve(found: Situation) -> list[str]:
    mailing = found.mailing
    asked = mailing.asked_by.get_username() if mailing.asked_by else "Somebody"
    return [
        f"{asked} asks you to approve it.",
        f"{people_text(found.people)} would get it: “{mailing.subject}”. Read its preview first.",
        "Approving sends nothing yet. Any change to text or audience ends the approval.",
    ]


def says_cancel(found: Situation) -> list[str]:
    left = Recipient.objects.queued().filter(mailing=found.mailing).count()
    return [f"{counted_copies(left)} will never leave. This cannot be undone."]


def says_choose(subject: str) -> Callable[[Situation], list[str]]:
    def says(found: Situation) -> list[str]:
        mailing = found.mailing
        line = mailing.other_subject if subject == "b" else mailing.subject
        rest = Recipient.objects.queued().filter(mailing=mailing, due_at=None).count()
        return [f"The rest, {people_text(rest)}, gets the subject “{line}”. This cannot be undone."]

    return says


def said(*sentences: str) -> Callable[[Situation], list[str]]:
    return lambda _found: list(sentences)


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


def in_states(*states: str) -> Callable[[Situation], bool]:
    return lambda found: found.state in states


def may_be_taken_back(found: Situation) -> bool:
    starts_at = found.mailing.starts_at
    return found.state in {"leaving", "paused"} and starts_at is not None and found.at < starts_at


def may_be_asked_for(found: Situation) -> bool:
    """Where it is needed, and what was asked for is not what is there now."""
    return found.state in UNSTARTED and not found.is_as_asked_for and found.needs_approval


def may_be_approved(found: Situation) -> bool:
    return found.state == "asked" and found.mailing.asked_by_id != found.user.pk and found.is_as_asked_for


def may_be_started(found: Situation) -> bool:
    if found.state not in UNSTARTED:
        return False
    approved = found.state == "approved" and found.is_as_asked_for
    return approved or not found.needs_approval


def may_be_chosen(found: Situation) -> bool:
    mailing = found.mailing
    under_way = found.state in {"leaving", "sending", "paused"}
    return under_way and bool(mailing.other_subject) and not mailing.winner


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
