"""People with a browser and a mailbox, and the worker: what journeys are told with."""

import html
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from petitions.models import Petition
from signers.answering import answer
from signers.counting import add_up
from signers.folding import fold
from signers.sending import send_due
from toolkit.signed_tokens import stamp

ADDRESS = re.compile(r"http://[^/\s]+(/\S*)")
INLINE = re.compile(r"</?(?:bdi|strong|span|time)\b[^>]*>")


@dataclass
class Person:
    """Somebody at a browser that sends no header but what a browser sends. `email` is what they type."""

    first_name: str = "Connie"
    last_name: str = "Rivera"
    email: str = "connie@people.example"
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def opens(self, address: str) -> HttpResponse:
        return self.client.get(address)

    def presses(self, address: str, **fields: str) -> HttpResponse:
        """The button of the page at `address`, whose form posts to the page itself."""
        return self.client.post(address, fields, headers={"sec-fetch-site": "same-origin"})

    def signs(self, petition: Petition, **typed: str) -> HttpResponse:
        """After a minute's reading; returns the answer to the post, a redirect if all is well."""
        read_at = timezone.now() - timedelta(minutes=1)
        fields = {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "updates": "no",
            "stamp": stamp(scope=f"petition {petition.pk}", at=read_at),
            "elapsed": "60000",
            "website": "",
        }
        return self.presses(f"{petition.get_absolute_url()}sign/", **fields | typed)

    @property
    def mails(self) -> list[EmailMultiAlternatives]:
        """What arrived in their mailbox, oldest first."""
        return [message for message in mail.outbox if message.to == [self.email]]

    def link(self, purpose: str, *, which: int = -1) -> str:
        """The path of the mail's link that begins with `purpose`, from the text that is read without HTML."""
        paths = ADDRESS.findall(str(self.mails[which].body))
        return next(path for path in paths if path.startswith(f"/{purpose}/"))

    def confirms(self, *, which: int = -1) -> HttpResponse:
        """Opens the link in the mail and presses the button there."""
        address = self.link("confirm", which=which)
        self.opens(address)
        return self.presses(address)


def text_of(response: HttpResponse) -> str:
    """The page as a reader sees it, near enough: without tags and doubled spaces."""
    text = re.sub(r"<[^>]+>", " ", INLINE.sub("", response.content.decode()))
    return " ".join(html.unescape(text).split())


def shown_count(person: Person, petition: Petition) -> tuple[int, int]:
    """The number on the page and the one in `count.json`."""
    page = person.opens(petition.get_absolute_url()).content.decode()
    on_page = re.search(r'class="progress__number"[^>]*>([\d,]+)<', page)
    assert on_page is not None
    told = person.opens(f"{petition.get_absolute_url()}count.json").json()["count"]
    return int(on_page[1].replace(",", "")), told


def path_of(response: HttpResponse) -> str:
    """Where a redirect leads."""
    return urlsplit(response["Location"]).path


def later(**difference: Any) -> datetime:
    return timezone.now() + timedelta(**difference)


def work(*, at: datetime | None = None) -> None:
    """The worker doing everything that is due at that moment (now)."""
    now = at or timezone.now()
    while fold(at=now):
        pass
    while answer(at=now):
        pass
    while send_due(at=now):
        pass
    add_up(at=now)
