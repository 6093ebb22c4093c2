"""The petitions of one campaign as a matrix: found, sorted, edited in their rows, and changed many at once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.db import transaction
from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode

from campaigns.models import Campaign
from petitions.admin.petition_filters import number, state_label
from petitions.admin.publishing_views import LONGEST_QUERY
from petitions.admin.steps import counted
from petitions.forms.matrix import EDITABLE, IN_WORDS, RowForm, checked_rows, typed_rows
from petitions.models import DayTally, Petition
from petitions.publishing import CHANGED, review
from petitions.readdressing import AddressTaken, move_to
from staff.models import AuditEntry, User

COLUMNS = ("city", "mayor", "kind", "state", "count", "today")
BY_CITY = ("target__place__name", "target__place__region", "pk")
# Of numbers the highest come first.
HIGHEST_FIRST = ("count", "today")
NAMED_AT_MOST = 5


# --- What is shown -------------------------------------------------------------------------------------------


def campaign_of(request: HttpRequest) -> Campaign | None:
    """The campaign whose matrix the address asks for; None for the list of all petitions. One query."""
    key = number(request.GET.get("campaign"))
    return Campaign.objects.filter(pk=key).first() if key else None


def for_matrix(petitions: QuerySet[Petition]) -> QuerySet[Petition]:
    """With what a row shows and is sorted by: what it gained today, and the order of the states."""
    now = timezone.now()
    today = DayTally.objects.filter(petition=OuterRef("pk"), day=timezone.localdate())
    ended = Q(closed_at__isnull=False) | Q(closes_at__lte=now)
    rank = Case(
        When(live_at=None, then=Value(0)),
        When(won_at__isnull=False, then=Value(4)),
        When(live_at__gt=now, then=Value(1)),
        When(ended, then=Value(3)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return petitions.annotate(
        gained_today=Coalesce(Subquery(today.values("gained")[:1]), 0), state_rank=rank
    ).defer(
        "letter__campaign__organization__logo",
        *(
            f"letter__{name}"
            for name in ("lead_in", "statement", "body", "thanks", "share_text", "greeting", "call_to_action")
        ),
    )


class PetitionList(ChangeList):
    """Django's list, which answers search, filters, order and pages, of petitions with what a row shows."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Petition]:
        plain = self.root_queryset
        self.root_queryset = for_matrix(plain)
        try:
            return super().get_queryset(request, exclude_parameters)
        finally:
            self.root_queryset = plain

    def get_ordering_field_columns(self) -> Any:
        return super().get_ordering_field_columns() if ORDER_VAR in self.params else {}


@dataclass(frozen=True)
class Head:
    """A column's head. `sorted` is "", ascending or descending, as `aria-sort` has it."""

    name: str
    label: str
    url: str = ""
    sorted: str = ""


@dataclass(frozen=True)
class Row:
    """A petition with what was typed in its row, if anybody may."""

    petition: Petition
    form: RowForm | None
    chosen: bool
    problem: str = ""

    @property
    def city(self) -> str:
        return self.petition.target.place.name if self.petition.target else "Group"

    @property
    def region(self) -> str:
        return self.petition.target.place.region if self.petition.target else ""

    @property
    def state(self) -> str:
        return state_label(self.petition)

    @property
    def count(self) -> str:
        return f"{self.petition.tally.count:,}" if hasattr(self.petition, "tally") else "0"

    @property
    def today(self) -> str:
        gained: int = getattr(self.petition, "gained_today", 0)
        return f"{gained:+,}".replace("-", "−") if gained else "–"

    @property
    def is_live(self) -> bool:
        return self.petition.is_live(timezone.now())

    @property
    def local_in_short(self) -> str:
        text = " ".join(self.petition.local.split())
        return text if len(text) <= 40 else f"{text[:40]}…"


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Choice:
    """A filter, or the order, as a list to choose from."""

    name: str
    label: str
    options: list[Option]


def context_of(cl: ChangeList, campaign: Campaign, rows: list[Row], request: HttpRequest) -> dict[str, Any]:
    choices = [*filters_of(cl), order_of(cl)]
    named = {choice.name for choice in choices}
    return {
        "title": f"Petitions of “{campaign}”",
        "campaign": campaign,
        "rows": rows,
        "heads": list(heads_of(cl)),
        "choices": choices,
        "kept": list(kept_params(cl, {*named, SEARCH_VAR, PAGE_VAR})),
        "is_filtered": bool(cl.query or any(request.GET.get(name) for name in named - {ORDER_VAR})),
        "columns": len(COLUMNS) + len(EDITABLE) + 1,
        "mistakes": list(mistakes_in(rows)),
        "total_text": counted(cl.result_count, "petition"),
    }


def kept_params(cl: ChangeList, shown: set[str]) -> Iterator[tuple[str, str]]:
    """What else the address says, which a new search must not lose."""
    for key, values in cl.filter_params.items():
        if key not in shown:
            yield from ((key, value) for value in values)


def filters_of(cl: ChangeList) -> Iterator[Choice]:
    for spec in cl.filter_specs:
        if not isinstance(spec, SimpleListFilter) or spec.parameter_name == "campaign":
            continue
        chosen = spec.value() or ""
        options = [
            Option(str(value), str(label), str(value) == chosen) for value, label in spec.lookup_choices
        ]
        options.insert(0, Option("", "All", not chosen))
        yield Choice(str(spec.parameter_name), str(spec.title).capitalize(), options)


def order_of(cl: ChangeList) -> Choice:
    now = cl.params.get(ORDER_VAR, "")
    options = [Option("", "City, A to Z", not now)]
    labels = {"count": "Most signatures", "today": "Most today", "state": "State", "kind": "Kind"}
    for name, label in labels.items():
        value = first_order(cl, name)
        options.append(Option(value, label, now == value))
    if now and not any(option.chosen for option in options):
        options.append(Option(now, "As in the table", True))
    return Choice(ORDER_VAR, "Order", options)


def first_order(cl: ChangeList, name: str) -> str:
    """The order that the first press on a column's head asks for."""
    return ("-" if name in HIGHEST_FIRST else "") + str(list(cl.list_display).index(name))


def heads_of(cl: ChangeList) -> Iterator[Head]:
    directions = cl.get_ordering_field_columns()
    for name in COLUMNS:
        index = list(cl.list_display).index(name)
        label = name.capitalize()
        if cl.get_ordering_field(name) is None:
            yield Head(name, label)
            continue
        now = directions.get(index, "asc" if name == "city" and not directions else "")
        wanted = first_order(cl, name)
        if now:
            wanted = str(index) if now == "desc" else f"-{index}"
        url = cl.get_query_string({ORDER_VAR: wanted}, [PAGE_VAR])
        yield Head(name, label, url, {"asc": "ascending", "desc": "descending"}.get(now, ""))


@dataclass(frozen=True)
class RowMistake:
    """`anchor` leads to the field."""

    anchor: str
    where: str
    message: str


def mistakes_in(rows: Iterable[Row]) -> Iterator[RowMistake]:
    for row in rows:
        if row.form is None or not row.form.is_bound:
            continue
        if row.problem:
            yield RowMistake(f"#row-{row.petition.pk}", row.city, row.problem)
        for name in EDITABLE:
            for message in row.form[name].errors:
                where = f"{row.city}, {IN_WORDS[name]}"
                yield RowMistake(f"#{row.form[name].auto_id}", where, str(message))


# --- The view ------------------------------------------------------------------------------------------------


def view(
    model_admin: Any,
    request: HttpRequest,
    campaign: Campaign,
    listed: Callable[..., HttpResponse],
) -> HttpResponse:
    """The matrix; saves its rows and begins what was chosen to be done with them. `listed` is Django's own list."""
    saved, answer = Saved(), None
    may_change = model_admin.has_change_permission(request)
    if request.method == "POST":
        saved = save(model_admin, request, campaign) if may_change else saved
        if not saved.is_wrong:
            tell(request, saved, campaign)
            if "_act" in request.POST:
                answer = act(model_admin, request)
            elif not saved.petitions:
                messages.info(request, "Nothing to save: no row was changed.")
            return answer or HttpResponseRedirect(request.get_full_path())
    response = listed(request)
    context = response.context_data if isinstance(response, TemplateResponse) else None
    if not isinstance(response, TemplateResponse) or context is None or "cl" not in context:
        # A page that is no more, since what was on it changed.
        return HttpResponseRedirect(f"?campaign={campaign.pk}") if response.status_code == 302 else response
    cl = context["cl"]
    rows = rows_of(cl, saved, request, may_change=may_change)
    context.update(context_of(cl, campaign, rows, request), may_change=may_change)
    response.template_name = "admin/petitions/petition/matrix.html"
    response.status_code = 422 if saved.is_wrong else 200
    return response


def rows_of(cl: ChangeList, saved: "Saved", request: HttpRequest, *, may_change: bool) -> list[Row]:
    """Those of the page; before them, rows with mistakes that are on another page by now."""
    typed = {form.petition.pk: form for form in saved.forms}
    chosen = {number(key) for key in request.POST.getlist("chosen")}
    on_page = {petition.pk for petition in cl.result_list}
    petitions = [form.petition for form in saved.forms if form.petition.pk not in on_page]
    problems = overtaken_by(saved.forms)
    rows = []
    for petition in [*petitions, *cl.result_list]:
        form = typed.get(petition.pk)
        if form is None and may_change:
            form = RowForm(petition)
        rows.append(Row(petition, form, petition.pk in chosen, problems.get(petition.pk, "")))
    return rows


def overtaken_by(forms: list[RowForm]) -> dict[int, str]:
    """For each row that a colleague saved meanwhile: who, when, and what it says now. One query, if any."""
    overtaken = [form for form in forms if form.has_error("__all__", "overtaken")]
    if not overtaken:
        return {}
    entries: dict[int, AuditEntry] = {}
    written = AuditEntry.objects.filter(
        subject_type="petition",
        subject_id__in=[form.petition.pk for form in overtaken],
        action__in=("changed", "moved to another address"),
    )
    for entry in written:
        entries.setdefault(entry.subject_id, entry)
    told = {}
    for form in overtaken:
        last = entries.get(form.petition.pk)
        who = f"{last.actor_name} saved this row at {timezone.localtime(last.at):%H:%M}" if last else ""
        told[form.petition.pk] = (
            f"{who or 'Somebody saved this row'}, after you opened it. Stored now: {form.stored_in_words}. "
            "What you typed is kept and not saved yet; saving again puts it in place of theirs."
        )
    return told


# --- Saving --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """What became of the rows that were sent: their forms where there are mistakes, or the petitions saved."""

    forms: list[RowForm] = field(default_factory=list)
    petitions: list[Petition] = field(default_factory=list)
    gone: int = 0
    texts: list[Petition] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        return bool(self.forms)


def save(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Saved:
    """Writes the fields that somebody changed, in every row or, where one has a mistake, in none."""
    try:
        return save_rows(model_admin, request, campaign)
    except AddressTaken:
        # Somebody took the address in this very moment. Checked again, its row says so.
        return save_rows(model_admin, request, campaign)


@transaction.atomic
def save_rows(model_admin: Any, request: HttpRequest, campaign: Campaign) -> Saved:
    typed = typed_rows(request.POST)
    if not typed:
        return Saved()
    petitions = list(
        Petition.objects.filter(pk__in=typed, letter__campaign=campaign)
        .select_related("letter__campaign__organization", "target__place", "tally")
        .defer("letter__campaign__organization__logo")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    keys = list(campaign.sources.values_list("key", flat=True))
    forms = checked_rows(petitions, typed, keys=keys)
    wrong = [form for form in forms if not form.is_valid()]
    if wrong:
        return Saved(forms=forms)
    changed = [form for form in forms if form.differences]
    texts = [form.petition for form in changed if {"headline", "local"} & {*form.differences}]
    for form in changed:
        write(model_admin, request, form)
    saved = [form.petition for form in changed]
    return Saved(petitions=saved, gone=len(typed) - len(petitions), texts=texts)


def write(model_admin: Any, request: HttpRequest, form: RowForm) -> None:
    """Stores the fields of a row that differ, and records which."""
    petition, names = form.petition, form.differences
    actor: User = request.user  # type: ignore[assignment]
    if "slug" in names:
        move_to(petition=petition, slug=form.cleaned_data["slug"], actor=actor, at=timezone.now())
    others = [name for name in names if name != "slug"]
    for name in others:
        setattr(petition, name, form.cleaned_data[name])
    if others:
        petition.save(update_fields=others)
    fields = [IN_WORDS[name].capitalize() for name in names]
    model_admin.log_change(request, petition, [{"changed": {"fields": fields}}])


def tell(request: HttpRequest, saved: Saved, campaign: Campaign) -> None:
    """What was saved, and which published pages say something else now. Renders those that were."""
    if saved.gone:
        messages.warning(
            request, f"{counted(saved.gone, 'petition')} you changed had been deleted meanwhile."
        )
    if not saved.petitions:
        return
    messages.success(request, f"{counted(len(saved.petitions), 'petition')} saved.")
    published = [
        petition
        for petition in saved.texts
        if petition.current_version_id is not None and petition.closed_at is None
    ]
    if not published:
        return
    differing = [
        change.petition
        for change in review(campaign, petitions=published).changes
        if change.status == CHANGED
    ]
    if not differing:
        return
    query = [("petitions", "-".join(str(petition.pk) for petition in differing))]
    query.append(("back", request.GET.urlencode()[:LONGEST_QUERY]))
    url = reverse("admin:campaigns_campaign_publish", args=[campaign.pk])
    messages.warning(
        request,
        format_html(
            '{} now from what is saved: {}. <a href="{}?{}">Check and publish</a>',
            "1 published page differs" if len(differing) == 1 else f"{len(differing)} published pages differ",
            named(differing),
            url,
            urlencode(query),
        ),
    )


def named(petitions: list[Petition]) -> str:
    names = [
        petition.target.place.name if petition.target else petition.addressee
        for petition in petitions[:NAMED_AT_MOST]
    ]
    more = len(petitions) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


# --- Many at once --------------------------------------------------------------------------------------------


def act(model_admin: Any, request: HttpRequest) -> HttpResponse | None:
    """Leads to the page of what was chosen to be done, with the chosen petitions or with all that the filter finds."""
    actions = model_admin.get_actions(request)
    action = actions.get(request.POST.get("action", ""))
    if action is None:
        messages.warning(request, "Choose what to do with the petitions.")
        return None
    try:
        petitions = model_admin.get_changelist_instance(request).get_queryset(request)
    except IncorrectLookupParameters:
        return None
    if request.POST.get("scope") != "all":
        keys = [number(key) for key in request.POST.getlist("chosen")]
        petitions = petitions.filter(pk__in=keys)
    if not petitions.exists():
        messages.warning(request, "Choose at least one petition.")
        return None
    answer: HttpResponse | None = action[0](model_admin, request, petitions)
    return answer
