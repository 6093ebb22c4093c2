"""A mayor does what was asked: what those who asked find, and what becomes of a wrong move."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from petitions.closing import WrongState
from petitions.models import Petition, Stand
from petitions.publishing import publish
from petitions.taking_a_stand import take_a_stand, undo
from signers.models import Signature
from tests import factories
from tests.people import Person, later, path_of, shown_count, text_of

REASON = "From now on the Harbor Branch opens on Sundays."


@pytest.fixture
def campaign(db: None) -> Campaign:
    return factories.make_campaign()


@pytest.fixture
def petition(campaign: Campaign) -> Petition:
    """The demand to Mayor Okafor, on the site since last week."""
    demand = factories.make_petition(letter=factories.make_letter(campaign=campaign), live=False)
    factories.make_letter(
        campaign=campaign,
        kind="thank-you",
        headline="Thank {{ target.office }} {{ target.last_name }}",
        statement="Thank you for our Sundays.",
        button="Add your thanks",
    )
    publish(campaign=campaign, at=later(days=-7))
    demand.refresh_from_db()
    return demand


def acts(petition: Petition) -> Stand:
    """The campaigner hears of it and records it."""
    now = timezone.now()
    staff = factories.make_staff()
    return take_a_stand(petition=petition, taken_on=timezone.localdate(), reason=REASON, actor=staff, at=now)


def test_who_asked_reads_that_it_worked_and_gives_thanks(confirmed: Person, petition: Petition, work) -> None:
    stand = acts(petition)

    page = text_of(confirmed.opens(petition.get_absolute_url()))
    assert "Won" in page
    assert REASON in page
    assert shown_count_of(confirmed, petition) == 1
    thanks = confirmed.opens(stand.joined.get_absolute_url())
    assert f"acted on {timezone.localdate():%B} {timezone.localdate().day}" in text_of(thanks)

    confirmed.signs(stand.joined)
    work()
    confirmed.confirms()
    work()

    assert shown_count(confirmed, stand.joined) == (1, 1)
    assert Signature.objects.get(petition=petition).version.petition == petition


def shown_count_of(person: Person, petition: Petition) -> int:
    return int(person.opens(f"{petition.get_absolute_url()}count.json").json()["count"])


def test_who_signed_before_and_confirms_after_still_counts(signed: Person, petition: Petition, work) -> None:
    stand = acts(petition)

    address = signed.link("confirm")
    asked = text_of(signed.opens(address))
    pressed = text_of(signed.presses(address))
    work()

    assert "is this your signature?" in asked
    assert "this petition is won, with your name among those who asked" in pressed
    assert shown_count_of(signed, petition) == 1
    assert stand.joined.get_absolute_url() in signed.opens(address).content.decode()


def test_what_was_sent_just_before_is_still_folded(connie: Person, petition: Petition, work) -> None:
    connie.signs(petition)
    acts(petition)

    work()
    connie.confirms()
    work()

    assert shown_count_of(connie, petition) == 1


def test_who_comes_too_late_is_led_to_the_thank_you(connie: Person, petition: Petition, work) -> None:
    stand = acts(petition)

    answer = connie.signs(petition)
    work()

    assert answer.status_code == 409
    assert "could not be counted. Sign the thank-you instead" in text_of(answer)
    assert f'href="{stand.joined.get_absolute_url()}"' in answer.content.decode()
    assert not Signature.objects.exists()


def test_a_link_shared_long_ago_still_lands(connie: Person, petition: Petition) -> None:
    acts(petition)

    page = connie.opens(f"{petition.get_absolute_url()}?r=abcdefgh23")

    assert page.status_code == 200
    assert "Thank Mayor Okafor" in text_of(page)


def test_the_campaign_tells_the_story(connie: Person, petition: Petition) -> None:
    acts(petition)

    page = text_of(connie.opens(petition.campaign.get_absolute_url()))

    assert "took a stand" in page
    assert REASON in page


def test_the_wrong_mayor_is_put_right_within_the_day(connie: Person, petition: Petition, work) -> None:
    stand = acts(petition)
    connie.signs(stand.joined)
    work()
    connie.confirms()
    work()

    kept = undo(stand=stand, actor=None, at=later(hours=20))

    assert kept == 1
    assert "took a stand" not in text_of(connie.opens(petition.campaign.get_absolute_url()))
    moved_on = connie.opens(f"{stand.joined.get_absolute_url()}?r=abcdefgh23")
    assert (moved_on.status_code, path_of(moved_on)) == (302, petition.get_absolute_url())
    assert connie.signs(petition).status_code == 303


def test_the_next_day_it_stands(petition: Petition) -> None:
    stand = acts(petition)

    with pytest.raises(WrongState, match="24 hours"):
        undo(stand=stand, actor=None, at=stand.recorded_at + timedelta(days=1))
