"""Keeping the images of live petitions up to date: the worker draws what is missing or no longer true."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from petitions.models import ShareImage
from petitions.share_images.content import Content, live_contents
from petitions.share_images.drawing import draw
from petitions.share_images.faces import SHAPES

logger = logging.getLogger(__name__)

DRAWN_AT_ONCE = 20  # about a second
UNSHAPED = "Share images: FriBidi is missing, so letters that join or stack are set side by side. Install libfribidi0."


@dataclass
class Painter:
    """Draws image after image, and remembers what could not be drawn, so that it is tried and logged only once."""

    given_up: set[tuple[int, str]] = field(default_factory=set)
    has_warned: bool = SHAPES

    def draw_due(
        self,
        *,
        at: datetime,
        limit: int = DRAWN_AT_ONCE,
        keep_on: Callable[[], bool] = lambda: True,
    ) -> int:
        """Draws at most `limit` images, each stored by itself; returns how many it could. One query to look."""
        due = [
            (pk, content)
            for pk, digest, content in live_contents(at=at)
            if digest != content.digest and (pk, content.digest) not in self.given_up
        ]
        drawn = 0
        for pk, content in due[:limit]:
            if not keep_on():
                break
            drawn += self.keep(pk, content, at=at)
        return drawn

    def keep(self, pk: int, content: Content, *, at: datetime) -> bool:
        """Draws and stores one image; False where that failed."""
        self.warn_once()
        try:
            png = draw(content)
        except Exception:
            # One odd text must not keep the other petitions from having an image.
            logger.exception("The share image of petition %s could not be drawn.", pk)
            self.given_up.add((pk, content.digest))
            return False
        ShareImage.objects.bulk_create(
            [ShareImage(petition_id=pk, digest=content.digest, png=png, drawn_at=at)],
            update_conflicts=True,
            unique_fields=["petition"],
            update_fields=["digest", "png", "drawn_at"],
        )
        return True

    def warn_once(self) -> None:
        if not self.has_warned:
            self.has_warned = True
            logger.warning(UNSHAPED)
