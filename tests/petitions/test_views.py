"""The public pages: the same bytes for everybody, in few queries."""

import gzip
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign, Organization
from petitions.closing import close, unpublish
from petitions.models import Letter, Petition, Tally
from petitions.publishing import publish
from tests.petitions.conftest import add_petition


@pytest.fixture
def live(campaign: Campaign, petition: Petition, second: Petition) -> Petition:
    publish(campaign=campaign, at=timezone.now() - timedelta(days=1))
    petition.refresh_from_db()
    return petition


def test_petition_page_shows_what_is_signed(client: Client, live: Petition) -> None:
    page = client.get("/petitions/demand-rivermouth/").content.decode()

    assert "Open Rivermouth’s library on Sundays" in page
    assert "The petition to Mayor Okafor reads:" in page
    assert "Your name will be given to Mayor Ada Okafor." in page
    assert 'action="/petitions/demand-rivermouth/sign/"' in page


def test_petition_page_takes_at_most_two_queries(
    client: Client, live: Petition, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(2):
        assert client.get("/petitions/demand-rivermouth/").status_code == 200


def test_count_takes_one_query(client: Client, live: Petition, django_assert_num_queries: Any) -> None:
    Tally.objects.filter(petition=live).update(count=1204, local=312)

    with django_assert_num_queries(1):
        response = client.get("/petitions/demand-rivermouth/count.json")

    assert response.json() == {"count": 1204, "goal": 1500, "local": 312}


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/campaigns/open-sundays/",
        "/petitions/demand-rivermouth/",
        "/petitions/demand-rivermouth/versions/",
        "/petitions/demand-rivermouth/count.json",
    ],
)
def test_public_pages_are_the_same_for_everybody(client: Client, live: Petition, address: str) -> None:
    response = client.get(address, headers={"cookie": "staff=somebody; csrf=x"})

    assert response.status_code == 200
    assert not response.cookies
    assert "cookie" not in response.get("Vary", "").lower()
    assert response["Cache-Control"].startswith("public")
    again = client.get(address, headers={"if-none-match": response["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_etag_changes_with_the_count(client: Client, live: Petition) -> None:
    before = client.get("/petitions/demand-rivermouth/")["ETag"]
    Tally.objects.filter(petition=live).update(count=7)

    assert client.get("/petitions/demand-rivermouth/")["ETag"] != before


def test_pages_are_compressed_for_those_who_can(client: Client, live: Petition) -> None:
    plain = client.get("/petitions/demand-rivermouth/")
    packed = client.get("/petitions/demand-rivermouth/", headers={"accept-encoding": "br, gzip"})
    refused = client.get("/petitions/demand-rivermouth/", headers={"accept-encoding": "gzip;q=0"})

    assert packed["Content-Encoding"] == "gzip"
    assert b"Open Rivermouth" in gzip.decompress(packed.content)
    assert "Content-Encoding" not in plain
    assert "Content-Encoding" not in refused
    assert "Accept-Encoding" in plain["Vary"]


def test_drafts_and_scheduled_petitions_are_not_there(
    client: Client, campaign: Campaign, petition: Petition, now: datetime
) -> None:
    assert client.get("/petitions/demand-rivermouth/").status_code == 404
    publish(campaign=campaign, at=timezone.now(), live_at=timezone.now() + timedelta(days=1))

    assert client.get("/petitions/demand-rivermouth/").status_code == 404
    assert client.get("/campaigns/open-sundays/").status_code == 404
    assert client.get("/petitions/demand-rivermouth/count.json").status_code == 404


def test_unpublished_petition_is_gone_and_leads_to_its_campaign(client: Client, live: Petition) -> None:
    unpublish(petition=live, actor=None, at=timezone.now(), reason="Wrong name.")

    assert client.get("/petitions/demand-rivermouth/")["Location"] == "/campaigns/open-sundays/"
    assert client.get("/petitions/demand-rivermouth/count.json").status_code == 404
    assert "Okafor" not in client.get("/campaigns/open-sundays/").content.decode()


def test_closed_petition_says_so_and_has_no_form(client: Client, live: Petition) -> None:
    close(petition=live, actor=None, at=timezone.now(), note="The council voted.", won=True)

    page = client.get("/petitions/demand-rivermouth/").content.decode()

    assert "The council voted." in page
    assert 'name="email"' not in page


def test_change_history_shows_reason_and_words(
    client: Client, campaign: Campaign, letter: Letter, live: Petition
) -> None:
    letter.statement = "Open the library on **Saturdays**.[^hours]"
    letter.save()
    publish(campaign=campaign, at=timezone.now(), reason="The council moved the day.")

    page = client.get("/petitions/demand-rivermouth/versions/").content.decode()

    assert "The council moved the day." in page or "Saturdays" in page
    assert "<del" in page
    assert "<ins" in page


def test_home_without_campaigns_is_a_page(client: Client, db: None) -> None:
    assert client.get("/").status_code == 200


def test_campaign_shows_its_total(client: Client, live: Petition, second: Petition) -> None:
    Tally.objects.filter(petition=live).update(count=1000)
    Tally.objects.filter(petition=second).update(count=234)

    page = client.get("/campaigns/open-sundays/").content.decode()

    assert "1,234" in page


def test_home_shows_open_petitions_of_open_campaigns(
    client: Client, live: Petition, second: Petition, django_assert_num_queries: Any
) -> None:
    close(petition=second, actor=None, at=timezone.now())

    with django_assert_num_queries(2):
        page = client.get("/").content.decode()

    assert 'href="/petitions/demand-rivermouth/"' in page
    assert 'href="/petitions/demand-hillford/"' not in page
    assert "1 open petition" in page


def test_home_lists_campaigns_that_are_over_apart(client: Client, live: Petition, second: Petition) -> None:
    for petition in (live, second):
        close(petition=petition, actor=None, at=timezone.now())

    page = client.get("/").content.decode()

    assert ">Over<" in page
    assert "/petitions/" not in page


def test_no_total_tells_a_count_that_is_not_shown(client: Client, live: Petition, second: Petition) -> None:
    Tally.objects.filter(petition=live).update(count=1000)
    Tally.objects.filter(petition=second).update(count=7)
    Campaign.objects.update(count_floor=50)

    for address in ("/", "/campaigns/open-sundays/"):
        page = client.get(address).content.decode()
        assert "1,000" in page
        assert "1,007" not in page


def test_campaign_below_its_floor_shows_no_total(client: Client, campaign: Campaign, live: Petition) -> None:
    Tally.objects.filter(petition=live).update(count=7)
    Campaign.objects.update(count_floor=50)

    response = client.get("/petitions/demand-rivermouth/count.json")

    assert response.json() == {"count": None, "goal": 100, "local": None}


def test_accent_is_a_style_sheet_of_custom_properties(
    client: Client, campaign: Campaign, live: Petition
) -> None:
    page = client.get("/petitions/demand-rivermouth/").content.decode()
    address = page.split('href="/organizations/')[1].split('"')[0]

    response = client.get(f"/organizations/{address}")

    assert response["Content-Type"].startswith("text/css")
    assert "--accent:#7a1f3d" in response.content.decode()
    assert "immutable" in response["Cache-Control"]


def test_style_sheet_at_an_address_of_another_color_is_not_kept_for_long(
    client: Client, campaign: Campaign, live: Petition
) -> None:
    response = client.get(f"/organizations/{campaign.organization_id}/accent-abc.css")

    assert response.status_code == 200
    assert "immutable" not in response["Cache-Control"]


def test_organization_without_color_has_no_style_sheet(
    client: Client, campaign: Campaign, live: Petition
) -> None:
    Organization.objects.update(accent="")

    assert "/organizations/" not in client.get("/petitions/demand-rivermouth/").content.decode()
    assert client.get(f"/organizations/{campaign.organization_id}/accent-abc.css").status_code == 404


def test_every_page_carries_the_security_headers(client: Client, live: Petition) -> None:
    for address in ("/", "/petitions/demand-rivermouth/", "/nowhere/", "/admin/login/"):
        headers = client.get(address).headers

        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def test_home_chooses_among_hidden_counts_without_looking_at_them(
    client: Client, campaign: Campaign, letter: Letter
) -> None:
    for number in range(6):
        add_petition(letter, place=f"Place{number}", name=f"Ada Okafor {number}", position=number)
    publish(campaign=campaign, at=timezone.now())
    Campaign.objects.update(count_floor=100)
    Tally.objects.filter(petition__slug="demand-place5").update(count=99)

    page = client.get("/").content.decode()

    assert "/petitions/demand-place4/" in page
    assert "/petitions/demand-place5/" not in page
