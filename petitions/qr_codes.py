"""QR codes as SVG, to be printed at any size."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode

QUIET_ZONE = 4  # modules of white around it (ISO/IEC 18004)


def qr_svg(text: str, *, title: str) -> str:
    """Black on white with its quiet zone, one unit a module; `title` is what those hear who do not see it.

    Error correction M stands a stain or a fold. Takes some milliseconds. Raises ValueError where the text is too long.
    """
    modules = modules_of(text)
    size = len(modules) + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" '
        f'shape-rendering="crispEdges"><title>{escape(title)}</title>'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{outline(modules)}"/></svg>'
    )


def modules_of(text: str) -> list[list[bool]]:
    """Rows of modules, True where it is black, without the quiet zone."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise ValueError("The text is too long for a QR code.") from error
    return [[bool(module) for module in row] for row in code.get_matrix()]


def outline(modules: Sequence[Sequence[bool]]) -> str:
    """One rectangle for each stretch of black in a row."""
    parts = []
    for y, row in enumerate(modules):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                parts.append(f"M{start + QUIET_ZONE} {y + QUIET_ZONE}h{x - start}v1h-{x - start}z")
            x = max(x, start + 1)
    return "".join(parts)
