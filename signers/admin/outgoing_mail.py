"""The mail that is owed, sent, failed or in doubt; staff send it again."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from signers.admin.read_only import ReadOnlyAdmin
from signers.models import OutgoingMail
from signers.sending import CannotResend, resend


class MailState(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    CONDITIONS: ClassVar = {
        "waiting": Q(handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None),
        "in doubt": Q(handed_over_at__isnull=False, sent_at=None, failed_at=None, dropped_at=None),
        "failed": Q(failed_at__isnull=False, sent_at=None, dropped_at=None),
        "sent": Q(sent_at__isnull=False),
        "dropped": Q(dropped_at__isnull=False, sent_at=None),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.capitalize()) for name in self.CONDITIONS]

    def queryset(self, request: HttpRequest, mails: QuerySet[OutgoingMail]) -> QuerySet[OutgoingMail]:
        condition = self.CONDITIONS.get(self.value() or "")
        return mails if condition is None else mails.filter(condition)


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "message", "to", "mail_state", "attempts", "last_error")
    list_filter = (MailState, "message")
    ordering = ("-id",)
    fields = (
        "message", "to", "signature", "mail_state", "created_at", "due_at", "attempts", "last_error", "handed_over_at",
        "sent_at", "failed_at", "dropped_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("send_again",)

    @admin.display(description="state")
    def mail_state(self, mail: OutgoingMail) -> str:
        return (
            "Sent again or no longer wanted"
            if mail.dropped_at and not mail.sent_at
            else mail.state.capitalize()
        )

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("signers.resend_outgoingmail")

    @admin.action(permissions=["resend"], description="Send again (in doubt or failed)")
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> None:
        done, refused = 0, set()
        for mail in queryset[:500]:
            try:
                resend(mail=mail, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
                done += 1
            except CannotResend as problem:
                refused.add(str(problem))
        if done:
            messages.success(request, f"{done} mail{'s' if done > 1 else ''} on the way again.")
        for text in sorted(refused):
            messages.warning(request, f"Not sent again: {text}")
