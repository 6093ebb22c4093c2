"""Publishing, closing, reopening, unpublishing: pages that show what will happen, and do it on a POST."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from petitions import closing
from petitions.admin.petition_filters import number
from petitions.admin.steps import counted
from petitions.differences import Words
from petitions.forms.publishing import CloseForm, PublishForm, ReasonForm, ScheduleClosingForm
from petitions.models import Petition
from petitions.publishing import (
    Change,
    NotPublishable,
    Published,
    ReasonNeeded,
    Review,
    ReviewOutdated,
    publish,
    review,
)

# A review of a thousand changed petitions is read by its beginning.
SHOWN_IN_FULL = 20
# So many of the petitions that are meant are named one by one.
LISTED = 100
LONGEST_QUERY = 1000
# Unchanged words between two changes are cut to their ends beyond this many characters.
CONTEXT = 160


def publish_view(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    campaign: Campaign,
    *,
    chosen: list[int] | None = None,
) -> HttpResponse:
    """The checklist and what will change; publishing it where the button was pressed.

    `chosen` are petitions picked on the list; the page itself sends them along as `petition`.
    """
    may_publish = request.user.has_perm("petitions.publish_petition")
    chosen = chosen if chosen is not None else keys_of(request)
    petitions = list(Petition.objects.filter(letter__campaign=campaign, pk__in=chosen)) if chosen else None
    if request.method != "POST" or "_publish" not in request.POST:
        found = review(campaign, petitions=petitions)
        form = PublishForm(initial={"reviewed": found.digest, "when": "now"}, needs_reason=found.needs_reason)
        return review_page(model_admin, request, campaign, found, form, chosen)
    if not may_publish:
        raise PermissionDenied
    return publish_reviewed(model_admin, request, campaign, petitions, chosen)


def publish_reviewed(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    campaign: Campaign,
    petitions: list[Petition] | None,
    chosen: list[int],
) -> HttpResponse:
    """Publishes, or shows the review again with what stands in the way; nothing typed is lost."""
    form = PublishForm(request.POST, needs_reason="needs_reason" in request.POST)
    if form.is_valid():
        try:
            done = publish(
                campaign=campaign,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
                live_at=form.cleaned_data["live_at"],
                reason=form.cleaned_data["reason"],
                petitions=petitions,
                reviewed=form.cleaned_data["reviewed"],
            )
        except NotPublishable:
            messages.error(request, "Nothing was published: there are mistakes to correct first.")
        except ReasonNeeded:
            messages.error(
                request, "Nothing was published yet: say why the statement that people signed changes."
            )
        except ReviewOutdated:
            messages.warning(
                request,
                "Nothing was published yet: something changed since you looked. This is how it is now.",
            )
        else:
            messages.success(request, what_happened(done, form.cleaned_data["live_at"]))
            return HttpResponseRedirect(after(campaign, request))
    found = review(campaign, petitions=petitions)
    data = request.POST.copy()
    data["reviewed"] = found.digest
    again = PublishForm(data, needs_reason=found.needs_reason)
    return review_page(model_admin, request, campaign, found, again, chosen, status=422)


def review_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    campaign: Campaign,
    found: Review,
    form: PublishForm,
    chosen: list[int],
    *,
    status: int = 200,
) -> HttpResponse:
    moving = [change for change in found.changes if change.status != "unchanged"]
    now = timezone.now()
    to_go_live = sum(not change.petition.is_live(now) for change in found.changes)
    context = {
        **model_admin.admin_site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "title": f"Check and publish “{campaign}”",
        "opts": Campaign._meta,
        "campaign": campaign,
        "review": found,
        "in_full": [ShownChange(change) for change in moving[:SHOWN_IN_FULL]],
        "in_short": moving[SHOWN_IN_FULL:],
        "unchanged": [change for change in found.changes if change.status == "unchanged"],
        "to_go_live": to_go_live,
        "nothing_to_do": not moving and not to_go_live,
        "form": form,
        "chosen": chosen,
        "keys": "-".join(map(str, chosen)),
        "back": back_query(request),
        "back_url": after(campaign, request),
        "all_petitions": Petition.objects.filter(letter__campaign=campaign).count(),
        "may_publish": request.user.has_perm("petitions.publish_petition"),
        "publish_url": reverse("admin:campaigns_campaign_publish", args=[campaign.pk]),
    }
    return TemplateResponse(request, "admin/campaigns/campaign/publish.html", context, status=status)


class ShownChange:
    """A change as the review shows it: each difference with the words around it, not the whole letter."""

    def __init__(self, change: Change) -> None:
        self.petition, self.rendered, self.status = change.petition, change.rendered, change.status
        self.needs_reason = change.needs_reason
        self.shown = [(difference.label, near_changes(difference.words)) for difference in change.differences]


def near_changes(words: Words) -> Words:
    """The differing words with a little of what stands around them."""
    last = len(words) - 1
    return [
        (op, shortened(text, position, last) if op == "same" else text)
        for position, (op, text) in enumerate(words)
    ]


def shortened(text: str, position: int, last: int) -> str:
    if len(text) <= 2 * CONTEXT:
        return text
    before = "" if position == 0 else text[:CONTEXT]
    after = "" if position == last else text[-CONTEXT:]
    return f"{before} … {after}"


def what_happened(done: Published, live_at: datetime | None) -> str:
    parts = []
    if done.new:
        parts.append(f"{counted(done.new, 'petition')} published for the first time")
    if done.changed:
        parts.append(f"{counted(done.changed, 'petition')} changed")
    if done.unchanged:
        parts.append(f"{done.unchanged:,} unchanged")
    if done.went_live:
        when = f"goes live at {timezone.localtime(live_at):%Y-%m-%d %H:%M}" if live_at else "went live"
        parts.append(f"{counted(done.went_live, 'page')} {when}")
    return ("; ".join(parts) or "nothing to publish") + "."


def after(campaign: Campaign, request: HttpRequest) -> str:
    """Back to the list of petitions where one came from it, or else to the campaign."""
    if back := back_query(request):
        return reverse("admin:petitions_petition_changelist") + f"?{back}"
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


# --- Closing and the like ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verb:
    """One thing staff do to petitions: its page, and the activity behind it."""

    name: str
    title: str
    button: str
    explanation: str
    done: str
    form: type[forms.Form]
    act: Callable[..., None]
    fits: Callable[[Petition, datetime], bool]
    unfit: str

    @property
    def label(self) -> str:
        return "Schedule closing" if self.name == "schedule-closing" else self.title

    @property
    def url(self) -> str:
        return reverse(f"admin:petitions_petition_{self.name}")


VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "close",
            "Close",
            "Close",
            "The page stays, with your note; it takes no more signatures.",
            "closed",
            CloseForm,
            closing.close_all,
            lambda petition, at: petition.is_live(at) and petition.closed_at is None,
            "not live, or closed already",
        ),
        Verb(
            "reopen",
            "Reopen",
            "Reopen",
            "The page takes signatures again, and the closing note goes.",
            "reopened",
            ReasonForm,
            closing.reopen_all,
            lambda petition, at: (
                petition.closed_at is not None or (petition.is_live(at) and not petition.is_open(at))
            ),
            "not closed",
        ),
        Verb(
            "schedule-closing",
            "Schedule closing of",
            "Save",
            "From that moment the page takes no more signatures.",
            "updated",
            ScheduleClosingForm,
            closing.schedule_closing_of_all,
            lambda petition, at: petition.closed_at is None,
            "closed already",
        ),
        Verb(
            "unpublish",
            "Take off the site",
            "Take off the site",
            "Visitors no longer find the page. Signatures and their count are kept; publishing brings it back.",
            "taken off the site",
            ReasonForm,
            closing.unpublish_all,
            lambda petition, at: petition.live_at is not None,
            "not published",
        ),
    )
}


def verbs_for(petition: Petition, at: datetime) -> list[Verb]:
    return [verb for verb in VERBS.values() if verb.fits(petition, at)]


def state_view(
    model_admin: admin.ModelAdmin, request: HttpRequest, name: str, *, chosen: list[int] | None = None
) -> HttpResponse:
    """Shows which petitions are meant and asks for what is needed; acts on all of them or on none."""
    if not request.user.has_perm("petitions.publish_petition"):
        raise PermissionDenied
    verb = VERBS[name]
    now = timezone.now()
    meant = Petition.objects.filter(pk__in=chosen if chosen is not None else keys_of(request))
    petitions = list(meant.select_related("letter__campaign", "target__place", "tally"))
    fitting = [petition for petition in petitions if verb.fits(petition, now)]
    left_out = [petition for petition in petitions if not verb.fits(petition, now)]
    confirmed = request.method == "POST" and "_confirmed" in request.POST
    form = verb.form(request.POST) if confirmed else verb.form(initial=initial_for(fitting))
    if confirmed and not fitting:
        messages.error(request, f"Nothing was changed: {verb.unfit}.")
    elif confirmed and form.is_valid():
        try:
            verb.act(petitions=fitting, actor=request.user, at=now, **form.arguments())  # type: ignore[attr-defined]
        except closing.WrongState as problem:
            messages.error(request, f"Nothing was changed. {problem}")
        else:
            messages.success(request, f"{counted(len(fitting), 'petition')} {verb.done}.")
            return HttpResponseRedirect(back_to(fitting, request))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{verb.title} {fitting[0].addressed_to}"
        if len(fitting) == 1
        else verb.title + " petitions",
        "opts": Petition._meta,
        "verb": verb,
        "fitting": fitting,
        "keys": keys_in_short(fitting),
        "listed": fitting[:LISTED],
        "more": max(0, len(fitting) - LISTED),
        "left_out": left_out,
        "left_out_listed": left_out[:LISTED],
        "left_out_more": max(0, len(left_out) - LISTED),
        "form": form,
        "action_url": reverse(f"admin:petitions_petition_{name}"),
        "back_url": back_to(petitions, request),
        "back": back_query(request),
    }
    return TemplateResponse(
        request, "admin/petitions/petition/state.html", context, status=422 if confirmed else 200
    )


def initial_for(petitions: list[Petition]) -> dict[str, Any]:
    return {"closes_at": petitions[0].closes_at} if len(petitions) == 1 else {}


def back_to(petitions: list[Petition], request: HttpRequest) -> str:
    """The list as it was filtered, where one came from it; or the petition; or the list of its campaign."""
    listed = reverse("admin:petitions_petition_changelist")
    if back := back_query(request):
        return f"{listed}?{back}"
    if len(petitions) == 1:
        return reverse("admin:petitions_petition_change", args=[petitions[0].pk])
    campaigns = {petition.campaign.pk for petition in petitions}
    return f"{listed}?campaign={campaigns.pop()}" if len(campaigns) == 1 else listed


def back_query(request: HttpRequest) -> str:
    """What the list of petitions was filtered by when an action was chosen on it; the pages after it send it along."""
    sent = request.POST if request.method == "POST" else request.GET
    if "back" in sent:
        return QueryDict(sent["back"][:LONGEST_QUERY]).urlencode()
    match = request.resolver_match
    on_list = match is not None and match.url_name == "petitions_petition_changelist"
    return request.GET.urlencode()[:LONGEST_QUERY] if on_list else ""


def keys_of(request: HttpRequest) -> list[int]:
    """The petitions named in the address or by the form, whatever else is sent under those names.

    Each as `petition`, or all of them in one field `petitions`: a form can have only so many fields.
    """
    sent = request.POST if request.method == "POST" else request.GET
    keys = [*sent.getlist("petition"), *sent.get("petitions", "").split("-")]
    return [known for key in keys if (known := number(key))]


def keys_in_short(petitions: Iterable[Petition]) -> str:
    """What `keys_of` reads from one field."""
    return "-".join(str(petition.pk) for petition in petitions)
