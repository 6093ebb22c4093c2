"""A target moves to the other side of its campaign, and back."""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from petitions.closing import WrongState, close, reopen, unpublish
from petitions.models import FormerAddress, Letter, Petition, Stand
from petitions.publishing import NotPublishable, publish
from petitions.taking_a_stand import news_of, outlook, take_a_stand, take_stands, undo
from staff.models import AuditEntry
from tests import factories
from tests.people import text_of
from tests.petitions.conftest import NOW, add_petition
from tests.threads import in_parallel

REASON = "The council voted for Sunday hours."


@pytest.fixture
def thanks(campaign: Campaign) -> Letter:
    return Letter.objects.create(
        campaign=campaign,
        kind="thank-you",
        headline="Thank {{ target.office }} {{ target.last_name }}",
        lead_in="The petition to {{ target.office }} {{ target.last_name }} reads:",
        statement="Thank you for our Sundays.",
        call_to_action="Say thanks.",
        body="It happened.\n\n{{ local }}\n",
    )


@pytest.fixture
def live(campaign: Campaign, petition: Petition, thanks: Letter, now: datetime) -> Petition:
    """A demand on the site, with a headline, local paragraph, goal and position of its own."""
    petition.headline, petition.local, petition.goal, petition.position = "Open up!", "Here.", 300, 7
    petition.save()
    publish(campaign=campaign, at=now - timedelta(days=9))
    petition.refresh_from_db()
    return petition


def take(petition: Petition, at: datetime, **changes: object) -> Stand:
    stand = take_a_stand(
        **{"petition": petition, "taken_on": at.date(), "reason": REASON, "actor": None, "at": at} | changes
    )
    petition.refresh_from_db()
    return stand


def other_side(petition: Petition) -> Petition:
    return Petition.objects.exclude(letter=petition.letter).get(target=petition.target)


def dates(petition: Petition) -> tuple[object, ...]:
    row = Petition.objects.get(pk=petition.pk)
    return row.live_at, row.closes_at, row.closed_at, row.won_at, row.closing_note


# --- From demand to thank-you ------------------------------------------------------------------------------


def test_the_demand_is_won_and_says_why(live: Petition, now: datetime) -> None:
    take(live, now)

    assert (live.state(now), live.won_at, live.closed_at, live.closing_note) == ("won", now, now, REASON)
    assert AuditEntry.objects.filter(action="won", subject_id=live.pk, reason=REASON).exists()


def test_the_thank_you_is_made_and_open_at_once_without_what_was_written_for_the_demand(
    live: Petition, now: datetime
) -> None:
    stand = take(live, now)

    opened = other_side(live)
    assert (opened.state(now), opened.live_at) == ("open", now)
    assert (opened.headline, opened.local, opened.goal, opened.position) == ("", "", None, 7)
    assert opened.slug == f"{live.slug}-thank-you"
    assert opened.current_version is not None
    assert opened.current_version.headline == "Thank Mayor Okafor"
    assert (stand.left, stand.joined, stand.kind) == (live, opened, "thank-you")


def test_an_address_that_is_or_was_somebody_elses_is_not_taken(live: Petition, now: datetime) -> None:
    FormerAddress.objects.create(petition=live, slug=f"{live.slug}-thank-you")

    take(live, now)

    assert other_side(live).slug == f"{live.slug}-thank-you-2"


def test_signatures_stay_where_they_were_signed(live: Petition, now: datetime) -> None:
    signature = factories.make_signature(live, confirmed=True, at=now)

    take(live, now + timedelta(hours=1))

    signature.refresh_from_db()
    assert (signature.petition, signature.version.petition) == (live, live)
    assert other_side(live).tally.count == 0


def test_a_thank_you_in_draft_goes_live_as_it_was_written(
    live: Petition, thanks: Letter, now: datetime
) -> None:
    draft = Petition.objects.create(letter=thanks, target=live.target, slug="for-ada", local="Hers.", goal=50)

    take(live, now)

    draft.refresh_from_db()
    assert (draft.state(now), draft.slug, draft.goal, draft.position) == ("open", "for-ada", 50, 0)
    assert "Hers." in draft.current_version.letter_html


def test_a_scheduled_thank_you_goes_live_now(
    campaign: Campaign, live: Petition, thanks: Letter, now: datetime
) -> None:
    later = Petition.objects.create(letter=thanks, target=live.target, slug="for-ada")
    publish(campaign=campaign, at=now, live_at=now + timedelta(days=5))

    take(live, now)

    later.refresh_from_db()
    assert later.live_at == now


@pytest.fixture
def thanked(live: Petition, thanks: Letter, campaign: Campaign, now: datetime) -> Petition:
    """A thank-you to the same mayor that is on the site already."""
    petition = Petition.objects.create(letter=thanks, target=live.target, slug="for-ada")
    publish(campaign=campaign, petitions=[petition], at=now - timedelta(days=3))
    petition.refresh_from_db()
    return petition


def test_a_thank_you_that_is_open_stays_as_it_is(live: Petition, thanked: Petition, now: datetime) -> None:
    before = dates(thanked)
    Letter.objects.filter(pk=thanked.letter_id).update(statement="Something new.")

    take(live, now)

    assert dates(thanked) == before
    assert thanked.versions.count() == 1


def test_a_closed_thank_you_opens_again(live: Petition, thanked: Petition, now: datetime) -> None:
    close(petition=thanked, actor=None, at=now, note="Enough.")

    take(live, now)

    thanked.refresh_from_db()
    assert (thanked.state(now), thanked.closing_note) == ("open", "")


def test_a_thank_you_that_closed_by_itself_opens_again(
    live: Petition, thanked: Petition, now: datetime
) -> None:
    Petition.objects.filter(pk=thanked.pk).update(closes_at=now - timedelta(hours=1))

    take(live, now)

    thanked.refresh_from_db()
    assert (thanked.state(now), thanked.closes_at) == ("open", None)


def test_a_thank_you_that_was_taken_off_the_site_comes_back(
    live: Petition, thanked: Petition, now: datetime
) -> None:
    unpublish(petition=thanked, actor=None, at=now, reason="Too early.")

    take(live, now)

    thanked.refresh_from_db()
    assert thanked.state(now) == "open"


def test_a_changed_statement_over_signatures_is_published_by_itself_first(
    live: Petition, thanked: Petition, now: datetime
) -> None:
    factories.make_signature(thanked, confirmed=True, at=now)
    unpublish(petition=thanked, actor=None, at=now, reason="Too early.")
    Letter.objects.filter(pk=thanked.letter_id).update(statement="Thank you for something else.")

    with pytest.raises(WrongState, match="why its statement changes"):
        take(live, now)

    live.refresh_from_db()
    assert live.is_open(now)


def test_a_demand_closed_by_hand_is_won_and_keeps_its_day(live: Petition, now: datetime) -> None:
    yesterday = now - timedelta(days=1)
    close(petition=live, actor=None, at=yesterday, note="We wait.")

    take(live, now)

    assert (live.state(now), live.closed_at, live.won_at, live.closing_note) == (
        "won",
        yesterday,
        now,
        REASON,
    )


def test_a_demand_that_closed_by_itself_keeps_its_day(live: Petition, now: datetime) -> None:
    yesterday = now - timedelta(days=1)
    Petition.objects.filter(pk=live.pk).update(closes_at=yesterday)

    take(live, now)

    assert (live.state(now), live.closed_at) == ("won", yesterday)


def test_a_demand_off_the_site_stays_off(live: Petition, now: datetime) -> None:
    unpublish(petition=live, actor=None, at=now, reason="Wrong name.")

    stand = take(live, now)

    assert (live.live_at, live.won_at) == (None, now)
    undo(stand=stand, actor=None, at=now)
    live.refresh_from_db()
    assert (live.live_at, live.closed_at) == (None, None)


def test_a_demand_yet_to_go_live_does_not(
    campaign: Campaign, petition: Petition, thanks: Letter, now: datetime
) -> None:
    publish(campaign=campaign, at=now, live_at=now + timedelta(days=5))
    petition.refresh_from_db()
    before = dates(petition)

    stand = take(petition, now)

    assert not Petition.objects.public(at=now + timedelta(days=6)).filter(pk=petition.pk).exists()
    assert other_side(petition).is_open(now)
    undo(stand=stand, actor=None, at=now)
    assert dates(petition) == before


# --- What is refused, and then changes nothing ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"taken_on": date(2026, 5, 2)}, "cannot be in the future"),
        ({"taken_on": date(1999, 12, 31)}, "2000 or later"),
        ({"reason": " \r\n "}, "Say what happened"),
        ({"reason": "x" * 1001}, "at most 1,000"),
    ],
)
def test_date_and_reason_are_asked_for(
    live: Petition, now: datetime, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(WrongState, match=words):
        take(live, now, **changes)

    assert Petition.objects.get(pk=live.pk).is_open(now)


def test_a_draft_changes_its_kind_instead(petition: Petition, thanks: Letter, now: datetime) -> None:
    with pytest.raises(WrongState, match="Change its kind"):
        take(petition, now)


def test_a_group_has_nobody_who_could_act(letter: Letter, thanks: Letter, now: datetime) -> None:
    group = Petition.objects.create(letter=letter, addressee="mayors who read", slug="mayors")
    factories.make_version(group, at=now)

    with pytest.raises(WrongState, match="group"):
        take(group, now)


def test_without_a_thank_you_letter_one_is_asked_for(
    campaign: Campaign, petition: Petition, now: datetime
) -> None:
    publish(campaign=campaign, at=now)

    with pytest.raises(WrongState, match="no thank-you letter yet"):
        take(petition, now)


def test_a_mistake_in_the_thank_you_letter_changes_nothing(
    live: Petition, thanks: Letter, now: datetime
) -> None:
    Letter.objects.filter(pk=thanks.pk).update(statement="Thank you, {{ target.nickname }}.")

    with pytest.raises(NotPublishable) as problems:
        take(live, now)

    assert "target.nickname" in str(problems.value)
    live.refresh_from_db()
    assert live.is_open(now)
    assert Petition.objects.count() == 1
    assert not Stand.objects.exists()


def test_taking_it_twice_is_told(live: Petition, now: datetime) -> None:
    take(live, now)

    with pytest.raises(WrongState, match="moved to the other side already"):
        take(live, now)


@pytest.mark.django_db(transaction=True)
def test_of_two_colleagues_at_once_one_records_it(live: Petition, now: datetime) -> None:
    refused = []

    def colleague() -> None:
        try:
            take_a_stand(petition=live, taken_on=now.date(), reason=REASON, actor=None, at=now)
        except WrongState as problem:
            refused.append(str(problem))

    in_parallel((colleague, 2))

    assert len(refused) == 1
    assert Stand.objects.count() == 1
    assert Petition.objects.filter(target=live.target).count() == 2


def test_a_won_demand_is_not_simply_reopened(live: Petition, now: datetime) -> None:
    take(live, now)

    with pytest.raises(WrongState, match="took a stand"):
        reopen(petition=live, actor=None, at=now, reason="Oops.")


def test_the_database_lets_a_target_stand_in_one_place_only(live: Petition, now: datetime) -> None:
    stand = take(live, now)

    with (
        pytest.raises(IntegrityError, match=r"stand_one_standing_per_target|stand\.target_id"),
        transaction.atomic(),
    ):
        Stand.objects.create(
            campaign=stand.campaign,
            target=stand.target,
            taken_on=stand.taken_on,
            reason=REASON,
            left=stand.left,
            joined=stand.joined,
            recorded_at=now,
        )


# --- Several at once -------------------------------------------------------------------------------------------


@pytest.fixture
def two(letter: Letter, live: Petition, now: datetime) -> list[Petition]:
    second = add_petition(letter, place="Hillford", name="Jan van der Berg")
    publish(campaign=letter.campaign, at=now - timedelta(days=1))
    second.refresh_from_db()
    return [live, second]


def test_several_mayors_act_on_one_day(two: list[Petition], now: datetime) -> None:
    stands = take_stands(petitions=two, taken_on=now.date(), reason=REASON, actor=None, at=now)

    assert [stand.target for stand in stands] == [petition.target for petition in two]
    assert {Petition.objects.get(pk=stand.left_id).state(now) for stand in stands} == {"won"}
    assert {Petition.objects.get(pk=stand.joined_id).state(now) for stand in stands} == {"open"}


def test_if_one_cannot_move_none_does(letter: Letter, two: list[Petition], now: datetime) -> None:
    draft = add_petition(letter, place="Farrow", name="Bo Quill")

    with pytest.raises(WrongState, match="Bo Quill: This petition was never published"):
        take_stands(petitions=[*two, draft], taken_on=now.date(), reason=REASON, actor=None, at=now)

    assert Petition.objects.get(pk=two[0].pk).is_open(now)


def test_both_sides_in_one_go_are_refused(live: Petition, thanked: Petition, now: datetime) -> None:
    with pytest.raises(WrongState, match="either demands or thank-you"):
        take_stands(petitions=[live, thanked], taken_on=now.date(), reason=REASON, actor=None, at=now)


def test_looking_ahead_takes_the_same_queries_for_many(
    two: list[Petition], now: datetime, django_assert_num_queries: object
) -> None:
    petitions = list(Petition.objects.select_related("letter__campaign", "target__place"))

    with django_assert_num_queries(3):  # type: ignore[operator]
        found = outlook(petitions)

    assert [(item.problem, item.joined) for item in found] == [("", None)] * 2


# --- Back again ------------------------------------------------------------------------------------------------


def test_a_mayor_who_goes_back_is_asked_again(live: Petition, now: datetime) -> None:
    take(live, now)
    opened, later = other_side(live), now + timedelta(days=40)

    stand = take(opened, later, reason="The hours were cut.")

    live.refresh_from_db()
    assert (opened.state(later), opened.won_at, opened.closing_note) == (
        "closed",
        None,
        "The hours were cut.",
    )
    assert (live.state(later), live.won_at, live.closing_note) == ("open", None, "")
    assert stand.kind == "demand"
    assert live.versions.count() == 1


def test_a_thanked_mayor_who_was_never_asked_gets_a_demand(
    letter: Letter, thanks: Letter, now: datetime
) -> None:
    thank_you = add_petition(thanks, place="Rivermouth", name="Ada Okafor")
    publish(campaign=letter.campaign, at=now)
    thank_you.refresh_from_db()

    take(thank_you, now)

    assert thank_you.state(now) == "closed"
    assert other_side(thank_you).state(now) == "open"
    assert other_side(thank_you).slug == "thank-you-rivermouth-demand"


def test_back_and_forth_is_possible(live: Petition, now: datetime) -> None:
    for days in (1, 2, 3):
        petition = live if days % 2 else other_side(live)
        petition.refresh_from_db()
        take(petition, now + timedelta(days=days))

    assert live.state(now + timedelta(days=4)) == "won"
    assert Stand.objects.standing().count() == 1
    assert Stand.objects.told().count() == 3


# --- Undoing ---------------------------------------------------------------------------------------------------


def test_undone_within_the_day_everything_is_as_before(live: Petition, now: datetime) -> None:
    closes = now + timedelta(days=30)
    Petition.objects.filter(pk=live.pk).update(closes_at=closes)
    before = dates(live)
    stand = take(live, now)

    kept = undo(stand=stand, actor=None, at=now + timedelta(hours=23))

    assert dates(live) == before
    assert kept == 0
    assert not Petition.objects.public(at=now + timedelta(days=2)).filter(pk=stand.joined_id).exists()
    assert stand.undone_at == now + timedelta(hours=23)


def test_a_demand_closed_by_hand_is_closed_by_hand_again(live: Petition, now: datetime) -> None:
    close(petition=live, actor=None, at=now - timedelta(days=1), note="We wait.")
    before = dates(live)
    stand = take(live, now)

    undo(stand=stand, actor=None, at=now)

    assert dates(live) == before


@pytest.mark.parametrize("state", ["open", "closed", "off the site", "scheduled"])
def test_the_thank_you_is_put_back_to_what_it_was(
    live: Petition, thanked: Petition, now: datetime, state: str
) -> None:
    changes = {
        "open": {},
        "closed": {"closed_at": now - timedelta(hours=5), "closing_note": "Enough."},
        "off the site": {"live_at": None},
        "scheduled": {"live_at": now + timedelta(days=5)},
    }[state]
    Petition.objects.filter(pk=thanked.pk).update(**changes, closes_at=now + timedelta(days=50))
    before = dates(thanked)
    stand = take(live, now)

    undo(stand=stand, actor=None, at=now)

    assert dates(thanked) == before


def test_what_was_made_for_it_stays_off_the_site_when_the_campaign_is_published(
    campaign: Campaign, live: Petition, now: datetime
) -> None:
    stand = take(live, now)
    undo(stand=stand, actor=None, at=now)

    publish(campaign=campaign, at=now)

    assert Petition.objects.get(pk=stand.joined_id).live_at is None


def test_thanks_given_meanwhile_are_kept_and_counted_for_staff(live: Petition, now: datetime) -> None:
    stand = take(live, now)
    factories.make_signature(stand.joined, version=other_side(live).current_version, confirmed=True, at=now)

    kept = undo(stand=stand, actor=None, at=now)

    assert kept == 1
    assert other_side(live).tally.count == 1


def test_what_was_taken_off_the_site_since_is_not_brought_back(
    live: Petition, thanked: Petition, now: datetime
) -> None:
    stand = take(live, now)
    unpublish(petition=thanked, actor=None, at=now, reason="Wrong name.")

    undo(stand=stand, actor=None, at=now)

    assert Petition.objects.get(pk=thanked.pk).live_at is None


def test_after_a_day_it_is_part_of_the_story(live: Petition, now: datetime) -> None:
    stand = take(live, now)

    with pytest.raises(WrongState, match="within 24 hours"):
        undo(stand=stand, actor=None, at=now + timedelta(hours=24))

    assert Petition.objects.get(pk=live.pk).state(now) == "won"


def test_undoing_twice_is_told(live: Petition, now: datetime) -> None:
    stand = take(live, now)
    undo(stand=stand, actor=None, at=now)

    with pytest.raises(WrongState, match="undone already"):
        undo(stand=stand, actor=None, at=now)


def test_it_can_be_taken_again_after_undoing(live: Petition, now: datetime) -> None:
    first = take(live, now)
    undo(stand=first, actor=None, at=now)
    live.refresh_from_db()

    again = take(live, now + timedelta(hours=2))

    assert again.joined == first.joined
    assert other_side(live).is_open(now + timedelta(hours=2))
    assert Petition.objects.filter(target=live.target).count() == 2


def test_only_the_latest_of_two_moves_is_undone(live: Petition, now: datetime) -> None:
    first = take(live, now)
    second = take(other_side(live), now + timedelta(hours=1))

    with pytest.raises(WrongState, match="moved again"):
        undo(stand=first, actor=None, at=now + timedelta(hours=2))
    undo(stand=second, actor=None, at=now + timedelta(hours=2))
    undo(stand=first, actor=None, at=now + timedelta(hours=3))

    live.refresh_from_db()
    assert live.is_open(now + timedelta(hours=3))
    assert not Stand.objects.told().exists()


# --- News ------------------------------------------------------------------------------------------------------


def test_news_are_told_newest_first_in_one_query(
    campaign: Campaign, two: list[Petition], now: datetime, django_assert_num_queries: object
) -> None:
    take(two[0], now, taken_on=date(2026, 4, 1))
    take(two[1], now, taken_on=date(2026, 4, 20))

    with django_assert_num_queries(1):  # type: ignore[operator]
        news = news_of(campaign, at=now)

    assert [item.place_name for item in news] == ["Hillford", "Rivermouth"]
    latest = news[0]
    assert (latest.taken_on, latest.target_title, latest.kind, latest.reason) == (
        date(2026, 4, 20), "Mayor Jan van der Berg", "thank-you", REASON,
    )  # fmt: skip
    assert latest.left_url == "/petitions/demand-hillford/"
    assert latest.joined_url == "/petitions/demand-hillford-thank-you/"
    assert latest.joined_headline == "Thank Mayor van der Berg"


def test_what_was_undone_is_no_news(campaign: Campaign, live: Petition, now: datetime) -> None:
    undo(stand=take(live, now), actor=None, at=now)

    assert news_of(campaign, at=now) == []


def test_news_lead_only_to_what_is_on_the_site(campaign: Campaign, live: Petition, now: datetime) -> None:
    stand = take(live, now)
    unpublish(petition=stand.left, actor=None, at=now, reason="Wrong name.")

    assert [(item.left_url, bool(item.joined_url)) for item in news_of(campaign, at=now)] == [("", True)]


def test_news_of_petitions_off_the_site_are_not_told(
    campaign: Campaign, live: Petition, now: datetime
) -> None:
    stand = take(live, now)
    for petition in (stand.left, stand.joined):
        unpublish(petition=petition, actor=None, at=now, reason="Wrong name.")

    assert news_of(campaign, at=now) == []


# --- What visitors find ----------------------------------------------------------------------------------------


@pytest.fixture
def shown(live: Petition, now: datetime) -> Stand:
    """A demand that was won by its mayor, whose thank-you is open."""
    return take(live, now, taken_on=date(2026, 4, 20))


def read(client: Client, address: str) -> str:
    return text_of(client.get(address))


def test_the_won_page_tells_the_story_and_leads_to_the_thank_you(
    client: Client, shown: Stand, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        page = client.get(shown.left.get_absolute_url())

    text = text_of(page)
    assert "Won" in text
    assert "Mayor Ada Okafor acted on April 20, 2026." in text
    assert REASON in text
    assert "Thank Mayor Okafor Thank Mayor Ada Okafor" in text
    assert f'href="{shown.joined.get_absolute_url()}"' in page.content.decode()


def test_the_thank_you_page_says_what_it_is_for(
    client: Client, shown: Stand, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        page = client.get(shown.joined.get_absolute_url())

    assert f"Mayor Ada Okafor acted on April 20, 2026: {REASON}" in text_of(page)
    assert f'href="{shown.left.get_absolute_url()}"' in page.content.decode()


def test_a_demand_that_is_open_again_says_since_when(client: Client, shown: Stand) -> None:
    take(shown.joined, NOW + timedelta(days=3), reason="The hours were cut.")

    demand, thank_you = (
        read(client, shown.left.get_absolute_url()),
        read(client, shown.joined.get_absolute_url()),
    )
    assert "Open since May 4, 2026. The hours were cut." in demand
    assert "Things changed on May 4, 2026." in thank_you
    assert "Ask Mayor Ada Okafor" in thank_you


def test_no_page_leads_to_one_that_is_off_the_site(client: Client, shown: Stand) -> None:
    unpublish(petition=shown.left, actor=None, at=NOW, reason="Wrong name.")

    page = client.get(shown.joined.get_absolute_url())

    assert shown.left.get_absolute_url() + '"' not in page.content.decode()


def test_a_reason_is_shown_as_text(client: Client, live: Petition, now: datetime) -> None:
    stand = take(live, now, reason="<script>alert(1)</script>\n\nSecond paragraph")

    for petition in (stand.left, stand.joined):
        assert "<script>alert" not in client.get(petition.get_absolute_url()).content.decode()


def test_a_petition_off_the_site_leads_to_the_other_one_to_its_target(client: Client, shown: Stand) -> None:
    undo(stand=shown, actor=None, at=NOW + timedelta(hours=1))

    answer = client.get(shown.joined.get_absolute_url() + "?r=abc2345678")

    assert answer.status_code == 302
    assert answer["Location"] == shown.left.get_absolute_url() + "?r=abc2345678"
    assert "s-maxage=10" in answer["Cache-Control"]


def test_with_no_other_it_leads_to_the_campaign(client: Client, two: list[Petition], now: datetime) -> None:
    unpublish(petition=two[0], actor=None, at=now, reason="Wrong name.")

    answer = client.get(two[0].get_absolute_url())

    assert (answer.status_code, answer["Location"]) == (302, "/campaigns/open-sundays/")


def test_an_address_it_once_had_leads_on_too(client: Client, two: list[Petition], now: datetime) -> None:
    FormerAddress.objects.create(petition=two[0], slug="once")
    unpublish(petition=two[0], actor=None, at=now, reason="Wrong name.")

    assert client.get("/petitions/once/")["Location"] == "/campaigns/open-sundays/"


def test_with_nothing_left_of_the_campaign_nothing_is_found(
    client: Client, live: Petition, now: datetime
) -> None:
    unpublish(petition=live, actor=None, at=now, reason="Wrong name.")

    assert client.get(live.get_absolute_url()).status_code == 404


def test_what_was_never_published_stays_unknown(
    client: Client, campaign: Campaign, live: Petition, letter: Letter
) -> None:
    draft = add_petition(letter, place="Hillford", name="Jan van der Berg")
    scheduled = add_petition(letter, place="Farrow", name="Bo Quill")
    publish(campaign=campaign, petitions=[scheduled], at=NOW, live_at=timezone.now() + timedelta(days=9))

    assert client.get(draft.get_absolute_url()).status_code == 404
    assert client.get(scheduled.get_absolute_url()).status_code == 404
