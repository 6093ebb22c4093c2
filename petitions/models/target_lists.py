"""Lists of targets that staff have brought and not applied yet."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from campaigns.models import Campaign


class TargetList(models.Model):
    """A list of targets as it was pasted or uploaded, on its way through preview and correction.

    `rows` is a list of objects: `line` in the file, `cells` as column to text, and `left_out` where staff said so.
    `ignored` has a sentence for each column that means nothing here. Deleted when it is applied or dropped, or after
    a day.
    """

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {
        "rows": "when the list is applied or dropped, or after a day"
    }

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="target_lists")
    name = models.CharField(max_length=200, blank=True, help_text="The file's name.")
    rows = models.JSONField(default=list)
    ignored = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return self.name or f"List {self.pk}"
