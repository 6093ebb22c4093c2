"""What came back about mail to a supporter, on their page in the admin."""

from typing import Any

from django import template

from mailings.models import MailReport
from signers.models import Supporter

register = template.Library()
SHOWN = 10


@register.inclusion_tag("admin/mailings/_mail_reports.html")
def mail_reports(supporter: Supporter) -> dict[str, Any]:
    """The latest reports, with the mailing each is about. One query."""
    reports = MailReport.objects.filter(supporter=supporter).select_related("recipient__mailing")
    return {"reports": reports.order_by("-at", "-id")[:SHOWN]}
