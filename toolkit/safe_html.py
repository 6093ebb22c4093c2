"""The only HTML that is ever stored: what our own writers make, and nothing else."""

import functools
import re

import nh3

from toolkit.plain_text import storable

LINK_REL = "nofollow noopener"

_SCHEMES = {"http", "https", "mailto"}
_ADDRESS = re.compile(r"(?:https?://[^\s/?#]|mailto:[^\s?])[^\s]*", re.IGNORECASE)
_OWN_ID = re.compile(r"(?:[a-z]+-){0,3}(?:(?:note|ref)-[0-9]+(?:-[0-9]+)?|notes-heading)")
_FRAGMENT = re.compile(r"#[A-Za-z][A-Za-z0-9_-]*")
_LABEL = re.compile(r"(?:Note|Back to text, note|Back to note) [0-9]+(?:, use [0-9]+)?")
_START = re.compile(r"-?[0-9]{1,9}")

_TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "pre"),
    *("strong", "em", "code", "a", "sup", "section"),
}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),  # nh3's own choice would be lang and title
    "a": {"href", "id", "aria-label"},
    "ol": {"start"},
    "li": {"id"},
    "section": {"aria-labelledby"},
    **{tag: {"id"} for tag in ("h2", "h3", "h4")},
}
_FIXED_VALUES = {
    "a": {"rel": {LINK_REL}, "role": {"doc-noteref", "doc-backlink"}},
    "section": {"role": {"doc-endnotes"}},
}
_CLASSES = {
    "a": {"button"},
    "p": {"call-to-action", "greeting", "local", "sign-off"},
}


def _kept_attribute(tag: str, name: str, value: str) -> str | None:
    match name:
        case "href" if value.startswith("#"):
            allowed = _FRAGMENT
        case "href":
            allowed = _ADDRESS
        case "id" | "aria-labelledby":
            allowed = _OWN_ID
        case "aria-label":
            allowed = _LABEL
        case "start":
            allowed = _START
        case _:
            return value
    return value if allowed.fullmatch(value) else None


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style"},
    attributes=_ATTRIBUTES,
    attribute_filter=_kept_attribute,
    tag_attribute_values=_FIXED_VALUES,
    allowed_classes=_CLASSES,
    url_schemes=_SCHEMES,
    link_rel=None,
)


def clean(html: str) -> str:
    """The HTML with everything removed that our own writers do not make; cleaning twice changes nothing."""
    return _CLEANER.clean(storable(html))


def escape(text: str) -> str:
    """Text as HTML, written the way `clean` writes it, so that it passes unchanged."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\u00a0", "&nbsp;")


@functools.lru_cache(maxsize=4096)
def link_start(address: str) -> str:
    """The opening tag of a link; "" where the address must not be followed (only http, https and mailto may)."""
    rel = "" if address[:7].lower() == "mailto:" else f' rel="{LINK_REL}"'
    quoted = escape(address).replace('"', "&quot;")
    tag = f'<a href="{quoted}"{rel}>'
    link = f"{tag}x</a>"
    # The cleaner itself is asked, so that nothing it would take away is ever written.
    return tag if _ADDRESS.fullmatch(address) and clean(link) == link else ""
