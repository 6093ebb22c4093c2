"""The admin's page for switching parts of the site off: what each state does, a confirmation, and who did it when."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from staff import site_state
from staff.models import AuditEntry, SiteState
from staff.site_state import LONGEST_MESSAGE, State

MAY_SWITCH = "staff.change_sitestate"
SHOWN = 20  # of the history

# Exactly what each state does, as the page promises it.
EFFECTS: dict[State, list[str]] = {
    State.FULL: ["Everything works."],
    State.SIGNING_PAUSED: [
        "Petition pages say that signing is paused, in place of the form.",
        "Who presses the button on a page opened before keeps everything typed, and can send it again later.",
        "Confirming, withdrawing, unsubscribing and people’s own pages go on. So do mail and counts.",
    ],
    State.READ_ONLY: [
        "All pages and the admin can be read; nobody can change anything, staff neither.",
        "Who sends a form keeps everything typed, and can send it again later.",
        "Unsubscribing by the link in a mail still works: it is written down and done as soon as this ends.",
        "The worker rests: no mail leaves, no mailing goes on, no new signature is counted.",
    ],
    State.MAINTENANCE: [
        "Every page says that the site comes back in a moment. Addresses of files, health and logging in still answer.",
        "Who sends a form keeps everything typed, and can send it again later.",
        "Unsubscribing by the link in a mail still works: it is written down and done as soon as this ends.",
        "The worker rests: no mail leaves, no mailing goes on, no new signature is counted.",
        "In the admin only this page opens, and only for owners.",
    ],
}


class StateForm(forms.Form):
    state = forms.ChoiceField(
        choices=State.choices, widget=forms.RadioSelect, error_messages={"required": "Choose a state."}
    )
    message = forms.CharField(
        label="Message for visitors",
        required=False,
        max_length=LONGEST_MESSAGE,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60, "dir": "auto"}),
        help_text="Shown as it stands, wherever something is refused. Say when it will be over, if you know.",
    )
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="For the audit log. Needed for everything but switching back.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("state") not in {None, State.FULL} and not cleaned.get("reason"):
            self.add_error("reason", "Say why, for those who look it up later.")
        return cleaned


@never_cache
def site_state_page(request: HttpRequest, site: admin.AdminSite) -> HttpResponse:
    """GET shows the present state; POST asks whether it is meant, and with `_confirmed` switches."""
    if not request.user.has_perm(MAY_SWITCH):
        raise PermissionDenied
    present = site_state.stored() or site_state.Notice()
    if request.method != "POST":
        form = StateForm(initial={"state": present.state, "message": present.message})
        return page(request, site, present, form)
    form = StateForm(request.POST)
    if not form.is_valid():
        return page(request, site, present, form, status=422)
    if request.POST.get("was") != present.state:
        return page(request, site, present, form, stale="was" in request.POST, confirm=True)
    if "_confirmed" not in request.POST:
        return page(request, site, present, form, confirm=True)
    wanted = State(form.cleaned_data["state"])
    changed = site_state.switch(
        wanted,
        actor=request.user,  # type: ignore[arg-type]
        at=timezone.now(),
        message=form.cleaned_data["message"],
        reason=form.cleaned_data["reason"],
    )
    said = f"Switched: {wanted.label}." if changed else "Nothing to switch: it was so already."
    messages.success(request, f"{said} It takes a second to reach every page." if changed else said)
    return HttpResponseRedirect(reverse("admin:site-state"))


def page(
    request: HttpRequest,
    site: admin.AdminSite,
    present: site_state.Notice,
    form: StateForm,
    *,
    confirm: bool = False,
    stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    wanted = State(form.cleaned_data["state"]) if confirm else None
    history = AuditEntry.objects.filter(subject_type=SiteState._meta.model_name, subject_id=1)
    context = {
        **site.each_context(request),
        "title": "Switch parts of the site off",
        "present": present,
        "form": form,
        "wanted": wanted,
        "effects": EFFECTS[wanted] if wanted else [],
        "states": [(state, state.label, EFFECTS[state]) for state in State],
        "stale": stale,
        "history": history[:SHOWN],
    }
    return TemplateResponse(request, "admin/site_state.html", context, status=status)
