"""Nominating a city: what counts, how often, what is kept, and what staff see."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Nomination, NominationMark, PostalCode, Target
from campaigns.nominating import city_wished_for, forget_marks, nominate
from staff.roles import EDITOR, SIGNATURE_MANAGER
from tests.factories import NOW, make_campaign, make_letter, make_petition, make_place, make_staff
from tests.people import text_of

pytestmark = pytest.mark.django_db
OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def campaign():
    return make_campaign()


@pytest.fixture
def wish(campaign):
    """`wish("Saltash", address="192.0.2.7")`; returns the nomination, or None where it did not count."""

    def do(typed, *, address="192.0.2.7", at=NOW, of=None):
        return nominate(campaign=of or campaign, typed=typed, address=address, at=at)

    return do


def counts():
    return dict(Nomination.objects.values_list("name", "count"))


def test_wish_is_counted_under_one_spelling(wish):
    PostalCode.objects.create(country="US", code="97477", name="Springfield", region="OR")

    wish("springfield, or")
    wish("SPRINGFIELD, Oregon", address="198.51.100.7")

    nomination = Nomination.objects.get()
    assert (str(nomination), nomination.country, nomination.count) == (
        "Springfield, Oregon",
        "United States",
        2,
    )


def test_unknown_city_is_counted_as_typed(wish):
    wish("Hohenfels an der Au, Westmark")
    wish("hohenfels an der au, westmark", address="198.51.100.7")

    assert counts() == {"Hohenfels an der Au": 2}


def test_letters_that_stand_for_many_fit_in_the_table(wish):
    of_eighteen = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"

    nomination = wish(f"{of_eighteen * 80},{of_eighteen * 80}")

    assert len(nomination.key) <= Nomination._meta.get_field("key").max_length


def test_same_network_counts_once_for_a_city_and_day(wish):
    assert wish("Saltash") is not None
    assert wish("saltash", address="192.0.2.99", at=NOW + timedelta(hours=1)) is None
    assert wish("Saltash", at=NOW + timedelta(days=1)) is not None

    assert counts() == {"Saltash": 2}


def test_network_has_five_wishes_a_day(wish):
    counted = [wish(f"Saltash {letter}") for letter in "abcdefg"]

    assert [bool(nomination) for nomination in counted] == [True] * 5 + [False] * 2
    assert wish("Saltash h", address="2001:db8::7") is not None
    assert wish("Saltash i", at=NOW + timedelta(days=1)) is not None


def test_wish_that_does_not_count_leaves_no_mark(wish):
    for letter in "abcdef":
        wish(f"Saltash {letter}")

    assert NominationMark.objects.count() == 10


def test_campaigns_are_counted_apart(wish):
    wish("Saltash")
    wish("Saltash", of=make_campaign())

    assert list(Nomination.objects.values_list("count", flat=True)) == [1, 1]


@pytest.mark.parametrize(
    "typed",
    ["", "\0", "💥", "12345", "https://spam.example", "spam.example", "www.spam.example now", "buy! cheap", "=1+1", "-1",
     "@cmd", "a" * 81, "Saltash, http://x", "Saltash\nSaltash 1", "<b>Saltash</b>", "Saltash; DROP", "Saltash, 1st"],
)  # fmt: skip
def test_what_is_no_name_does_not_count(wish, typed):
    assert wish(typed) is None
    assert not Nomination.objects.exists()


@pytest.mark.parametrize(
    "typed",
    ["Saltash", "St. Mary’s", "O'Fallon", "Winston-Salem", "Hohenfels (Au)", "‘s-Gravenwiek"[1:], "القاهرة", "मुंबई", "大阪", "Łódź", "Kraków, Westmark"],
)  # fmt: skip
def test_names_of_cities_count(typed):
    assert city_wished_for(typed) is not None


def test_only_keyed_hashes_of_the_network_are_kept(wish):
    wish("Saltash", address="192.0.2.7")

    stored = [*Nomination.objects.values_list(), *NominationMark.objects.values_list()]

    assert "192.0.2" not in str(stored)


def test_marks_depend_on_the_secret(wish, settings):
    wish("Saltash")
    before = set(NominationMark.objects.values_list("digest", flat=True))
    settings.SECRET_KEY = "another-secret-of-some-length-for-this-test"

    wish("Saltash")

    assert NominationMark.objects.exclude(digest__in=before).count() == 2


def test_marks_are_forgotten_after_a_day(wish):
    wish("Saltash")
    wish("Tarn", at=NOW + timedelta(hours=12))

    assert forget_marks(at=NOW + timedelta(days=1)) == 2
    assert NominationMark.objects.count() == 2


def test_address_that_is_none_still_counts(wish):
    assert wish("Saltash", address="") is not None
    assert wish("Tarn", address="not an address\ud800") is not None


# --- The page


@pytest.fixture
def live(campaign):
    """The campaign with a page."""
    make_petition(
        letter=make_letter(campaign=campaign),
        place=make_place(name="Rivermouth"),
        at=timezone.now() - timedelta(days=1),
    )
    return f"/campaigns/{campaign.slug}/nominate/"


def test_post_counts_and_thanks_without_naming_the_city_in_the_address(client, campaign, live):
    response = client.post(live, {"city": "Saltash, Westmark", "website": ""}, headers=OURS, follow=True)

    assert response.redirect_chain == [(f"/campaigns/{campaign.slug}/nominated/", 303)]
    assert "Thank you for nominating your city" in text_of(response)
    assert not response.cookies
    assert counts() == {"Saltash": 1}


@pytest.mark.parametrize(
    "fields",
    [{"city": "Saltash", "website": "https://spam.example"}, {"city": "spam.example"}, {"city": "\0"}, {}, {"city": "Rivermouth"}],
)  # fmt: skip
def test_answer_is_the_same_where_it_does_not_count(client, campaign, live, fields):
    response = client.post(live, fields, headers=OURS)

    assert (response.status_code, response["Location"]) == (303, f"/campaigns/{campaign.slug}/nominated/")
    assert counts() == {}


def test_post_of_another_site_is_refused(client, live):
    response = client.post(live, {"city": "Saltash"}, headers={"sec-fetch-site": "cross-site"})

    assert response.status_code == 403
    assert counts() == {}


def test_browser_that_says_nothing_is_asked_for_one_more_click(live):
    client = Client(enforce_csrf_checks=True)

    asked = client.post(live, {"city": "Saltash"})
    token = asked.context["csrf_token"]
    answer = client.post(live, {"city": "Saltash", "csrfmiddlewaretoken": str(token)})

    assert "One more click" in text_of(asked)
    assert (asked.status_code, answer.status_code) == (403, 303)
    assert counts() == {"Saltash": 1}


def test_address_by_itself_leads_to_the_campaign(client, campaign, live):
    assert client.get(live)["Location"] == campaign.get_absolute_url()


def test_campaign_without_a_page_takes_no_nominations(client, campaign):
    assert (
        client.post(f"/campaigns/{campaign.slug}/nominate/", {"city": "x"}, headers=OURS).status_code == 404
    )
    assert client.get(f"/campaigns/{campaign.slug}/nominated/").status_code == 404


# --- Staff


def make_nomination(campaign, **fields):
    return Nomination.objects.create(
        campaign=campaign, **{"key": f"{fields}", "name": "Saltash", "first_at": NOW, "last_at": NOW} | fields
    )


def staff_client(role):
    client, user = Client(), make_staff()
    user.groups.add(user.groups.model.objects.get(name=role))
    client.force_login(user)
    return client


def test_staff_see_the_most_wished_for_first_and_a_way_to_add_a_target(campaign):
    make_nomination(campaign, name="Tarn", count=3)
    make_nomination(campaign, name="Saltash", region="Westmark & Mere", country="Halvern", count=30)

    page = staff_client(EDITOR).get("/admin/campaigns/nomination/").content.decode()

    assert page.index("Saltash, Westmark") < page.index("Tarn")
    query = f"campaign={campaign.pk}&amp;place_name=Saltash&amp;place_region=Westmark+%26+Mere&amp;place_country=Halvern"
    assert f'href="/admin/campaigns/target/add/?{query}"' in page


@pytest.mark.parametrize(("wished", "there"), [("", "Westmark"), ("Westmark", "Westmark")])
def test_a_city_that_has_a_target_by_now_leads_to_it(campaign, wished, there):
    make_nomination(campaign, name="Saltash", region=wished)
    place = make_place(name="Saltash", region=there)
    target = Target.objects.create(campaign=campaign, name="Ada Okafor", place=place)

    page = staff_client(EDITOR).get("/admin/campaigns/nomination/").content.decode()

    assert f'<a href="/admin/campaigns/target/{target.pk}/change/">Has a target</a>' in page
    assert "Add a target" not in page


def test_a_target_in_another_region_or_campaign_does_not_answer_a_wish(campaign):
    make_nomination(campaign, name="Saltash", region="Westmark")
    for of, region in ((campaign, "Ostland"), (make_campaign(), "Westmark")):
        Target.objects.create(campaign=of, name="Ada Okafor", place=make_place(name="Saltash", region=region))

    assert "Add a target" in staff_client(EDITOR).get("/admin/campaigns/nomination/").content.decode()


def test_link_fills_in_the_place_of_the_new_target(campaign):
    form = (
        staff_client(EDITOR)
        .get(
            f"/admin/campaigns/target/add/?campaign={campaign.pk}&place_name=Saltash&place_region=W&place_country=Halvern"
        )
        .content.decode()
    )

    for value in ("Saltash", "W", "Halvern"):
        assert f'value="{value}"' in form


def test_who_sees_campaigns_sees_nominations_and_changes_none(campaign):
    nomination = make_nomination(campaign, count=3)
    client = staff_client(SIGNATURE_MANAGER)

    page = client.get("/admin/campaigns/nomination/")

    assert page.status_code == 200
    assert "Add a target" not in page.content.decode()
    assert client.get("/admin/campaigns/nomination/add/").status_code == 403
    assert (
        client.post(f"/admin/campaigns/nomination/{nomination.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


def test_editors_delete_what_is_nonsense(campaign):
    nomination = make_nomination(campaign, count=3)

    staff_client(EDITOR).post(f"/admin/campaigns/nomination/{nomination.pk}/delete/", {"post": "yes"})

    assert not Nomination.objects.exists()


def test_staff_without_a_role_see_nothing(campaign):
    client = Client()
    client.force_login(make_staff())

    assert client.get("/admin/campaigns/nomination/").status_code == 403
