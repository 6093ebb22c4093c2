"""CSV for people who open it in a spreadsheet: streamed in blocks, with no cell that a spreadsheet would run."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

BLOCK_SIZE = 64 * 1024
_FORMULA_STARTS = frozenset("=+-@")


def safe_cell(value: object) -> str:
    """The value as text; what a spreadsheet could take for a formula gets a leading apostrophe.

    Numbers stay as they are. Applied twice it changes nothing more.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    text = value.replace("\0", "")
    return "'" + text if _starts_formula(text) else text


def rows_to_csv(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark and CRLF, in blocks of about 64 KB; every cell goes through `safe_cell`."""
    # Excel takes a file without the mark for the machine's old code page.
    buffer = io.StringIO("\ufeff", newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
        if buffer.tell() >= BLOCK_SIZE:
            yield _taken(buffer)
    if buffer.tell():
        yield _taken(buffer)


def _starts_formula(text: str) -> bool:
    if text[:1] in {"\t", "\r", "\n"}:
        return True
    for character in text:
        # Spreadsheets skip blanks and invisible characters before looking for a formula.
        if character.isspace() or unicodedata.category(character) in {"Cc", "Cf"}:
            continue
        # NFKC also folds the full-width and small forms, which East Asian spreadsheets read as formulas.
        return unicodedata.normalize("NFKC", character)[:1] in _FORMULA_STARTS
    return False


def _taken(buffer: io.StringIO) -> bytes:
    block = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return block
