"""What came of a mailing, as tables and as a file."""

from collections.abc import Iterator, Sequence

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.text import slugify

from mailings.admin.pages import page
from mailings.admin.steps import Standing, page_url
from mailings.figures import NUMBERS, Figures, Row, figures
from mailings.models import Mailing
from toolkit.csv_files import rows_to_csv

# A table of a thousand cities is read by its beginning; the file has them all.
LISTED = 200


def figures_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> HttpResponse:
    found = figures(mailing) if mailing.is_frozen else None
    context = {
        "figures": found,
        "labels": list(NUMBERS.values()),
        "total": cells(found.total) if found else [],
        "cities": [(row.label, cells(row)) for row in found.cities[:LISTED]] if found else [],
        "more": max(0, len(found.cities) - LISTED) if found else 0,
        "subjects": [(row.label, cells(row)) for row in found.subjects] if found else [],
        "csv_url": page_url(mailing, "figures_csv"),
    }
    standing = Standing(errors=0) if mailing.is_frozen else None
    return page(model_admin, request, mailing, "figures", title="Figures", context=context, standing=standing)


def cells(row: Row) -> list[tuple[str, str]]:
    """Each number with its share of what was sent."""
    return [
        (f"{getattr(row, name):,}", f"{row.share(name):.1f} %" if has_share(row, name) else "")
        for name in NUMBERS
    ]


def has_share(row: Row, name: str) -> bool:
    return name != "sent" and bool(row.sent and getattr(row, name))


def csv_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> StreamingHttpResponse:
    """The figures by city; numbers only, so whoever sees the mailing may have them."""
    found = figures(mailing)
    response = StreamingHttpResponse(rows_to_csv(lines(found)), content_type="text/csv; charset=utf-8")
    name = slugify(mailing.title)[:60] or f"mailing-{mailing.pk}"
    response["Content-Disposition"] = f'attachment; filename="figures-{name}.csv"'
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def lines(found: Figures) -> Iterator[Sequence[object]]:
    yield ["city", *NUMBERS]
    for row in found.cities:
        yield [row.label, *(getattr(row, name) for name in NUMBERS)]
