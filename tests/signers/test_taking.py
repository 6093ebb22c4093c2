"""Sign posts that are taken ahead of the ordinary way, and that both ways write the same."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import OperationalError
from django.forms import model_to_dict
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from petitions.models import Petition
from petitions.views import live_page
from signers import forms, taking
from signers.models import Submission
from signers.signing import SignInput, submit_if_open
from tests import factories

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)
TYPED = {"first_name": "Connie", "last_name": "Rivera", "email": "connie@people.example", "updates": "yes"}
OURS = {"sec-fetch-site": "same-origin"}
FORM = "application/x-www-form-urlencoded"
INPUT = SignInput(
    first_name="Connie", last_name="Rivera", email="connie@people.example", updates=True, wording="May we?"
)


@pytest.fixture
def petition() -> Petition:
    return factories.make_petition()


def post(client: Client, petition: Petition, **changes: str) -> Any:
    """As a browser does it; the test client's own way is multipart."""
    data = urlencode(TYPED | changes)
    return client.post(f"/petitions/{petition.slug}/sign/", data, content_type=FORM, headers=OURS)


def test_second_post_of_a_moment_is_one_insert_and_nothing_else(
    client: Client, petition: Petition, django_assert_num_queries: Any
) -> None:
    post(client, petition)

    with django_assert_num_queries(1):
        response = post(client, petition)

    assert response.status_code == 303
    assert Submission.objects.count() == 2


def test_both_ways_write_the_same(client: Client, petition: Petition) -> None:
    Campaign.objects.update(asks_postal_code=True, asks_comment=True)
    typed = {"postal_code": "94301 ", "comment": "Because.", "website": "x", "email": "connie@gmial.com"}

    ahead = post(client, petition, **typed)
    client.post(f"/petitions/{petition.slug}/sign/", TYPED | typed, headers=OURS)

    one, other = (
        model_to_dict(row, exclude=["id", "received_at", "referral_code"]) for row in Submission.objects.all()
    )
    assert one == other
    assert one["evidence"] == ["honeypot", "no-stamp", "typo"]
    assert ahead["Location"].endswith("?mail=gmial.com")


def test_answer_carries_what_every_answer_carries(client: Client, petition: Petition) -> None:
    ahead = post(client, petition)
    ordinary = client.post(f"/petitions/{petition.slug}/sign/", TYPED, headers=OURS)

    # `Cache-Control` says all that `Expires` says.
    assert set(ahead.headers) >= set(ordinary.headers) - {"Expires"}
    assert ahead["Cache-Control"] == ordinary["Cache-Control"]
    assert not ahead.cookies


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "connie@"},
        {"updates": ""},
        {"first_name": "\x00"},
        {"last_name": "www.spam.example"},
    ],
)
def test_mistakes_are_told_by_the_form(client: Client, petition: Petition, changes: dict[str, str]) -> None:
    post(client, petition)

    assert post(client, petition, **changes).status_code == 422
    assert Submission.objects.count() == 1


def test_country_is_checked_against_the_list(client: Client, petition: Petition) -> None:
    Campaign.objects.update(asks_country=True)

    assert post(client, petition, country="XX").status_code == 422
    assert post(client, petition, country="NZ").status_code == 303


def test_petition_closed_since_the_last_post_takes_nothing(client: Client, petition: Petition) -> None:
    post(client, petition)
    Petition.objects.update(closed_at=timezone.now())

    response = post(client, petition)

    assert response.status_code == 409
    assert Submission.objects.count() == 1


def test_unpublished_since_the_last_post_is_not_found(client: Client, petition: Petition) -> None:
    post(client, petition)
    Petition.objects.update(live_at=None)

    assert post(client, petition).status_code == 404


def test_older_version_is_noted_as_the_one_that_was_read(client: Client, petition: Petition) -> None:
    older = petition.current_version
    post(client, petition, version="1")
    newer = factories.make_version(petition)
    Petition.objects.update(current_version=newer)

    post(client, petition, version="1")
    post(client, petition, version="2")

    assert list(Submission.objects.values_list("version_id", flat=True)) == [older.pk, older.pk, newer.pk]


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://other.example"}])
def test_other_sites_may_not(petition: Petition, headers: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)

    response = client.post(f"/petitions/{petition.slug}/sign/", "x=y", content_type=FORM, headers=headers)

    assert response.status_code == 403


def test_hosts_that_are_not_ours_are_refused(client: Client, petition: Petition) -> None:
    response = client.post(
        f"/petitions/{petition.slug}/sign/",
        "first_name=Connie",
        content_type=FORM,
        headers=OURS | {"host": "other.example"},
    )

    assert response.status_code == 400


def test_database_away_keeps_what_was_typed(
    client: Client, petition: Petition, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**given: object) -> bool:
        raise OperationalError

    monkeypatch.setattr(taking, "submit_if_open", away)

    response = post(client, petition)

    assert response.status_code == 503
    assert b"Rivera" in response.content


@pytest.mark.parametrize("name", ["Connie", " Zoë ", "李", "", "\x00", "a" * 81, "<b>"])
def test_fields_alone_clean_as_the_form_does(petition: Petition, name: str) -> None:
    data = QueryDict(mutable=True)
    data.update(TYPED | {"first_name": name})
    form = forms.SignForm(page=live_page(petition.slug), at=NOW, data=data)

    expected = {name: form.cleaned_data[name] for name in forms.ALWAYS_ASKED} if form.is_valid() else None
    assert forms.cleaned_at_once(data, asked=forms.ALWAYS_ASKED) == expected


@pytest.mark.parametrize(
    ("dates", "others"),
    [
        ({}, {}),
        ({"live_at": None}, {}),
        ({"live_at": NOW + DAY}, {}),
        ({"live_at": NOW}, {}),
        ({"closes_at": NOW}, {}),
        ({"closes_at": NOW + DAY}, {}),
        ({"closed_at": NOW - DAY}, {}),
        ({}, {"slug": "elsewhere"}),
        ({}, {"version_id": 0}),
        ({}, {"petition_id": 0}),
    ],
)
def test_insert_proves_what_the_queryset_says(
    petition: Petition, dates: dict[str, datetime | None], others: dict[str, Any]
) -> None:
    Petition.objects.update(**dates)
    known = {
        "petition_id": petition.pk,
        "slug": petition.slug,
        "version_id": petition.current_version_id,
    } | others

    written = submit_if_open(**known, cleaned=INPUT, at=NOW)

    is_open = Petition.objects.open(at=NOW).filter(
        pk=known["petition_id"], slug=known["slug"], current_version=known["version_id"]
    )
    assert written == is_open.exists() == Submission.objects.exists()


def test_memory_is_bounded(petition: Petition, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_REMEMBERED", 2)
    for slug in "abc":
        Petition.objects.update(slug=slug)
        assert taking.asked_by(slug, at=timezone.now())

    assert len(taking._remembered) <= 2


def test_what_is_remembered_is_asked_again_after_a_moment(
    petition: Petition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "REMEMBERED", 0.0)
    first = taking.asked_by(petition.slug, at=timezone.now())
    Campaign.objects.update(asks_comment=True)

    second = taking.asked_by(petition.slug, at=timezone.now())

    assert first is not None
    assert second is not None
    assert "comment" not in first.fields
    assert "comment" in second.fields
