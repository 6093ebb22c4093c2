"""What staff look at and never edit: lists that stay quick however long they are."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from staff.odd_input import SurvivesOddInput


class BoundedPaginator(Paginator):
    """Counts no further than this: a list nobody reads to its end need not be counted to its end.

    What a search finds lies anywhere in the table, so each row more that is counted is a page more to be read.
    """

    MOST = 1_000

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[: self.MOST].count()  # type: ignore[attr-defined]


class ReadOnlyAdmin(SurvivesOddInput, admin.ModelAdmin):
    """Staff look; nothing is added or edited by hand."""

    actions: Any = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_max_show_all = 0
    list_per_page = 50
    view_on_site = False
    most_found: int | None = None  # where a search finds no more than these

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        ends = {"most": BoundedPaginator.MOST, "most_found": self.most_found}
        return super().changelist_view(request, ends | (extra_context or {}))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):
    template = "admin/scrolling_table.html"
    extra = 0
    can_delete = False
    max_num = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
