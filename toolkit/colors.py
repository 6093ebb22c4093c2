"""An organization's accent color, kept readable: WCAG contrast for any hex color and background."""

import colorsys
import re
from functools import lru_cache

from django.core.exceptions import ValidationError

_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.ASCII)
WHITE = "#ffffff"
INK = "#111111"


def clean_hex(text: str) -> str:
    """`#rrggbb` in small letters from `#RGB`, `RRGGBB` and the like; an empty text stays empty.

    Raises `ValidationError` with a plain message.
    """
    short = text.strip().lower() if len(text) < 100 else text
    if not short:
        return ""
    match = _HEX.fullmatch(short)
    if match is None:
        raise ValidationError("Enter a color as # and six digits, such as #1f3d5c.", code="invalid_color")
    digits = match.group(1)
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return "#" + digits


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def on_color(accent: str) -> str:
    """White or near-black, whichever reads better on the accent."""
    return max((WHITE, INK), key=lambda ink: contrast(ink, accent))


@lru_cache(maxsize=1024)  # asked for with every mail, about a few organizations
def readable(accent: str, *, background: str, minimum: float = 4.5) -> str:
    """The accent, or the nearest lighter or darker shade of it that has at least `minimum` contrast to the background.

    Where no shade suffices it is black or white, whichever has more.
    """
    accent = clean_hex(accent)
    if contrast(accent, background) >= minimum:
        return accent
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(accent))
    goal = max((0.0, 1.0), key=lambda end: contrast(_hex(end, end, end), background))
    for step in range(1, 101):
        moved = lightness + (goal - lightness) * step / 100
        shade = _hex(*colorsys.hls_to_rgb(hue, moved, saturation))
        if contrast(shade, background) >= minimum:
            return shade
    return _hex(goal, goal, goal)


def _channels(color: str) -> tuple[float, float, float]:
    digits = clean_hex(color).removeprefix("#")
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def _hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in (red, green, blue))


def _luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    linear = [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in _channels(color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
