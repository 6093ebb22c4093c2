"""Edits through the admin, recorded in the audit log beside Django's own history of each object."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from staff import audit
from staff.models import AuditEntry
from staff.odd_input import SurvivesOddInput


class RecordedAdmin(SurvivesOddInput, admin.ModelAdmin):
    """A model admin whose additions, changes and deletions are recorded with who, when and which fields.

    The names of fields and objects are recorded, never the values: an audit log must not become a copy of the texts.
    """

    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(*args, **kwargs)
        except IntegrityError:
            # Somebody else saved the same in this very moment. Checked again, the form says so.
            return super().changeform_view(*args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        self.record(request, obj, "added", [])
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry | None:  # type: ignore[override]
        if message:
            self.record(request, obj, "changed", message if isinstance(message, list) else [])
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            self.record(request, obj, "deleted", [])
        return super().log_deletions(request, queryset)

    def record(self, request: HttpRequest, obj: Model, action: str, changes: list[Any]) -> None:
        details = {"changes": json.loads(json.dumps(changes, default=str))} if changes else {}
        audit.record(actor=request.user, action=action, subject=obj, at=timezone.now(), **details)  # type: ignore[arg-type]


def told(entry: AuditEntry) -> str:
    """The recorded changes as a sentence: “Changed Headline for letter “Demand”.”"""
    changes = entry.details.get("changes") if isinstance(entry.details, dict) else None
    if not changes:
        return ""
    return LogEntry(change_message=json.dumps(changes)).get_change_message()
