"""What needs attention, for the admin's first page: the worker."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils import timezone

from staff.heartbeat import last_beat

register = template.Library()

# The same minute as `/readyz`.
MAY_BE_SILENT = timedelta(seconds=60)


@register.inclusion_tag("admin/attention.html")
def staff_attention() -> dict[str, Any]:
    """One query."""
    beat = last_beat()
    if beat is None:
        what = "The worker has never run"
    elif timezone.now() - beat > MAY_BE_SILENT:
        what = f"The worker is silent since {timezone.localtime(beat):%Y-%m-%d %H:%M}"
    else:
        return {"notices": []}
    return {
        "notices": [
            (
                f"{what}. Until it runs, no mail is sent and no signature is counted. Tell whoever runs the site.",
                "",
            )
        ]
    }
