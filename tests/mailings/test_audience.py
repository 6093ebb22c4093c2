"""Who gets a mailing, with which petition, and why others do not."""

from datetime import date, timedelta

import pytest

from mailings.audience import NO_CONSENT, NO_PETITION, REASONS, RECENT, SIGNED, STOPPED, audience_of
from mailings.models import Mailing
from petitions.closing import close
from tests.factories import (
    NOW,
    make_campaign,
    make_edition,
    make_letter,
    make_mailing,
    make_petition,
    make_place,
    make_recipient,
    make_signature,
    make_subscriber,
    make_supporter,
)

Kinds = Mailing.Audience


@pytest.fixture
def petition(db):
    """Of the city that everybody of these tests lives in, unless told otherwise."""
    return make_petition()


@pytest.fixture
def city(petition):
    return petition.target.place


@pytest.fixture
def organization(petition):
    return petition.campaign.organization


def draft(petition, **fields):
    return make_mailing(petition.campaign, **{"audience": Kinds.NOT_SIGNED} | fields)


def of(mailing, at=NOW):
    return audience_of(mailing, at=at)


def who(mailing, at=NOW):
    return {person.supporter.pk: person.petition for person in of(mailing, at).sample(100)}


# --- Whom staff choose ---------------------------------------------------------------------------------------


def test_everybody_gets_the_petition_of_their_own_city(petition, city, organization):
    other = make_petition(letter=petition.letter)
    here = make_subscriber(organization, place=city)
    there = make_subscriber(organization, place=other.target.place)

    assert who(draft(petition)) == {here.pk: petition, there.pk: other}


def test_signers_of_one_petition(petition, city, organization):
    signer, other = make_subscriber(organization, place=city), make_subscriber(organization, place=city)
    make_signature(petition, supporter=signer, confirmed=True)
    make_signature(make_petition(letter=petition.letter), supporter=other, confirmed=True)

    mailing = draft(petition, audience=Kinds.SIGNED, of_petition=petition, asks_to_sign=False)

    assert set(who(mailing)) == {signer.pk}


def test_signers_of_any_petition_of_the_campaign(petition, city, organization):
    one, two = make_subscriber(organization, place=city), make_subscriber(organization, place=city)
    make_subscriber(organization, place=city)
    make_signature(petition, supporter=one, confirmed=True)
    make_signature(make_petition(letter=petition.letter), supporter=two, confirmed=True)

    mailing = draft(petition, audience=Kinds.CAMPAIGN, asks_to_sign=False)

    assert set(who(mailing)) == {one.pk, two.pk}


@pytest.mark.parametrize(
    "fields", [{}, {"confirmed": True, "removed_at": NOW, "removal": "withdrawn"}, {"held_at": NOW}]
)
def test_signature_that_does_not_count_makes_nobody_a_signer(petition, city, organization, fields):
    make_signature(petition, supporter=make_subscriber(organization, place=city), **fields)

    mailing = draft(petition, audience=Kinds.SIGNED, of_petition=petition, asks_to_sign=False)

    assert of(mailing).size() == 0


def test_supporters_of_another_organization_never_get_it(petition, city):
    make_subscriber(make_campaign().organization, place=city)

    assert of(draft(petition, audience=Kinds.EVERYBODY)).size() == 0


def test_kind_holds_also_where_everybody_is_led_to_one_petition(petition, city, organization):
    thanked = make_petition(letter=make_letter(campaign=petition.campaign, kind="thank-you"))
    there = make_subscriber(organization, place=thanked.target.place)
    make_subscriber(organization, place=city)
    make_subscriber(organization)

    mailing = draft(petition, kind="thank-you", leads_to=petition)

    assert who(mailing) == {there.pk: petition}


def test_only_from_the_cities_chosen(petition, city, organization):
    other = make_petition(letter=petition.letter)
    here = make_subscriber(organization, place=city)
    make_subscriber(organization, place=other.target.place)
    mailing = draft(petition)

    mailing.places.add(city)

    assert set(who(mailing)) == {here.pk}


def test_cities_of_a_form_that_is_not_saved(petition, city, organization):
    other = make_petition(letter=petition.letter)
    make_subscriber(organization, place=city)
    make_subscriber(organization, place=other.target.place)
    mailing = draft(petition)
    mailing.places.add(city)

    assert audience_of(mailing, at=NOW, places=[]).size() == 2
    assert audience_of(Mailing(campaign=petition.campaign), at=NOW, places=[city.pk]).size() == 1


def test_only_who_joined_since(petition, city, organization):
    make_subscriber(organization, place=city, created_at=NOW - timedelta(days=9))
    new = make_subscriber(organization, place=city, created_at=NOW)

    assert set(who(draft(petition, joined_since=date(2026, 5, 3)))) == {new.pk}


def test_only_where_the_city_has_a_petition_of_the_kind(petition, city, organization):
    thanks = make_petition(letter=make_letter(campaign=petition.campaign, kind="thank-you"))
    make_subscriber(organization, place=city)
    thankful = make_subscriber(organization, place=thanks.target.place)

    assert who(draft(petition, kind="thank-you")) == {thankful.pk: thanks}


def test_all_can_be_led_to_one_petition(petition, organization):
    nobody_knows_where = make_subscriber(organization)

    assert who(draft(petition, leads_to=petition)) == {nobody_knows_where.pk: petition}


# --- Who is left out -----------------------------------------------------------------------------------------


def test_who_did_not_say_yes_is_left_out_and_counted(petition):
    make_signature(petition, confirmed=True)
    audience = of(draft(petition, audience=Kinds.SIGNED, of_petition=petition, asks_to_sign=False))

    assert (audience.size(), audience.left_out()) == (0, {NO_CONSENT: 1})


@pytest.mark.parametrize(
    "fields",
    [
        {"blocked_at": NOW},
        {"stopped_at": NOW, "stopped": "bounced"},
        {"stopped_at": NOW, "stopped": "complained"},
    ],
)
def test_mailbox_that_takes_no_mail_is_left_out(petition, city, organization, fields):
    make_subscriber(organization, place=city, **fields)

    audience = of(draft(petition))

    assert (audience.size(), audience.left_out()) == (0, {STOPPED: 1})


def test_who_has_signed_already_is_left_out_where_the_mailing_asks_to_sign(petition, city, organization):
    make_signature(petition, supporter=make_subscriber(organization, place=city), confirmed=True)

    asking, telling = draft(petition), draft(petition, asks_to_sign=False, audience=Kinds.CAMPAIGN)

    assert of(asking).left_out() == {SIGNED: 1}
    assert of(telling).size() == 1


def test_whom_staff_removed_is_not_asked_again_but_who_withdrew_is(petition, city, organization):
    removed, withdrew = (make_subscriber(organization, place=city) for _ in range(2))
    make_signature(petition, supporter=removed, confirmed=True, removed_at=NOW, removal="staff")
    make_signature(petition, supporter=withdrew, confirmed=True, removed_at=NOW, removal="withdrawn")

    assert set(who(draft(petition))) == {withdrew.pk}


def test_city_without_an_open_petition_gets_nothing_or_the_campaign_page(petition, organization):
    elsewhere = make_subscriber(organization, place=make_place())

    assert of(draft(petition)).left_out() == {NO_PETITION: 1}
    assert who(draft(petition, others="campaign-page")) == {elsewhere.pk: None}


def test_closed_petition_is_nobodys_any_more(petition, city, organization):
    make_subscriber(organization, place=city)
    close(petition=petition, actor=None, at=NOW)

    assert of(draft(petition), NOW + timedelta(minutes=1)).left_out() == {NO_PETITION: 1}


@pytest.mark.parametrize(("hours", "left_out"), [(23, {RECENT: 1}), (25, {})])
def test_who_got_another_mailing_lately_is_left_out(petition, city, organization, hours, left_out):
    reader = make_subscriber(organization, place=city)
    then = NOW - timedelta(hours=hours)
    edition = make_edition(make_mailing(petition.campaign, starts_at=then), petition)
    make_recipient(edition, supporter=reader, handed_over_at=then, sent_at=then)

    assert of(draft(petition)).left_out() == left_out


def test_who_is_about_to_get_another_mailing_is_left_out_too(petition, city, organization):
    reader = make_subscriber(organization, place=city)
    make_recipient(make_edition(make_mailing(petition.campaign, starts_at=NOW), petition), supporter=reader)

    assert of(draft(petition)).left_out() == {RECENT: 1}
    assert of(draft(petition, quiet_hours=0)).left_out() == {}


def test_every_reason_has_its_words():
    assert set(REASONS) == {NO_CONSENT, STOPPED, NO_PETITION, SIGNED, RECENT}


# --- What staff see of them ----------------------------------------------------------------------------------


def test_sample_is_the_same_at_every_look_and_never_larger_than_asked(petition, city, organization):
    for _ in range(7):
        make_subscriber(organization, place=city)
    mailing = draft(petition)

    first = [person.supporter.pk for person in of(mailing).sample(5)]

    assert first == [person.supporter.pk for person in of(mailing).sample(5)]
    assert len(first) == 5


def test_odd_names_are_found(petition, city, organization):
    longest = make_subscriber(organization, place=city, first_name="Maximiliane-Alexandra")
    nameless = make_subscriber(organization, place=city, first_name="")
    arabic = make_subscriber(organization, place=city, first_name="زينب")
    hebrew = make_subscriber(organization, place=city, first_name="נועה")
    make_subscriber(organization, place=city, first_name="明轩")
    audience = of(draft(petition))

    assert audience.longest_names(1)[0].supporter == longest
    assert [person.supporter for person in audience.with_gaps()] == [nameless]
    assert {person.supporter for person in audience.right_to_left()} == {arabic, hebrew}


def test_people_are_found_also_far_down_a_long_list(petition, city, organization, monkeypatch):
    monkeypatch.setattr("mailings.audience.FIRST_LOOKED_AT", 3)
    for _ in range(4):
        make_subscriber(organization, first_name="Maximiliane-Alexandra")
    here = make_subscriber(organization, place=city)

    assert [person.supporter for person in of(draft(petition)).longest_names(2)] == [here]


def test_one_person_is_found_only_among_those_who_get_it(petition, city, organization):
    inside, outside = make_subscriber(organization, place=city), make_supporter(place=city)
    audience = of(draft(petition))

    assert audience.person(inside.pk).supporter == inside
    assert audience.person(outside.pk) is None
    assert audience.person(0) is None


def test_numbers_by_petition_and_city(petition, city, organization):
    make_subscriber(organization, place=city)
    make_subscriber(organization, place=city)
    make_subscriber(organization)

    found = of(draft(petition, others="campaign-page")).numbers()

    assert set(found) == {(None, None, 1), (petition.pk, city.pk, 2)}


def test_queries_do_not_grow_with_the_audience(petition, city, organization, django_assert_max_num_queries):
    for _ in range(30):
        make_subscriber(organization, place=city)
    audience = of(draft(petition))

    with django_assert_max_num_queries(8):
        audience.size()
        audience.left_out()
        audience.numbers()
        audience.sample(20)
