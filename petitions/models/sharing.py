"""What leads people to a petition: its image, its short addresses, and addresses it once had."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from petitions.models.asks import Petition


class ShareImage(models.Model):
    """The picture shown beside a shared link: a PNG of 1200 by 630, drawn by the worker."""

    petition = models.OneToOneField(
        Petition, primary_key=True, on_delete=models.CASCADE, related_name="share_image"
    )
    digest = models.CharField(max_length=32, help_text="Stands for all that is drawn.")
    png = models.BinaryField()
    drawn_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(digest=""), name="share_image_has_digest")
        ]

    def __str__(self) -> str:
        return f"Image of petition {self.petition_id}"


class ShortAddress(models.Model):
    """A short address of a petition for one channel, such as a poster or a stall; its code counts as the referral."""

    petition = models.ForeignKey(Petition, on_delete=models.CASCADE, related_name="short_addresses")
    channel = models.CharField(max_length=40)
    code = models.CharField(
        max_length=16,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9]{6,16}\Z", "Six letters or digits.")],
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["channel", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["petition", "channel"],
                name="short_address_once_per_channel",
                violation_error_message="This petition has a short address for this channel already.",
            ),
            models.CheckConstraint(condition=~Q(channel=""), name="short_address_has_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.channel})"


class FormerAddress(models.Model):
    """An address a published petition once had; it leads to where the petition is now."""

    slug = models.SlugField(max_length=100, unique=True)
    petition = models.ForeignKey(Petition, on_delete=models.CASCADE, related_name="former_addresses")

    class Meta:
        verbose_name_plural = "former addresses"

    def __str__(self) -> str:
        return self.slug
