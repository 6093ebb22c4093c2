"""Sharing after signing: the link with the signer's code, and where it can be posted. No script of anybody else's."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from petitions.pages import PetitionPage, Share
from toolkit.referral_codes import REFERRAL_KEY


@dataclass(frozen=True)
class SharePlaces:
    """What to share (`title`, `text`, `url`) and named links that open the form of each place."""

    title: str
    text: str
    url: str
    links: list[tuple[str, str]]


def share_places(page: PetitionPage, *, code: str = "") -> SharePlaces:
    """The petition's link, with the referral code of a signer where there is one."""
    share: Share = page.share
    url = f"{share.url}?{urlencode({REFERRAL_KEY: code})}" if code else share.url
    message = f"{share.text} {url}"
    letter = f"{share.text}\n\n{url}"
    links = [
        ("WhatsApp", f"https://wa.me/?{query(text=message)}"),
        ("Bluesky", f"https://bsky.app/intent/compose?{query(text=message)}"),
        ("Facebook", f"https://www.facebook.com/sharer/sharer.php?{query(u=url)}"),
        ("SMS", f"sms:?&{query(body=message)}"),
        ("E-mail", f"mailto:?{query(subject=share.title, body=letter)}"),
    ]
    return SharePlaces(share.title, share.text, url, links)


def query(**values: str) -> str:
    return urlencode(values, quote_via=quote)
