"""The rules in the admin: switched, tuned, and tried on what came in lately before they are changed."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from fraud import trying
from fraud.admin.forms import TryForm
from fraud.models import Rule
from fraud.rules import GROUPINGS
from staff.edits import RecordedAdmin


@admin.register(Rule)
class RuleAdmin(RecordedAdmin):
    list_display = ("kind", "is_on", "threshold", "minutes", "explanation")
    fields = ("kind", "explanation", "is_on", "threshold", "minutes")
    readonly_fields = ("kind", "explanation")
    change_form_template = "admin/fraud/rule/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="what it finds")
    def explanation(self, rule: Rule) -> str:
        return GROUPINGS[rule.kind].explanation

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("<int:pk>/try/", view, name="fraud_rule_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the rule would find with other numbers. A POST makes a cluster of one of them, and holds nobody."""
        if not request.user.has_perm("signers.remove_signature"):
            raise PermissionDenied
        rule = get_object_or_404(Rule, pk=pk)
        at = timezone.now()
        asked = request.POST if request.method == "POST" else request.GET
        begins = {"threshold": rule.threshold, "minutes": rule.minutes, "hours": 24}
        form = TryForm(asked if "threshold" in asked else begins)
        found: list[trying.Found] = []
        if form.is_valid():
            rule.threshold, rule.minutes = form.cleaned_data["threshold"], form.cleaned_data["minutes"]
            if request.method == "POST":
                burst = trying.gather(
                    rule, key=str(asked.get("key", "")), hours=form.cleaned_data["hours"], at=at
                )
                if burst is not None:
                    return HttpResponseRedirect(reverse("admin:fraud_burst_change", args=[burst.pk]))
                messages.info(request, "There is no such cluster any more. This is what there is.")
            found = trying.find(rule, hours=form.cleaned_data["hours"], at=at)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Try a rule: {rule}",
            "opts": self.opts,
            "rule": rule,
            "explanation": GROUPINGS[rule.kind].explanation,
            "form": form,
            "found": found,
            "total": sum(each.signatures for each in found),
            "counted": sum(each.counted for each in found),
        }
        status = 200 if form.is_valid() else 422
        return TemplateResponse(request, "admin/fraud/rule/try.html", context, status=status)
