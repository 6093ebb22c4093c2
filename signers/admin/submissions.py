"""What was typed and waits, or was set aside because it could not become a signature."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from signers.admin.read_only import ReadOnlyAdmin
from signers.models import Submission
from staff.edits import RecordedAdmin


class IsParked(admin.SimpleListFilter):
    title = "whether set aside"
    parameter_name = "parked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Set aside"), ("no", "On its way")]

    def queryset(self, request: HttpRequest, submissions: QuerySet[Submission]) -> QuerySet[Submission]:
        if self.value() in ("yes", "no"):
            return submissions.filter(parked_at__isnull=self.value() == "no")
        return submissions


@admin.register(Submission)
class SubmissionAdmin(RecordedAdmin, ReadOnlyAdmin):
    """What was typed and could not become a signature, with the reason; staff may delete it."""

    list_display = ("received_at", "name", "email", "petition_id", "parked_reason")
    list_filter = (IsParked,)
    ordering = ("-id",)
    fields = (
        "received_at", "first_name", "last_name", "email", "postal_code", "country", "comment", "updates",
        "petition_id", "evidence", "parked_at", "parked_reason",
    )  # fmt: skip
    readonly_fields = fields
    actions = ()

    def has_delete_permission(self, request: HttpRequest, obj: Submission | None = None) -> bool:
        """What is on its way is the worker's; only what was set aside can be deleted."""
        return request.user.has_perm("signers.delete_submission") and (
            obj is None or obj.parked_at is not None
        )

    @admin.display(description="name")
    def name(self, submission: Submission) -> SafeString:
        return format_html("<bdi>{} {}</bdi>", submission.first_name, submission.last_name)
