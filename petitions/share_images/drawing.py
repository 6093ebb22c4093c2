"""Drawing a petition's image: printed matter, with a band in the organization's color for what people add."""

import io
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

from petitions.appearance import LIGHT_BACKGROUND
from petitions.share_images.content import Content
from petitions.share_images.typesetting import Setting, draw_line, set_text
from toolkit.colors import contrast, on_color

WIDTH, HEIGHT = 1200, 630
# The colors of static/css/tokens.css.
PAPER, INK, SOFT, ACCENT = LIGHT_BACKGROUND, "#16191d", "#565c65", "#1f3fa8"
MARGIN = 64
BAND = 128
HEAD_TOP, HEAD_HEIGHT = 50, 84
BODY_TOP, BODY_BOTTOM = 156, HEIGHT - BAND - 36
RULE = 10
SHADES = 32  # between paper and an ink, for the edges of letters
BARELY_SEEN = 1.6  # contrast below which the band needs a line to be told from the paper
MARKS = Path(__file__).parent / "marks"


@dataclass(frozen=True)
class Plate:
    """Where one ink goes, as on a printing press: 255 is full ink."""

    image: Image.Image = field(default_factory=lambda: Image.new("L", (WIDTH, HEIGHT)))

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    def indexes(self, first: int) -> Image.Image:
        """Palette indexes from `first` on, 0 where there is no ink."""
        return self.image.point([0] * 4 + [first + value * (SHADES - 1) // 255 for value in range(4, 256)])


@dataclass(frozen=True)
class Plates:
    """The inks of one image: black and gray on paper, and one on the band."""

    ink: Plate = field(default_factory=Plate)
    soft: Plate = field(default_factory=Plate)
    band: Plate = field(default_factory=Plate)


def draw(content: Content) -> bytes:
    """The PNG: 1200 by 630, some tens of kilobytes."""
    plates = Plates()
    draw_head(plates, content)
    if content.is_thank_you:
        draw_thanks(plates.ink, content)
    else:
        draw_demand(plates.ink, content)
    draw_band(plates.band, content)
    color = content.accent or ACCENT
    if contrast(color, PAPER) < BARELY_SEEN:
        plates.ink.pen.rectangle((0, HEIGHT - BAND - 4, WIDTH, HEIGHT - BAND - 1), fill=255)
    return printed(plates, color)


def printed(plates: Plates, color: str) -> bytes:
    """The plates on top of each other. With a palette of all shades nothing has to be reduced afterwards."""
    indexes = ImageChops.lighter(plates.ink.indexes(0), plates.soft.indexes(SHADES))
    band = (0, HEIGHT - BAND, WIDTH, HEIGHT)
    lettering = plates.band.image.crop(band).point(
        [2 * SHADES + value * (SHADES - 1) // 255 for value in range(256)]
    )
    indexes.paste(lettering, band)
    image = Image.frombytes("P", (WIDTH, HEIGHT), indexes.tobytes())
    image.putpalette(shades(PAPER, INK) + shades(PAPER, SOFT) + shades(color, on_color(color)))
    written = io.BytesIO()
    # Trying harder takes five times as long and saves a tenth.
    image.save(written, "PNG", compress_level=6)
    return written.getvalue()


def shades(paper: str, ink: str) -> list[int]:
    """Red, green and blue of each step from one color to the other."""
    pairs = [(int(paper[at : at + 2], 16), int(ink[at : at + 2], 16)) for at in (1, 3, 5)]
    steps = SHADES - 1
    return [round(start + (end - start) * step / steps) for step in range(SHADES) for start, end in pairs]


def draw_head(plates: Plates, content: Content) -> None:
    """The ornament, the kind, and to whom: in one row, a long addressee in two lines beside the kind."""
    mark = mark_of(content.kind)
    kind = one_line(kind_name(content), 40)
    gap = 16
    before = mark.width + gap + kind.width + gap
    to = set_text(
        content.to_line,
        width=WIDTH - 2 * MARGIN - before,
        height=HEAD_HEIGHT,
        largest=40,
        smallest=28,
        most_lines=2,
    )
    left = (WIDTH - before - to.width) / 2 if content.is_thank_you else float(MARGIN)
    middle = HEAD_TOP + HEAD_HEIGHT / 2
    plates.ink.image.paste(255, (round(left), round(middle - mark.height / 2)), mark)
    place(plates.ink, kind, left=left + mark.width + gap, top=middle - kind.height / 2)
    place(plates.soft, to, left=left + before, top=middle - to.height / 2)


def kind_name(content: Content) -> str:
    name = "Thank-you" if content.is_thank_you else "Demand"
    return f"{name}, {content.state}" if content.state != "open" else name


@lru_cache(maxsize=2)
def mark_of(kind: str) -> Image.Image:
    """The pointing hand or the leaf, as a mask."""
    with Image.open(MARKS / f"{kind}.png", formats=["PNG"]) as mask:
        height = 54
        return mask.convert("L").resize(
            (round(mask.width * height / mask.height), height), Image.Resampling.LANCZOS
        )


def draw_demand(plate: Plate, content: Content) -> None:
    """The headline behind a heavy rule, at the side where its language begins."""
    inset = RULE + 34
    headline = set_headline(content, WIDTH - 2 * MARGIN - inset)
    top = centered(headline)
    if headline.rightward:
        rule, left, align = MARGIN, MARGIN + inset, "start"
    else:
        rule, left, align = WIDTH - MARGIN - RULE, MARGIN, "end"
    if headline.lines:
        plate.pen.rectangle((rule, top + 4, rule + RULE - 1, top + headline.height - 4), fill=255)
    place(plate, headline, left=left, top=top, width=WIDTH - 2 * MARGIN - inset, align=align)


def draw_thanks(plate: Plate, content: Content) -> None:
    """The headline between double rules."""
    for edge, away in ((BODY_TOP, 1), (BODY_BOTTOM, -1)):
        for offset, weight in ((0, 4), (9, 2)):
            y = edge + away * offset
            plate.pen.rectangle(
                (MARGIN, min(y, y + away * weight), WIDTH - MARGIN, max(y, y + away * weight)), fill=255
            )
    headline = set_headline(content, WIDTH - 2 * MARGIN - 40, spare=48)
    place(plate, headline, left=MARGIN, top=centered(headline), width=WIDTH - 2 * MARGIN, align="middle")


def set_headline(content: Content, width: float, spare: float = 0) -> Setting:
    return set_text(
        content.headline, width=width, height=BODY_BOTTOM - BODY_TOP - spare, largest=116, smallest=36
    )


def centered(setting: Setting) -> float:
    return (BODY_TOP + BODY_BOTTOM - setting.height) / 2


def draw_band(plate: Plate, content: Content) -> None:
    """What people add, as large as a headline, and who asks for it."""
    baseline = HEIGHT - BAND / 2 + 22
    number, words = band_words(content)
    left = float(MARGIN)
    for text, size in ((number, 68), (words, 40)):
        setting = one_line(text, size)
        place(plate, setting, left=left, top=baseline - setting.baseline(0))
        left += setting.width + (16 if text else 0)
    room = WIDTH - MARGIN - left - 32
    name = set_text(content.organization, width=room, height=92, largest=40, smallest=22, most_lines=2)
    top = HEIGHT - BAND / 2 - name.height / 2
    place(plate, name, left=WIDTH - MARGIN - room, top=top, width=room, align="end")


def band_words(content: Content) -> tuple[str, str]:
    """What stands large, and what stands beside it."""
    number = f"{content.count:,}+" if content.count else ""
    if content.state == "won":
        return "Won", f"with {number} signatures" if number else ""
    if content.state == "closed":
        return (number, "signed") if number else ("Closed", "")
    return (number, "have signed") if number else ("Add your name", "")


def one_line(text: str, size: float) -> Setting:
    return set_text(text, width=WIDTH, height=2 * size, largest=size, smallest=size, most_lines=1)


def place(
    plate: Plate,
    setting: Setting,
    *,
    left: float,
    top: float,
    width: float = 0,
    align: str = "start",
) -> None:
    """Draws the lines into a column that begins at `left`; `align` is start (left), middle or end (right)."""
    for at, line in enumerate(setting.lines):
        spare = width - setting.width_of(line)
        shift = {"start": 0.0, "middle": spare / 2, "end": spare}[align]
        draw_line(
            plate.pen,
            line,
            left=left + shift,
            baseline=top + setting.baseline(at),
            size=setting.size,
            rightward=setting.rightward,
        )
