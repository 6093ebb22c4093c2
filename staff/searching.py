"""Search boxes that no text overwhelms."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

# Longer than any name or title; databases refuse a pattern of thousands of characters or words.
LONGEST = 200


class BoundedSearch:
    """For a model admin: looks for the beginning of what was typed, should it be very long."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, search_term[:LONGEST])  # type: ignore[misc]
