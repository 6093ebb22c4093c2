"""Short addresses: one for each petition and channel, where they lead, and what they brought."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from petitions import short_addresses
from petitions.models import ShortAddress
from petitions.short_addresses import (
    ALPHABET,
    LENGTH,
    address_for,
    addresses_for,
    clean_channel,
    new_code,
    remove_unused,
    short_url,
    signed_by_code,
)
from signers.signing import REFERRAL_LENGTH
from tests.factories import NOW, make_petition, make_signature
from tests.people import Person, work
from toolkit.referral_codes import is_code

pytestmark = pytest.mark.django_db


def live_petition(**fields):
    return make_petition(at=timezone.now() - timedelta(days=2), **fields)


# --- Making --------------------------------------------------------------------------------------------------


def test_asking_again_finds_the_same_address_however_it_is_capitalized():
    petition = make_petition()

    first = address_for(petition, "Poster", at=NOW)

    assert address_for(petition, " POSTER\u200b ", at=NOW) == first
    assert ShortAddress.objects.count() == 1


def test_each_channel_and_petition_has_its_own():
    one, other = make_petition(), make_petition()

    codes = {
        address_for(petition, channel, at=NOW).code
        for petition in (one, other)
        for channel in ("Poster", "Stall")
    }

    assert len(codes) == 4


def test_codes_can_be_told_apart_from_signers_and_are_taken_as_referrals():
    code = new_code()

    assert len(code) == LENGTH != REFERRAL_LENGTH
    assert is_code(code)
    assert not set("aeiou01l") & set(ALPHABET)


def test_a_code_that_is_taken_is_replaced_by_another(monkeypatch):
    taken = address_for(make_petition(), "Poster", at=NOW).code
    codes = iter([taken, "bcdfghj"])
    monkeypatch.setattr(short_addresses, "new_code", lambda: next(codes))

    assert address_for(make_petition(), "Poster", at=NOW).code == "bcdfghj"


def test_a_thousand_are_made_in_a_handful_of_queries(django_assert_max_num_queries):
    petitions = [make_petition(live=False) for _ in range(30)]

    with django_assert_max_num_queries(5):
        made = addresses_for(petitions, "Poster", at=NOW)

    assert [address.petition_id for address in made] == [petition.pk for petition in petitions]


@pytest.mark.parametrize("channel", ["", "  ", "\u200b", "\x00", "x" * 41])
def test_channel_needs_a_name_of_at_most_forty_characters(channel):
    with pytest.raises(ValidationError):
        clean_channel(channel)


def test_channel_is_cleaned():
    assert clean_channel("  Stall\u202e\x00  at\n the  market ") == "Stall at the market"


def test_database_refuses_a_second_address_of_a_channel():
    address = address_for(make_petition(), "Poster", at=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        ShortAddress.objects.create(
            petition=address.petition, channel="Poster", code="bcdfghj", created_at=NOW
        )


# --- Leading -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "{}/", "upper"])
def test_address_leads_to_the_petition_as_printed_with_a_slash_and_in_capitals(
    client: Client, django_assert_num_queries, form
):
    petition = live_petition()
    code = address_for(petition, "Poster", at=NOW).code
    typed = code.upper() if form == "upper" else form.format(code)

    with django_assert_num_queries(1):
        answer = client.get(f"/s/{typed}")

    assert answer.status_code == 302
    assert answer["Location"] == f"/petitions/{petition.slug}/?r={code}"
    assert answer["Cache-Control"].startswith("public")
    assert not answer.cookies


def test_printed_address_is_short():
    address = address_for(make_petition(), "Poster", at=NOW)

    assert short_url(address).endswith(f"/s/{address.code}")


def test_address_of_an_ended_petition_still_leads_there(client: Client):
    petition = live_petition(closed_at=NOW, won_at=NOW)
    code = address_for(petition, "Poster", at=NOW).code

    assert client.get(f"/s/{code}", follow=True).status_code == 200


def test_address_of_a_petition_that_left_the_site_leads_to_what_is_there_instead(client: Client):
    petition = live_petition()
    code = address_for(petition, "Poster", at=NOW).code
    petition.live_at = None
    petition.save(update_fields=["live_at"])

    assert client.get(f"/s/{code}")["Location"] == f"/petitions/{petition.slug}/?r={code}"


def test_address_gives_no_petition_away_that_is_yet_to_come(client: Client):
    draft, scheduled = make_petition(live=False), make_petition(at=timezone.now() + timedelta(days=1))

    for petition in (draft, scheduled):
        assert client.get(f"/s/{address_for(petition, 'Poster', at=NOW).code}").status_code == 404


@pytest.mark.parametrize("code", ["bcdfghj", "x", "x" * 300, "__--__"])
def test_unknown_code_is_a_page_with_words(client: Client, code):
    answer = client.get(f"/s/{code}")

    assert answer.status_code == 404
    assert "Nothing is written here" in answer.content.decode()


# --- Counting ------------------------------------------------------------------------------------------------


def test_signatures_are_counted_for_the_channel_that_brought_them():
    petition, other = make_petition(), make_petition()
    poster, stall = (address_for(petition, channel, at=NOW) for channel in ("Poster", "Stall"))
    for _ in range(2):
        make_signature(petition, confirmed=True, referral=poster.code)
    make_signature(petition, confirmed=True)
    make_signature(petition, referral=poster.code)
    make_signature(petition, confirmed=True, referral=poster.code, removed_at=NOW, removal="staff")
    make_signature(other, confirmed=True, referral=stall.code)

    assert signed_by_code([petition, other]) == {poster.code: 2}


def test_who_scans_a_poster_and_signs_is_counted_for_posters():
    petition = live_petition(confirmation="afterwards")
    code = address_for(petition, "Poster", at=NOW).code
    connie = Person()
    address = connie.opens(f"/s/{code}")["Location"]

    connie.client.defaults["HTTP_REFERER"] = f"http://testserver{address}"
    connie.signs(petition)
    work()

    assert signed_by_code([petition]) == {code: 1}


def test_address_is_removed_only_while_nobody_signed_through_it():
    petition = make_petition()
    used, unused = (address_for(petition, channel, at=NOW) for channel in ("Poster", "Stall"))
    make_signature(petition, referral=used.code)

    assert not remove_unused(used)
    assert remove_unused(unused)
    assert list(ShortAddress.objects.all()) == [used]
