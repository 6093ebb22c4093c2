"""QR codes: well-formed, quiet around, and right module by module."""

from xml.etree import ElementTree

import pytest
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from petitions.qr_codes import QUIET_ZONE, modules_of, qr_svg

ADDRESS = "https://petitions.example.org/s/k7m2xqd"
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg):
    return ElementTree.fromstring(svg)  # noqa: S314 - our own


def painted(svg):
    """The black modules as the path paints them, with the quiet zone around."""
    root = parsed(svg)
    size = int(root.get("viewBox").split()[2])
    rows = [[False] * size for _ in range(size)]
    path = root.findall(f"{SVG}path")[1].get("d")
    for stretch in path.strip("z").split("z"):
        corner, rest = stretch.removeprefix("M").split("h", 1)
        x, y = map(int, corner.split())
        for at in range(x, x + int(rest.split("v")[0])):
            rows[y][at] = True
    return rows


def test_picture_shows_exactly_the_modules_of_the_code():
    rows = painted(qr_svg(ADDRESS, title="Poster"))

    inside = [row[QUIET_ZONE:-QUIET_ZONE] for row in rows[QUIET_ZONE:-QUIET_ZONE]]
    assert inside == modules_of(ADDRESS)
    code = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(ADDRESS)
    code.make(fit=True)
    assert inside == [[bool(module) for module in row] for row in code.get_matrix()]


def test_four_modules_around_it_stay_white():
    rows = painted(qr_svg(ADDRESS, title="Poster"))

    assert not any(any(row) for row in rows[:4] + rows[-4:])
    assert not any(any(row[:4] + row[-4:]) for row in rows)


def test_white_lies_below_black_so_that_it_reads_on_any_paper():
    paths = parsed(qr_svg(ADDRESS, title="Poster")).findall(f"{SVG}path")

    assert paths[0].get("fill") == "#fff"
    assert paths[1].get("fill") is None


def test_title_is_told_to_those_who_do_not_see_it_whatever_it_holds():
    root = parsed(qr_svg(ADDRESS, title="Stall <&> “Friday”"))

    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "Stall <&> “Friday”"


def test_text_that_fits_no_code_is_refused():
    with pytest.raises(ValueError, match="too long"):
        qr_svg("x" * 5000, title="")
