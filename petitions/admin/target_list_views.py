"""Targets from a list: bringing it, seeing what it would do, correcting wrong rows, applying or dropping it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.models import Campaign
from petitions.admin.steps import counted
from petitions.forms.target_lists import PREFIX, ApplyForm, BringListForm, RowForm, shown
from petitions.models import TargetList
from petitions.target_lists import applying
from petitions.target_lists.applying import Applied, AppliedAlready, Outdated, WrongRows
from petitions.target_lists.columns import BEYOND, COLUMNS
from petitions.target_lists.comparing import ORDER, Mark, Preview, Row, compare
from petitions.target_lists.keeping import Correction, correct, drop, keep
from toolkit.plain_text import one_line

A_PAGE = 100
GONE = "This list is not there any more: it has been applied or dropped, or is older than a day."
MARKS = {mark.value.replace(" ", "-"): mark for mark in Mark}


def bring_view(model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Asks for a file or for pasted rows, and stores them for the preview."""
    refuse_readers(model_admin, request, campaign)
    form = BringListForm(request.POST, request.FILES) if request.method == "POST" else BringListForm()
    if form.is_bound and form.is_valid():
        target_list = keep(
            campaign=campaign,
            read=form.result,
            name=form.file_name,
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
        return HttpResponseRedirect(address_of_list(campaign, target_list.pk))
    context = {
        **context_for(model_admin, request, campaign),
        "title": f"Targets from a list: “{campaign}”",
        "form": form,
        "columns": COLUMNS.values(),
        "waiting": TargetList.objects.filter(campaign=campaign).defer("rows").order_by("-created_at")[:10],
        "has_letters": campaign.letters.exists(),
    }
    return TemplateResponse(
        request,
        "admin/campaigns/campaign/bring_targets.html",
        context,
        status=422 if form.is_bound else 200,
    )


def preview_view(
    model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign, key: int
) -> HttpResponse:
    """What applying would do, a hundred rows a page, wrong ones first."""
    refuse_readers(model_admin, request, campaign)
    target_list = TargetList.objects.filter(pk=key, campaign=campaign).first()
    if target_list is None:
        return gone(request, campaign)
    return preview_page(model_admin, request, target_list, compare(campaign, target_list.rows))


def correct_view(
    model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign, key: int
) -> HttpResponse:
    """Saves what was typed into the rows that were shown, and checks everything again."""
    refuse_readers(model_admin, request, campaign)
    try:
        correct(campaign=campaign, key=key, corrections=corrections_in(request.POST))
    except AppliedAlready:
        return gone(request, campaign)
    return HttpResponseRedirect(address_of_list(campaign, key, request.POST))


def apply_view(
    model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign, key: int
) -> HttpResponse:
    """Does what the preview showed, or shows it again with what stands in the way."""
    refuse_readers(model_admin, request, campaign)
    form = ApplyForm(request.POST)
    form.is_valid()
    try:
        if typed := newly_typed(campaign, key, corrections_in(request.POST)):
            correct(campaign=campaign, key=key, corrections=typed)
            messages.warning(
                request, "Nothing was applied yet: your corrections are saved. This is how it is with them."
            )
            return HttpResponseRedirect(address_of_list(campaign, key, request.GET))
        applied = applying.apply(
            campaign=campaign,
            key=key,
            previewed=form.cleaned_data.get("previewed", ""),
            without_wrong_rows=form.cleaned_data.get("without_wrong_rows", False),
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except AppliedAlready:
        return gone(request, campaign)
    except WrongRows as refused:
        messages.error(request, "Nothing was applied: correct the wrong rows first, or leave them out.")
        preview = refused.preview
    except Outdated as refused:
        messages.warning(
            request, "Nothing was applied yet: something changed since you looked. This is how it is now."
        )
        preview = refused.preview
    else:
        messages.success(request, what_happened(applied, campaign))
        return HttpResponseRedirect(reverse("admin:campaigns_campaign_publish", args=[campaign.pk]))
    target_list = TargetList.objects.filter(pk=key, campaign=campaign).first()
    if target_list is None:
        return gone(request, campaign)
    return preview_page(model_admin, request, target_list, preview, status=422)


def drop_view(
    model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign, key: int
) -> HttpResponse:
    refuse_readers(model_admin, request, campaign)
    drop(campaign=campaign, key=key)
    messages.success(request, "The list is dropped. The campaign is as it was.")
    return HttpResponseRedirect(reverse("admin:campaigns_campaign_bring_targets", args=[campaign.pk]))


# --- Parts ---------------------------------------------------------------------------------------------------


def posted_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A look at the address of a button leads to its list."""

    def answer(
        model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign, key: int
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseRedirect(
                reverse("admin:campaigns_campaign_target_list", args=[campaign.pk, key])
            )
        return view(model_admin, request, campaign, key)

    return answer


def refuse_readers(model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign) -> None:
    if not model_admin.has_change_permission(request, campaign):
        raise PermissionDenied


def context_for(model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "opts": Campaign._meta,
        "campaign": campaign,
    }


def gone(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    messages.warning(request, GONE)
    return HttpResponseRedirect(reverse("admin:campaigns_campaign_bring_targets", args=[campaign.pk]))


def address_of_list(campaign: Campaign, key: int, sent: QueryDict | None = None) -> str:
    """The list's preview; the part of it that `sent` names."""
    address = reverse("admin:campaigns_campaign_target_list", args=[campaign.pk, key])
    return f"{address}{shown_part(sent) if sent else ''}"


def preview_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    target_list: TargetList,
    preview: Preview,
    *,
    status: int = 200,
) -> HttpResponse:
    campaign = preview.campaign
    mark = MARKS.get(request.GET.get("mark", ""))
    page = page_of(preview, mark, request.GET.get("page", "1"))
    columns = {column for row in preview.rows for column in row.cells} - {BEYOND}
    wrong, to_apply = preview.counts[Mark.WRONG], preview.counts[Mark.NEW] + preview.counts[Mark.CHANGED]
    kinds = campaign.letters.values_list("kind", flat=True)
    to_correct = [RowForm(row, columns, kinds) for row in page if row.mark in (Mark.WRONG, Mark.LEFT_OUT)]
    apply_url = reverse("admin:campaigns_campaign_apply_targets", args=[campaign.pk, target_list.pk])
    context = {
        **context_for(model_admin, request, campaign),
        "title": f"Targets from a list: “{campaign}”",
        "target_list": target_list,
        "preview": preview,
        "mark": mark,
        "marks": [(slug, each, preview.counts[each]) for slug, each in MARKS.items() if preview.counts[each]],
        "total": len(preview.rows),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "to_correct": to_correct,
        "apply_url": f"{apply_url}{shown_part(request.GET)}",
        "apply_form": "corrections" if to_correct else "applying",
        "in_order": [row for row in page if row.mark not in (Mark.WRONG, Mark.LEFT_OUT)],
        "wrong": wrong,
        "to_apply": to_apply,
        "apply_text": "this change" if to_apply == 1 else f"these {to_apply:,} changes",
        "wrong_text": "the wrong row" if wrong == 1 else f"the {wrong:,} wrong rows",
        "sum_text": sum_of(preview),
    }
    return TemplateResponse(request, "admin/campaigns/campaign/target_list.html", context, status=status)


VERBS = {
    name: posted_only(view)
    for name, view in (("correct", correct_view), ("apply", apply_view), ("drop", drop_view))
}


def sum_of(preview: Preview) -> str:
    """What applying would do, in one sentence."""
    new, changed = preview.counts[Mark.NEW], preview.counts[Mark.CHANGED]
    parts = [f"add {counted(new, 'target')}, each with a petition"] if new else []
    parts += [f"change {counted(changed, 'target')}"] if changed else []
    return f"This would {' and '.join(parts)}." if parts else "There is nothing to apply yet."


def page_of(preview: Preview, mark: Mark | None, number: str) -> Page[Row]:
    rows = [row for row in preview.rows if mark is None or row.mark is mark]
    rows.sort(key=lambda row: (ORDER[row.mark], row.index))
    # A number of thousands of digits is none.
    return Paginator(rows, A_PAGE).get_page(number if len(number) < 10 else "1")


def shown_part(sent: QueryDict) -> str:
    """The query that leads back to the same part of the list; nothing else of what was sent."""
    query = QueryDict(mutable=True)
    mark, page = (str(sent.get(name, "")) for name in ("mark", "page"))
    if mark in MARKS:
        query["mark"] = mark
    if page.isascii() and page.isdigit() and len(page) < 10:
        query["page"] = page
    return f"?{query.urlencode()}" if query else ""


def corrections_in(sent: QueryDict) -> dict[int, Correction]:
    """What was typed, by the index of the row; whatever else is sent is passed over."""
    found: dict[int, dict[str, str]] = {}
    for name in sent:
        prefix, _, rest = name.partition("-")
        index, _, column = rest.partition("-")
        if prefix == PREFIX and index.isascii() and index.isdigit() and len(index) < 10:
            found.setdefault(int(index), {})[column] = str(sent[name])
    return {
        index: Correction(
            {column: text for column, text in cells.items() if column in COLUMNS},
            cells.get("left_out") == "on",
        )
        for index, cells in found.items()
    }


def newly_typed(campaign: Campaign, key: int, corrections: dict[int, Correction]) -> dict[int, Correction]:
    """Corrections that say anything else than the page showed."""
    target_list = TargetList.objects.filter(pk=key, campaign=campaign).first() if corrections else None
    rows = target_list.rows if target_list is not None else []
    kinds = campaign.letters.values_list("kind", flat=True)
    return {
        index: correction
        for index, correction in corrections.items()
        if index < len(rows)
        and (
            correction.left_out != rows[index].get("left_out", False)
            or any(
                one_line(text) != one_line(shown(column, rows[index]["cells"].get(column, ""), kinds))
                for column, text in correction.cells.items()
            )
        )
    }


def what_happened(applied: Applied, campaign: Campaign) -> SafeString:
    parts = []
    if applied.added:
        parts.append(f"{counted(applied.added, 'target')} added, each with a petition")
    if applied.changed:
        parts.append(f"{counted(applied.changed, 'target')} changed")
    if applied.unchanged:
        parts.append(f"{applied.unchanged:,} unchanged")
    if applied.left_out:
        parts.append(f"{counted(applied.left_out, 'row')} left out")
    return format_html(
        '{}. <a href="{}">All petitions</a>',
        "; ".join(parts),
        f"{reverse('admin:petitions_petition_changelist')}?campaign={campaign.pk}",
    )
