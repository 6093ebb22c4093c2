"""The campaign page: its total, both sides of it in order, its pages, and what it never tells."""

import gzip
import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from petitions import campaign_page
from petitions.models import CampaignTally, Kind, Petition, Stand, Tally
from tests.factories import NOW, make_campaign, make_letter, make_petition, make_place, make_version
from tests.people import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def demand():
    return make_letter(campaign=make_campaign(slug="open-sundays", title="Open Sundays", summary="Open up."))


@pytest.fixture
def thanks(demand):
    return make_letter(campaign=demand.campaign, kind=Kind.THANK_YOU)


def make_city(letter, name, *, count=0, lately=0, **fields):
    petition = make_petition(letter=letter, place=make_place(name=name), slug=name.lower())
    Tally.objects.filter(pk=petition.pk).update(count=count, gained_lately=lately)
    Petition.objects.filter(pk=petition.pk).update(**fields)
    return petition


def make_group(letter, addressee, *, count=0):
    petition = Petition.objects.create(letter=letter, addressee=addressee, slug="group")
    make_version(petition)
    Tally.objects.filter(pk=petition.pk).update(count=count)
    return petition


def won(petition):
    Petition.objects.filter(pk=petition.pk).update(closed_at=NOW, won_at=NOW)


def get(page=None):
    return Client().get("/campaigns/open-sundays/", {"page": page} if page else {})


def side(response, kind):
    """The names in one of the lists, in their order; None where the page has no such list."""
    found = re.search(
        rf'<section class="city-list city-list--{kind}".*?</section>', response.content.decode(), re.S
    )
    return found and re.findall(r"<li><a [^>]*><bdi>(.*?)</bdi>", found[0])


def standing(response):
    return side(response, "thank-you")


def waiting(response):
    return side(response, "demand")


# --- Who stands where ------------------------------------------------------------------------------------------


def test_thanked_mayors_stand_beside_those_we_wait_for(demand, thanks):
    make_city(demand, "Rivermouth", count=12)
    make_city(thanks, "Hillford", count=7)

    page = get()

    assert standing(page) == ["Hillford"]
    assert waiting(page) == ["Rivermouth"]
    assert "1 stands with us" in text_of(page)
    assert "1 still to go" in text_of(page)


def test_every_row_says_whom_and_how_many_and_leads_to_the_petition(demand):
    petition = make_city(demand, "Rivermouth", count=1204)

    page = get()

    assert (
        f'<a href="/petitions/rivermouth/"><bdi>Rivermouth</bdi> <bdi>{petition.target.title}</bdi></a>'
        in (page.content.decode())
    )
    assert "1,204 signed" in re.sub("<[^>]+>", "", page.content.decode())


def test_a_won_demand_stands_with_us(demand):
    won(make_city(demand, "Rivermouth"))
    make_city(demand, "Hillford")

    page = get()

    assert standing(page) == ["Rivermouth"]
    assert waiting(page) == ["Hillford"]
    assert "Won" in text_of(page)


def test_a_city_that_was_won_and_is_thanked_appears_once(demand, thanks):
    won(make_city(demand, "Rivermouth"))
    make_petition(letter=thanks, slug="thanks")
    target = Petition.objects.get(slug="rivermouth").target
    Petition.objects.filter(slug="thanks").update(target=target)

    page = get()

    assert len(standing(page)) == 1
    assert 'href="/petitions/thanks/"' in page.content.decode()
    assert 'href="/petitions/rivermouth/"' not in page.content.decode()


def test_a_mayor_who_is_asked_again_is_waited_for_once_more(demand, thanks):
    make_city(demand, "Rivermouth")
    make_petition(letter=thanks, slug="thanks")
    target = Petition.objects.get(slug="rivermouth").target
    Petition.objects.filter(slug="thanks").update(target=target, closed_at=NOW)

    page = get()

    assert standing(page) is None
    assert waiting(page) == ["Rivermouth"]


def test_groups_are_named_by_whom_they_address(demand):
    make_group(demand, "mayors of the lake towns", count=3)

    page = get()

    assert waiting(page) == ["mayors of the lake towns"]


# --- Order -----------------------------------------------------------------------------------------------------


def test_cities_where_most_is_happening_come_first_and_closed_ones_last(demand):
    make_city(demand, "Old", count=900, lately=1)
    make_city(demand, "Busy", count=40, lately=30)
    make_city(demand, "Large", count=1000, lately=1)
    make_city(demand, "Over", count=5000, lately=500, closed_at=NOW)

    assert waiting(get()) == ["Busy", "Large", "Old", "Over"]


def test_below_the_floor_cities_are_sorted_by_name_after_the_others_whatever_happens_there(demand):
    Campaign.objects.update(count_floor=100)
    make_city(demand, "Quiet", count=100, lately=0)
    make_city(demand, "Zeta", count=3, lately=0)
    make_city(demand, "Alpha", count=2, lately=1)
    make_city(demand, "Middle", count=99, lately=99)

    page = get()

    assert waiting(page) == ["Quiet", "Alpha", "Middle", "Zeta"]
    assert "99 signed" not in text_of(page)


# --- The total -------------------------------------------------------------------------------------------------


def test_people_are_counted_once(demand):
    make_city(demand, "Rivermouth", count=1000)
    make_city(demand, "Hillford", count=500)
    CampaignTally.objects.create(campaign=demand.campaign, people=1234)

    assert "1,234 people have signed" in text_of(get())


def test_signatures_are_added_up_where_staff_chose_so(demand):
    Campaign.objects.update(total_of=Campaign.Total.SIGNATURES)
    make_city(demand, "Rivermouth", count=1000)
    make_city(demand, "Hillford", count=500)
    CampaignTally.objects.create(campaign=demand.campaign, people=1234)

    assert "1,500 signatures" in text_of(get())


def test_people_behind_hidden_counts_are_not_told(demand):
    Campaign.objects.update(count_floor=100)
    make_city(demand, "Rivermouth", count=1000)
    make_city(demand, "Hillford", count=99)
    CampaignTally.objects.create(campaign=demand.campaign, people=1099)

    page = text_of(get())

    assert "1,000 people have signed" in page
    assert "1,099" not in page


def test_where_every_count_is_hidden_there_is_no_total(demand):
    Campaign.objects.update(count_floor=100)
    make_city(demand, "Rivermouth", count=99)
    CampaignTally.objects.create(campaign=demand.campaign, people=99)

    assert "signed" not in text_of(get())


def test_one_person_is_one_person(demand):
    make_city(demand, "Rivermouth", count=1)
    CampaignTally.objects.create(campaign=demand.campaign, people=1)

    assert "1 person has signed" in text_of(get())


# --- Every state a campaign can be in -----------------------------------------------------------------------------


def test_where_nobody_stands_with_us_yet_the_page_invites_the_first(demand):
    make_city(demand, "Rivermouth")
    make_city(demand, "Hillford")

    page = get()

    assert standing(page) is None
    assert "Who will be the first?" in text_of(page)
    assert "still to go" not in text_of(page)


def test_where_all_stand_with_us_the_page_celebrates(demand, thanks):
    won(make_city(demand, "Rivermouth"))
    make_city(thanks, "Hillford")

    page = get()

    assert waiting(page) is None
    assert "All 2 stand with us. Thank you for signing." in text_of(page)


def test_a_campaign_of_thanks_alone_does_not_claim_a_victory(thanks):
    make_city(thanks, "Rivermouth")

    page = get()

    assert standing(page) == ["Rivermouth"]
    assert "It is done" not in text_of(page)
    assert "stands with us" not in text_of(page).replace("Who stands with us", "")


def test_a_campaign_that_is_over_says_so_and_offers_no_search(demand):
    make_city(demand, "Rivermouth", closed_at=NOW)
    make_city(demand, "Hillford", closes_at=timezone.now() - timedelta(minutes=1))

    page = text_of(get())

    assert "This campaign is over." in page
    assert "Who we waited for" in page
    assert "Find your city" not in page


def test_an_open_campaign_offers_to_find_the_city(demand):
    make_city(demand, "Rivermouth")

    assert "Find your city" in text_of(get())


def test_a_campaign_without_a_public_petition_is_not_there(demand):
    make_petition(letter=demand, live=False)

    assert get().status_code == 404


def test_odd_names_stay_text(demand):
    petition = make_city(demand, "Rivermouth")
    odd = "<b>Bold</b> & “Co” \u202e القدس"
    make_version(petition, place_name=odd[:120], addressee="M" * 300)

    page = get().content.decode()

    assert "<b>Bold" not in page
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; “Co” \u202e القدس" in page
    assert "M" * 300 in page


def test_news_are_told_newest_first_and_older_ones_folded(demand, thanks):
    for number in range(5):
        left, joined = (
            make_city(demand, f"Left {number}".replace(" ", "-")),
            make_city(thanks, f"Joined-{number}"),
        )
        Stand.objects.create(
            campaign=demand.campaign, target=left.target, taken_on=date(2026, 4, 1 + number),
            reason=f"Reason {number}.", left=left, joined=joined, recorded_at=NOW,
        )  # fmt: skip

    latest, earlier = get().content.decode().split("<details>")

    assert re.findall(r"Reason \d", latest) == ["Reason 4", "Reason 3", "Reason 2"]
    assert re.findall(r"Reason \d", earlier) == ["Reason 1", "Reason 0"]


def test_the_page_has_what_a_shared_link_shows(demand):
    make_city(demand, "Rivermouth")

    page = get().content.decode()

    assert '<meta property="og:title" content="Open Sundays">' in page
    assert '<meta name="description" content="Open up.">' in page
    assert '<link rel="canonical" href="http://testserver/campaigns/open-sundays/">' in page


# --- Pages -----------------------------------------------------------------------------------------------------


@pytest.fixture
def short_pages(monkeypatch):
    """Ten rows a page instead of a thousand."""
    monkeypatch.setattr(campaign_page, "ROWS_ON_A_PAGE", 10)
    campaign_page.sides_of.cache_clear()
    yield
    campaign_page.sides_of.cache_clear()


def test_a_long_list_goes_on_over_pages_and_misses_nobody(demand, thanks, short_pages):
    asked = {make_city(demand, f"Asked-{number}").slug for number in range(18)}
    thanked = {make_city(thanks, f"Thanked-{number}").slug for number in range(5)}

    pages = [get(number) for number in (1, 2, 3)]

    rows = [re.findall(r'<li><a href="/petitions/([^"]*)/">', page.content.decode()) for page in pages]
    assert all(len(of_page) <= 10 for of_page in rows)
    assert sorted(slug for of_page in rows for slug in of_page) == sorted(asked | thanked)
    assert "Page 2 of 3" in text_of(pages[1])
    assert 'href="?page=3"' in pages[1].content.decode()
    assert (
        '<link rel="canonical" href="http://testserver/campaigns/open-sundays/?page=2">'
        in pages[1].content.decode()
    )


@pytest.mark.parametrize(
    "number", ["2", "0", "-1", "x", "", " 1", "1.0", "٣", "9" * 5000, "\x00", "1\n", "%", "²"], ids=repr
)
def test_no_other_page_is_there(demand, number):
    make_city(demand, "Rivermouth")

    assert Client().get("/campaigns/open-sundays/", {"page": number}).status_code == 404


@pytest.mark.parametrize(
    ("all_standing", "all_waiting"),
    [
        (0, 1),
        (1, 0),
        (500, 500),
        (0, 1001),
        (1001, 0),
        (1, 1000),
        (1000, 1),
        (1999, 1),
        (1, 5000),
        (700, 700),
        (3, 9997),
    ],
)
def test_pages_hold_everybody_once(all_standing, all_waiting):
    pages = campaign_page.Pages(all_standing, all_waiting)
    standing, waiting = range(all_standing), range(all_waiting)

    numbers = range(1, pages.number + 1)

    assert [row for number in numbers for row in standing[pages.standing(number)]] == list(standing)
    assert [row for number in numbers for row in waiting[pages.waiting(number)]] == list(waiting)
    for number in numbers:
        rows = len(standing[pages.standing(number)]) + len(waiting[pages.waiting(number)])
        assert 0 < rows <= campaign_page.ROWS_ON_A_PAGE


# --- Weight ----------------------------------------------------------------------------------------------------


def test_the_page_takes_three_queries_however_many_cities(demand, thanks, django_assert_num_queries):
    for number in range(12):
        make_city(demand, f"Asked-{number}")
        make_city(thanks, f"Thanked-{number}")
    get()

    with django_assert_num_queries(3):
        assert len(waiting(get())) == 12


def test_a_new_signature_shows_at_once(demand):
    petition = make_city(demand, "Rivermouth", count=7)
    assert "7 signed" in re.sub("<[^>]+>", "", get().content.decode())
    Tally.objects.filter(pk=petition.pk).update(count=8)

    assert "8 signed" in re.sub("<[^>]+>", "", get().content.decode())


def test_raising_the_floor_hides_at_once(demand):
    make_city(demand, "Rivermouth", count=7)
    assert "7 signed" in re.sub("<[^>]+>", "", get().content.decode())
    Campaign.objects.update(count_floor=8)

    assert "signed" not in text_of(get())


def test_cities_of_one_name_are_told_apart_by_their_region(demand):
    for region in ("Eastmark", "Westmark"):
        make_petition(letter=demand, place=make_place(name="Springwell", region=region), slug=region.lower())
    make_city(demand, "Rivermouth")

    text = text_of(get())

    assert "Springwell, Eastmark" in text
    assert "Springwell, Westmark" in text
    assert "Rivermouth," not in text


def test_a_thousand_rows_are_less_than_sixty_kilobytes():
    rows = tuple(
        (f"open-sundays-place-{number:x}{number * 7919 % 65536:x}", f"Place {number * 31 % 9973:x}",
         f"Mayor {number * 17 % 7919:x} {number * 104729 % 99991:x}", "demand", "open", number * 37 % 5003, 0, number, "Westmark")
        for number in range(1000)
    )  # fmt: skip

    html = campaign_page.sides_of(rows, 0, 1).waiting.rows

    assert html.count("<li>") == 1000
    assert len(gzip.compress(html.encode(), 2)) < 50_000
