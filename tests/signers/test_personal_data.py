"""Somebody's data for them to keep: all of it, and nothing of anybody else."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

from fraud.models import Mark
from mailings.models import Edition, Mailing, MailReport, Recipient
from signers import changing_address, consents, own_page
from signers.consents import Choice
from signers.models import Consent, Supporter
from signers.personal_data import collect
from signers.tokens import own_page_link
from tests.factories import NOW, make_mail, make_petition, make_signature, make_submission

# About people of other kinds.
OTHERS = {"Target", "TargetList", "User", "AuditEntry", "SignInAttempt", "BlockedMailbox", "Burst"}


@pytest.fixture
def connie(db):
    """Somebody who is in every table."""
    signature = make_signature(
        email="connie@example.org", confirmed=True, first_name="محمد", comment='=1+1 "so"\nand on'
    )
    supporter = signature.supporter
    make_mail(signature, sent_at=NOW)
    make_submission(make_petition(), email="Connie@example.org", parked_at=NOW)
    organization = signature.petition.campaign.organization_id
    consents.record(
        [Choice(supporter.pk, organization, True, "May we?")], source=Consent.Source.SIGN_FORM, at=NOW
    )
    changing_address.ask(supporter_id=supporter.pk, email="new@example.org", at=NOW)
    own_page.ask_for_link(email="connie@example.org", at=NOW)
    mailing = Mailing.objects.create(
        campaign=signature.petition.campaign, title="News", subject="News", body="News", created_at=NOW
    )
    edition = Edition.objects.create(mailing=mailing, subject="News", html="", text="")
    Recipient.objects.create(
        mailing=mailing, supporter=supporter, edition=edition, due_at=NOW, sent_at=NOW, handed_over_at=NOW
    )
    MailReport.objects.create(supporter=supporter, kind="soft", reason="Full", at=NOW, event="1")
    Mark.objects.create(
        signature=signature, petition_id=signature.petition_id, received_at=NOW, folded_at=NOW
    )
    return supporter


def test_every_table_with_personal_fields_is_in_it(connie):
    tables = {
        str(model._meta.verbose_name): set(model.PERSONAL_FIELDS) - {"supporter"}
        for model in apps.get_models()
        if getattr(model, "PERSONAL_FIELDS", None) and model.__name__ not in OTHERS
    }

    found = collect(connie)

    assert set(found) == set(tables)
    assert all(found.values())
    assert all(tables[name] <= set(row) for name, rows in found.items() for row in rows)


def test_there_is_nothing_of_anybody_else_in_it(connie):
    make_signature(email="ray@example.org", first_name="Ray")
    make_submission(make_petition(), email="ray@example.org", parked_at=NOW)

    assert "ray@" not in json.dumps(collect(connie))


def address(supporter, name):
    return own_page_link(supporter, timezone.now()).removeprefix("http://testserver") + name


def test_json_is_whole_and_readable(client, connie):
    response = client.get(address(connie, "data.json"))

    data = json.loads(response.content)
    [signature] = data["signature"]
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert signature["first_name"] == "محمد"
    assert signature["petition"].startswith("http://testserver/petitions/")
    assert signature["signed_at"] == "2026-05-03T12:00:00+00:00"
    assert "محمد" in response.content.decode()


def test_csv_has_a_line_for_each_value_and_no_formula(client, connie):
    response = client.get(address(connie, "data.csv"))

    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["about", "number", "what", "value"]
    assert ["signature", "1", "comment", '\'=1+1 "so"\nand on'] in rows
    assert ["consent", "1", "wording", "May we?"] in rows


def test_old_link_gives_nothing_away(client, connie):
    link = own_page_link(connie, timezone.now() - timedelta(days=2)).removeprefix("http://testserver")

    for name in ("data.json", "data.csv"):
        response = client.get(link + name)
        assert response.status_code == 410
        assert "connie@" not in response.content.decode()


def test_downloading_changes_nothing(client, connie):
    before = Supporter.objects.values().get()

    client.get(address(connie, "data.json"))

    assert Supporter.objects.values().get() == before
