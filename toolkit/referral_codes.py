"""The code in a shared link, which tells what a link brought and recognises nobody."""

from urllib.parse import urlsplit

REFERRAL_KEY = "r"


def referral_from(referer: str) -> str:
    """The code in the address of the page the form stood on, or "".

    The browser sends that address with the post (Referrer-Policy: same-origin), so the page need not differ by code.
    """
    try:
        pairs = urlsplit(referer).query.split("&")
    except ValueError:
        return ""
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key == REFERRAL_KEY and is_code(value):
            return value
    return ""


def is_code(text: str) -> bool:
    return 6 <= len(text) <= 16 and text.isascii() and text.isalnum() and text == text.lower()
