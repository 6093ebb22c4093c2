"""How static files are collected: named by their content, compressed, and the public style sheet in one piece."""

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLE_SHEET = "css/site.css"
IMPORT = re.compile(r'@import url\("([^"]+)"\);')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SPACE = re.compile(r"\s+")
LOOSE = re.compile(r" ?([{};,]) ?")


class CollectedStaticFiles(CompressedManifestStaticFilesStorage):
    """Puts the files that `site.css` imports into its place: a page waits for one request instead of twenty.

    Without collecting, browsers follow the imports themselves and get the same rules in the same order.
    """

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if STYLE_SHEET in paths and not dry_run:
            whole = squeezed(IMPORT.sub(lambda found: read(paths, found.group(1)), read(paths, "site.css")))
            self.delete(STYLE_SHEET)
            self.save(STYLE_SHEET, ContentFile(whole.encode()))
            paths = {**paths, STYLE_SHEET: (self, STYLE_SHEET)}
        yield from super().post_process(paths, dry_run=dry_run, **options)


def read(paths: dict[str, Any], name: str) -> str:
    """A style sheet beside `site.css`. KeyError names one that does not exist."""
    storage, path = paths[posixpath.join(posixpath.dirname(STYLE_SHEET), name)]
    with storage.open(path) as file:
        return str(file.read().decode())


def squeezed(css: str) -> str:
    """Without comments and needless spaces. Ours has neither inside strings, as a test makes sure."""
    return LOOSE.sub(r"\1", SPACE.sub(" ", COMMENT.sub("", css))).strip() + "\n"
