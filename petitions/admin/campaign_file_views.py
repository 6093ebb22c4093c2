"""Campaign files in the admin: uploading one, and downloading a campaign as one."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from petitions import campaign_files
from petitions.campaign_files.telling import told
from petitions.forms.target_lists import CampaignFileForm

# Whatever a file can make or change. Sources, letters and targets are parts of the campaign.
NEEDED = (
    "campaigns.add_campaign",
    "campaigns.change_campaign",
    "campaigns.add_organization",
    "campaigns.change_organization",
)
TOLD_AT_MOST = 20


def may_upload(request: HttpRequest) -> bool:
    return request.user.has_perms(NEEDED)


def upload_view(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Loads a file, or lists everything that is wrong with it; then nothing was changed."""
    if not may_upload(request):
        raise PermissionDenied
    form = CampaignFileForm(request.POST, request.FILES) if request.method == "POST" else CampaignFileForm()
    problems: list[campaign_files.Problem] = []
    if form.is_bound and form.is_valid():
        try:
            loaded = campaign_files.load(
                campaign_files.read(form.content()),
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except campaign_files.BrokenFile as broken:
            problems = broken.problems
        except IntegrityError:
            form.add_error("file", "Somebody saved the same campaign in this very moment. Upload it again.")
        else:
            for line in shortened(told(loaded)):
                messages.success(request, line)
            return HttpResponseRedirect(reverse("admin:campaigns_campaign_change", args=[loaded.campaign.pk]))
    context = {
        **model_admin.admin_site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "title": "Upload a campaign file",
        "opts": Campaign._meta,
        "form": form,
        "problems": problems,
    }
    return TemplateResponse(
        request, "admin/campaigns/campaign/upload.html", context, status=422 if form.is_bound else 200
    )


def shortened(lines: list[str]) -> list[str]:
    more = len(lines) - TOLD_AT_MOST
    return lines if more <= 0 else [*lines[:TOLD_AT_MOST], f"And {more:,} more that the file does not have."]


def download_view(campaign: Campaign) -> HttpResponse:
    response = HttpResponse(campaign_files.write(campaign), content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{campaign.slug}.toml"'
    response["Cache-Control"] = "no-store"
    return response
