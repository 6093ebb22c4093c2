"""Answers that are the same bytes for everybody, so that browsers, nginx and CDNs may hold them."""

import gzip
import hashlib
import re
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response, patch_vary_headers

# A shared cache may hold a page for ten seconds, and longer while we are slow or down.
CACHE_CONTROL = "public, max-age=0, s-maxage=10, stale-while-revalidate=60, stale-if-error=600"
IMMUTABLE = "public, max-age=31536000, immutable"
WORTH_COMPRESSING = 400  # bytes; below, the wrapping costs more than it saves
# A large page takes its time: a third of it for a tenth more bytes.
LEVEL, LARGE, LEVEL_OF_LARGE = 6, 50_000, 2
PACKED_REMEMBERED = 32  # some megabytes if all of them were large
COMPRESSED = frozenset({"image/png"})  # already
ACCEPTS_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
# The form's stamp changes every few seconds; a page that differs in nothing else is the same page.
STAMP = re.compile(rb'name="stamp" value="[^"]*"')


def public_page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Renders a page without looking at cookies. The context processors are left out for the same reason."""
    return publicly_cached(request, HttpResponse(render_to_string(template, context)))


def publicly_cached(
    request: HttpRequest, response: HttpResponse, *, cache_control: str = CACHE_CONTROL
) -> HttpResponse:
    """Adds `Cache-Control` and a weak ETag of the content, answers 304 where the browser has it, and compresses.

    Compressing is safe here: there is no secret on a public page for a guesser to find by its length.
    """
    response["ETag"] = etag_of(response.content)
    response["Cache-Control"] = cache_control
    patch_vary_headers(response, ["Accept-Encoding"])
    conditional = get_conditional_response(request, etag=response["ETag"], response=response)
    if conditional is not response and isinstance(conditional, HttpResponse):
        return conditional
    worth_it = len(response.content) > WORTH_COMPRESSING and response.get("Content-Type") not in COMPRESSED
    if worth_it and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.content = packed(response.content)
        response["Content-Encoding"] = "gzip"
    return response


def etag_of(content: bytes) -> str:
    """Weak: the same for each encoding, and whatever the form's stamp."""
    return f'W/"{hashlib.blake2b(without_stamp(content), digest_size=12).hexdigest()}"'


def accepts_gzip(accept_encoding: str) -> bool:
    return ACCEPTS_GZIP.search(accept_encoding) is not None


def without_stamp(content: bytes) -> bytes:
    return STAMP.sub(b"", content) if b'name="stamp"' in content else content


@lru_cache(maxsize=PACKED_REMEMBERED)
def packed(content: bytes) -> bytes:
    """Compressed; between two signatures a page is asked for again and again with the same bytes."""
    return gzip.compress(content, compresslevel=LEVEL if len(content) < LARGE else LEVEL_OF_LARGE, mtime=0)
