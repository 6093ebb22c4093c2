"""Forms filled in with one odd value among good ones, which get further than nonsense throughout."""

import random
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client

from campaigns.models import Campaign
from signers.counting import recount
from signers.models import OutgoingMail, Signature, Submission
from tests import factories
from tests.fuzz.bad_requests import TEXTS
from tests.people import work

pytestmark = pytest.mark.django_db
HIDDEN = ["stamp", "elapsed", "version", "website", "unknown"]
FORM = "application/x-www-form-urlencoded"


def typed(value):
    """As Django reads it: what is not UTF-8 becomes replacement characters."""
    return value.decode("utf-8", "replace")


def test_whatever_stands_in_a_field_of_the_sign_form_is_refused_or_becomes_a_signature(client):
    petition = factories.make_petition()
    # Not for the country: a list of 249 shown a hundred times is only slow, and the ten thousand post it too.
    Campaign.objects.update(asks_postal_code=True, asks_comment=True)
    good = {
        "first_name": "Connie",
        "last_name": "Rivera",
        "updates": "yes",
        "postal_code": "94301",
        "comment": "Because.",
    }

    answers = set()
    for number, value in enumerate(TEXTS):
        for name in [*good, "email"] if number % 3 else [*good, "email", *HIDDEN]:
            data = {**good, "email": f"connie.{number}.{name}@people.example", name: typed(value)}
            answer = client.post(
                f"/petitions/{petition.slug}/sign/",
                urlencode(data),
                content_type=FORM,
                headers={"sec-fetch-site": "same-origin"},
            )
            answers.add(answer.status_code)
    taken = Submission.objects.count()
    work()

    assert answers <= {303, 422, 400}
    assert taken > 150
    assert not Submission.objects.exists()
    assert Signature.objects.exists()
    assert not OutgoingMail.objects.filter(sent_at=None).exists()
    assert len(mail.outbox) == OutgoingMail.objects.count()
    assert recount() == []


class Fields(HTMLParser):
    """The names and values a browser would post of all forms of a page."""

    def __init__(self, page):
        super().__init__()
        self.data = {}
        self.open = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        name = found.get("name")
        if tag == "input" and name and found.get("type") not in {"submit", "file", "checkbox", "radio"}:
            self.data[name] = found.get("value") or ""
        elif tag == "input" and name and "checked" in found:
            self.data[name] = found.get("value") or "on"
        elif tag in {"select", "textarea"} and name:
            self.open = name
            self.data[name] = ""
        elif tag == "option" and self.open and "selected" in found:
            self.data[self.open] = found.get("value") or ""

    def handle_data(self, data):
        if self.open and self.lasttag == "textarea":
            self.data[self.open] += data

    def handle_endtag(self, tag):
        if tag in {"select", "textarea"}:
            self.open = None


@pytest.fixture
def staff_forms(db):
    """A client logged in as staff, and the addresses of the forms staff fill in."""
    signature = factories.make_signature(confirmed=True)
    petition, campaign = signature.petition, signature.petition.campaign
    client = Client()
    client.force_login(factories.make_staff(is_superuser=True))
    rows = {
        "campaigns/organization": campaign.organization_id,
        "campaigns/campaign": campaign.pk,
        "campaigns/place": petition.target.place_id,
        "campaigns/target": petition.target_id,
        "petitions/petition": petition.pk,
        "signers/signature": signature.pk,
        "staff/user": client.session["_auth_user_id"],
    }
    addresses = [f"/admin/{name}/{pk}/change/" for name, pk in rows.items()]
    addresses += [f"/admin/{name}/add/" for name in rows]
    addresses += [f"/admin/{name}/" for name in rows]
    return client, [address for address in addresses if client.get(address).status_code == 200]


@pytest.mark.parametrize("part", range(2))
def test_whatever_stands_in_a_field_of_a_form_of_staff_is_answered(staff_forms, part):
    client, addresses = staff_forms
    forms = {address: Fields(client.get(address).content.decode()).data for address in addresses}
    chance = random.Random(part)

    answers = []
    for _ in range(60):
        address = chance.choice(addresses)
        data = dict(forms[address])
        for name in chance.sample(sorted(data), k=min(len(data), chance.randint(1, 3))):
            data[name] = typed(chance.choice(TEXTS)[:6000])
        with transaction.atomic():
            answers.append(client.post(address, data).status_code)
            transaction.set_rollback(True)

    assert len(addresses) > 8
    assert max(answers) < 500
    assert answers.count(302) > 2
