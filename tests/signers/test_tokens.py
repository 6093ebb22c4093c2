"""The links in mails."""

from datetime import timedelta

import pytest

from signers import tokens
from tests.factories import NOW, make_signature
from toolkit.signed_tokens import ExpiredToken, InvalidToken

LINKS = [
    (tokens.confirm_link, tokens.read_confirm, "confirm", 30),
    (tokens.not_me_link, tokens.read_not_me, "not-me", 90),
]


@pytest.mark.parametrize(("link", "read", "path", "days"), LINKS)
def test_link_leads_back_to_its_signature_until_it_expires(db, settings, link, read, path, days):
    settings.SITE_URL = "https://petitions.example.org"
    signature = make_signature()

    url = link(signature, NOW)

    start = f"https://petitions.example.org/{path}/"
    assert url.startswith(start)
    token = url.removeprefix(start).removesuffix("/")
    assert read(token, at=NOW + timedelta(days=days)) == signature.pk
    with pytest.raises(ExpiredToken):
        read(token, at=NOW + timedelta(days=days, seconds=1))


def test_one_link_cannot_do_what_the_other_does(db):
    token = tokens.confirm_link(make_signature(), NOW).rstrip("/").rpartition("/")[2]

    with pytest.raises(InvalidToken):
        tokens.read_not_me(token, at=NOW)
