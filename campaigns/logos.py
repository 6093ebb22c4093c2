"""Reading an organization's logo: any picture people have, made small, plain and safe to serve."""

import hashlib
import io
import warnings
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from PIL import Image, ImageOps

MAX_BYTES = 1024 * 1024
MAX_PIXELS = 25_000_000
MAX_SIZE = (1600, 400)
FORMATS = ("PNG", "JPEG", "WEBP")
NOT_A_PICTURE = "This file is not a picture we can read. Use a PNG, JPEG or WebP picture."
TOO_MANY_PIXELS = "This picture has too many pixels. One of 800 pixels’ width is plenty."


@dataclass(frozen=True)
class Logo:
    """A PNG without metadata, at most 400 pixels high."""

    data: bytes
    digest: str
    width: int
    height: int


def read(data: bytes) -> Logo:
    """The picture, re-encoded: nothing but its pixels is kept. Raises ValidationError saying what to do."""
    if len(data) > MAX_BYTES:
        raise ValidationError("This picture is larger than 1 MB. Make it smaller and choose it again.")
    try:
        with warnings.catch_warnings():
            # We look at the size ourselves, before a single pixel is decoded.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ValidationError(TOO_MANY_PIXELS)
                return encode(image)
    except ValidationError:
        raise
    except Image.DecompressionBombError as error:
        raise ValidationError(TOO_MANY_PIXELS) from error
    except Exception as error:
        # A broken picture makes the decoders raise whatever they like.
        raise ValidationError(NOT_A_PICTURE) from error


def encode(image: Image.Image) -> Logo:
    """Turned the way the camera meant, scaled down, as PNG."""
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    upright.thumbnail(MAX_SIZE)
    if upright.getchannel("A").getextrema() == (255, 255):
        upright = upright.convert("RGB")
    # A fresh picture takes along no metadata, profile or text chunk.
    plain = Image.new(upright.mode, upright.size)
    plain.paste(upright)
    written = io.BytesIO()
    plain.save(written, "PNG", optimize=True)
    data = written.getvalue()
    return Logo(data, hashlib.sha256(data).hexdigest()[:16], plain.width, plain.height)
