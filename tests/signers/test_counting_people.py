"""People counted once, however many petitions of a campaign they signed."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from campaigns.models import Campaign
from petitions.models import CampaignTally, DayTally, Petition, Tally
from signers.confirming import confirm, disown
from signers.counting import add_up, count_days, recount
from signers.counting_people import COUNT_ANEW, GAINED, PeopleDiscrepancy, count_missing, recount_people
from signers.folding import fold
from signers.forgetting import forget_unconfirmed
from signers.models import CountChange, Signature
from signers.removing import remove, restore
from tests.factories import (
    NOW,
    make_campaign,
    make_letter,
    make_petition,
    make_signature,
    make_staff,
    make_submission,
    make_supporter,
)
from tests.people import later
from tests.threads import in_parallel

POSTGRESQL = connection.vendor == "postgresql"


def make_cities(number=2, **campaign):
    """Live petitions of one campaign."""
    letter = make_letter(campaign=make_campaign(**campaign))
    return [make_petition(letter=letter) for _ in range(number)]


def people(campaign):
    return CampaignTally.objects.get(campaign=campaign).people


def counted_people(campaign):
    counted = Signature.objects.counted().filter(petition__letter__campaign=campaign)
    return counted.order_by().values("supporter").distinct().count()


@pytest.fixture
def cities(db):
    """Two petitions of a campaign that has been counted before."""
    count_missing()
    cities = make_cities()
    count_missing()
    return cities


@pytest.fixture
def staff(db):
    return make_staff()


def sign(petition, supporter):
    """A signature that was confirmed a moment ago, not yet added up."""
    signature = make_signature(petition, supporter=supporter)
    confirm(signature_id=signature.pk, at=NOW)
    return signature


def test_who_signs_in_two_cities_counts_once(cities):
    supporter = make_supporter()

    for petition in cities:
        sign(petition, supporter)
    add_up(at=NOW)

    assert people(cities[0].campaign) == 1
    assert list(Tally.objects.values_list("count", flat=True)) == [1, 1]


def test_who_signs_in_another_city_later_counts_once(cities):
    supporter = make_supporter()

    for petition in cities:
        sign(petition, supporter)
        add_up(at=NOW)

    assert people(cities[0].campaign) == 1


def test_two_people_are_two(cities):
    for petition in cities:
        sign(petition, make_supporter())
    add_up(at=NOW)

    assert people(cities[0].campaign) == 2


def test_each_campaign_counts_its_own_people(cities):
    other, supporter = make_petition(), make_supporter()
    count_missing()

    sign(cities[0], supporter)
    sign(other, supporter)
    add_up(at=NOW)

    assert (people(cities[0].campaign), people(other.campaign)) == (1, 1)


def test_after_one_of_two_signatures_is_removed_they_still_count(cities, staff):
    supporter = make_supporter()
    signatures = [sign(petition, supporter) for petition in cities]
    add_up(at=NOW)

    remove(signature=signatures[0], actor=staff, at=NOW, reason="Test")
    add_up(at=NOW)
    once = people(cities[0].campaign)
    remove(signature=signatures[1], actor=staff, at=NOW, reason="Test")
    add_up(at=NOW)
    gone = people(cities[0].campaign)
    restore(signature=signatures[0], actor=staff, at=NOW, reason="Test")
    add_up(at=NOW)

    assert (once, gone, people(cities[0].campaign)) == (1, 0, 1)


def test_signed_and_removed_between_two_rounds_is_nobody(cities, staff):
    signature = sign(cities[0], make_supporter())
    remove(signature=signature, actor=staff, at=NOW, reason="Test")

    add_up(at=NOW)

    assert people(cities[0].campaign) == 0


def test_who_is_forgotten_counts_no_more(cities):
    signature = sign(cities[0], make_supporter())
    add_up(at=NOW)
    disown(signature_id=signature.pk, at=NOW, block=False)
    signature.supporter.consents.all().delete()
    forget_unconfirmed(at=later(days=400))
    assert not Signature.objects.exists()

    add_up(at=NOW)

    assert people(cities[0].campaign) == 0
    assert recount() == []


def test_signatures_that_count_at_once_count_people(db):
    cities = make_cities(confirmation=Campaign.Confirmation.AFTERWARDS)
    count_missing()
    for petition in cities:
        make_submission(petition, email="connie@example.org")
        make_submission(petition, email=f"{petition.slug}@example.org")

    fold(at=NOW)
    add_up(at=NOW)

    assert people(cities[0].campaign) == 3


def test_campaign_without_number_is_counted_in_full(db, caplog):
    cities = make_cities()
    supporter = make_supporter()
    for petition in cities:
        make_signature(petition, supporter=supporter, confirmed=True)
    sign(cities[0], make_supporter())

    add_up(at=NOW)

    assert people(cities[0].campaign) == 2
    assert caplog.text == ""


def test_quiet_campaigns_are_counted_when_the_worker_starts(db, caplog):
    petition = make_petition()
    make_signature(petition, confirmed=True)
    sign(petition, make_supporter())

    made = count_missing()
    again = count_missing()

    # The other one is waiting to be added up.
    assert (made, again, people(petition.campaign)) == (1, 0, 1)
    add_up(at=NOW)
    assert people(petition.campaign) == 2
    assert caplog.text == ""


def test_change_from_before_the_upgrade_loses_nobody(cities, caplog):
    """A process that began before changes knew their supporter."""
    supporter = make_supporter()
    for petition in cities:
        sign(petition, supporter)
    CountChange.objects.update(supporter_id=0)
    sign(cities[0], make_supporter())

    add_up(at=NOW)

    assert people(cities[0].campaign) == 2
    assert recount() == []
    assert caplog.text == ""


def test_nothing_is_found_where_nothing_is_wrong(cities):
    supporter = make_supporter()
    sign(cities[0], supporter)
    add_up(at=NOW)
    sign(cities[1], supporter)
    sign(cities[1], make_supporter())

    assert recount() == []
    assert people(cities[0].campaign) == 1


def test_wrong_number_of_people_is_repaired_and_told(cities, caplog):
    campaign = cities[0].campaign
    sign(cities[0], make_supporter())
    add_up(at=NOW)
    sign(cities[1], make_supporter())
    CampaignTally.objects.update(people=7)

    found = recount()

    assert found == [PeopleDiscrepancy(campaign.pk, said=7, counted=1)]
    assert f"Campaign {campaign.pk} said 7 people, counted were 1; repaired." in caplog.text
    add_up(at=NOW)
    assert people(campaign) == 2


def test_number_that_would_fall_below_zero_is_counted_again(cities, staff, caplog):
    signatures = [sign(petition, make_supporter()) for petition in cities]
    add_up(at=NOW)
    CampaignTally.objects.update(people=0)
    remove(signature=signatures[0], actor=staff, at=NOW, reason="Test")

    add_up(at=NOW)
    add_up(at=NOW)

    assert people(cities[0].campaign) == 1
    assert "repaired" in caplog.text


def test_people_stay_right_when_a_petition_is_repaired(cities):
    supporter = make_supporter()
    sign(cities[0], supporter)
    sign(cities[1], supporter)
    Tally.objects.filter(petition=cities[0]).update(count=5)

    recount([cities[0].pk])
    add_up(at=NOW)

    assert people(cities[0].campaign) == 1
    assert recount() == []


def test_days_hold_what_was_gained_less_what_was_lost(cities, staff):
    for _ in range(3):
        signature = sign(cities[0], make_supporter())
    add_up(at=NOW)
    sign(cities[0], make_supporter())
    add_up(at=NOW)
    remove(signature=signature, actor=staff, at=NOW, reason="Test")
    tomorrow = NOW.replace(day=4)
    add_up(at=tomorrow)

    days = list(DayTally.objects.order_by("day").values_list("petition", "day", "gained"))

    assert days == [(cities[0].pk, NOW.date(), 4), (cities[0].pk, tomorrow.date(), -1)]


def test_days_are_those_of_the_site(cities, settings):
    settings.TIME_ZONE = "America/Los_Angeles"
    sign(cities[0], make_supporter())

    add_up(at=NOW.replace(hour=3))

    assert str(DayTally.objects.get().day) == "2026-05-02"


def test_days_can_be_counted_from_the_signatures(cities):
    for day in (1, 2, 2):
        make_signature(cities[0], confirmed=True, at=NOW.replace(day=day))
    make_signature(cities[0], at=NOW)
    DayTally.objects.create(petition=cities[0], day=NOW.date(), gained=9)

    count_days([petition.pk for petition in cities])

    days = list(DayTally.objects.order_by("day").values_list("day__day", "gained"))
    assert days == [(1, 1), (2, 2)]


class AnythingInAnyOrder(TestCase):
    """Whatever happens to signatures between the rounds, both ways of counting agree."""

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["sign", "confirm", "remove", "restore", "disown", "add up", "forget who"]),
                st.integers(0, 2),
                st.integers(0, 2),
            ),
            max_size=40,
        )
    )
    def test_people_are_those_who_can_be_counted(self, happenings):
        cities, supporters = make_cities(3), [make_supporter() for _ in range(3)]
        petitions = [city.pk for city in cities]
        count_missing()

        for what, city, who in happenings:
            happen(what, cities[city], supporters[who])
            add_up(at=NOW) if what == "add up" else None
            assert recount(petitions) == []
            assert recount_people() == []
        add_up(at=NOW)

        assert people(cities[0].campaign) == counted_people(cities[0].campaign)


def happen(what, petition, supporter):
    signature = Signature.objects.filter(petition=petition, supporter=supporter).first()
    if what == "sign":
        if not Petition.objects.filter(pk=petition.pk, signatures__supporter=supporter).exists():
            make_signature(petition, supporter=supporter)
    elif what == "forget who":
        CountChange.objects.update(supporter_id=0)
        add_up(at=NOW)
    elif signature is not None:
        happen_to(what, signature)


def happen_to(what, signature):
    match what:
        case "confirm":
            confirm(signature_id=signature.pk, at=NOW)
        case "remove":
            remove(signature=signature, actor=None, at=NOW, reason="Test")
        case "restore" if signature.removal == "staff":
            restore(signature=signature, actor=None, at=NOW, reason="Test")
        case "disown":
            disown(signature_id=signature.pk, at=NOW, block=False)


@pytest.mark.django_db(transaction=True)
def test_people_are_exact_while_everything_happens_at_once():
    cities, supporters = make_cities(3), [make_supporter() for _ in range(8)]
    signatures = [make_signature(city, supporter=who) for city in cities for who in supporters]
    typed = make_cities(2, confirmation=Campaign.Confirmation.AFTERWARDS)
    for number in range(12):
        for petition in typed:
            make_submission(petition, email=f"both.{number}@example.org")
    found = []

    def decide(part):
        for number, signature in enumerate(part):
            confirm(signature_id=signature.pk, at=NOW)
            if number % 3 == 0:
                remove(signature=signature, actor=None, at=NOW, reason="Test")
            if number % 6 == 0:
                restore(signature=signature, actor=None, at=NOW, reason="Test")
            if number % 5 == 0:
                disown(signature_id=signature.pk, at=NOW, block=False)

    in_parallel(
        (lambda: decide(signatures[::2]), 1),
        (lambda: decide(signatures[1::2]), 1),
        (lambda: [fold(at=NOW, limit=3) for _ in range(10)], 1),
        (lambda: [add_up(at=NOW) for _ in range(15)], 2),
        (lambda: [found.extend(recount()) for _ in range(6)], 1),
    )
    while fold(at=NOW):
        pass
    add_up(at=NOW)

    assert found == []
    for campaign in (cities[0].campaign, typed[0].campaign):
        assert people(campaign) == counted_people(campaign)
    assert people(typed[0].campaign) == 12


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite looks through the rows")
@pytest.mark.parametrize(
    "statement",
    [f"WITH {GAINED} SELECT * FROM gained", COUNT_ANEW],  # noqa: S608
    ids=["who was added", "who is there"],
)
def test_no_round_looks_through_all_signatures(db, statement):
    with connection.cursor() as cursor:
        # The tables are empty here; this asks whether an index could be used at all.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}", {"campaign": 1})
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Seq Scan on signers_signature" not in plan
    assert "signers_signature_supporter_id" in plan


def test_every_change_is_made_from_a_signature():
    """`CountChange.of` is what makes sure that no change forgets whose it is."""
    made_otherwise = re.compile(r"CountChange\(|CountChange\.objects\.\w*create\(\s*\w+=")
    modules = [path for path in Path(settings.BASE_DIR, "signers").rglob("*.py") if path.name != "models.py"]

    assert modules
    assert [path.name for path in modules if made_otherwise.search(path.read_text())] == []
