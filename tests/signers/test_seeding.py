"""Invented signatures by the million: coherent, counted, and never by mistake."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from petitions.models import CampaignTally, DayTally, Petition, Tally
from signers import counting, seeding
from signers.folding import is_local
from signers.mending import differing
from signers.models import Consent, Signature, Subscription, Supporter
from signers.searching import signatures_matching
from signers.seeding import CannotBeSeeded, seed
from tests.factories import NOW, make_petition, make_signature
from toolkit.email_addresses import mailbox_key
from toolkit.referral_codes import is_code

pytestmark = pytest.mark.django_db
MANY = 300


def petition_in(postal_prefixes: str) -> Petition:
    petition = make_petition()
    place = petition.target.place
    place.postal_prefixes = postal_prefixes
    place.save()
    return petition


def test_counts_agree_with_what_was_added():
    petition = petition_in("94 951")
    make_signature(petition, accepted_at=NOW, confirmed_at=NOW)
    counting.recount()

    seed(petition=petition, number=MANY, at=NOW)

    assert counting.recount() == []
    assert Tally.objects.get().count == MANY + 1
    assert Tally.objects.get().local > MANY // 5
    assert CampaignTally.objects.get().people == MANY + 1
    assert sum(DayTally.objects.values_list("gained", flat=True)) == MANY + 1
    assert DayTally.objects.count() > 100


def test_seeding_again_adds_other_people():
    petition = make_petition()

    seed(petition=petition, number=10, at=NOW)
    seed(petition=petition, number=10, at=NOW)

    assert Supporter.objects.values("mailbox").distinct().count() == 20
    assert counting.recount() == []


def test_rows_are_as_signing_and_confirming_would_have_made_them():
    petition = petition_in("94 951")

    seed(petition=petition, number=MANY, at=NOW)

    signatures = list(Signature.objects.select_related("supporter").order_by("pk"))
    assert len({signature.supporter_id for signature in signatures}) == MANY
    for signature in signatures:
        supporter = signature.supporter
        assert supporter.mailbox == mailbox_key(signature.email) == mailbox_key(supporter.email)
        assert signature.version_id == petition.current_version_id
        assert signature.state == "confirmed"
        assert signature.signed_at < signature.confirmed_at < NOW
        assert signature.is_local == is_local(signature.postal_code, "94 951")
        assert is_code(signature.referral_code)
        assert signature.evidence == []
        assert supporter.place_id == petition.target.place_id
    moments = [signature.signed_at for signature in signatures]
    assert moments == sorted(moments)
    assert (moments[-1] - moments[0]).days > 100


def test_everybody_has_one_consent_and_those_who_agreed_a_subscription():
    petition = make_petition()

    seed(petition=petition, number=MANY, at=NOW)

    assert Consent.objects.filter(granted=F("supporter__signatures__updates")).count() == MANY
    assert Subscription.objects.count() == Consent.objects.filter(granted=True).count() > MANY // 2
    assert not differing().exists()


def test_names_and_postal_codes_are_many_and_unequally_frequent():
    petition = make_petition()

    seed(petition=petition, number=3_000, at=NOW)

    last_names = list(Signature.objects.values_list("last_name", flat=True))
    most = max(last_names.count(name) for name in set(last_names))
    assert len(set(last_names)) > 1_000
    assert most > 10
    assert Signature.objects.values("postal_code").distinct().count() > 500
    assert Signature.objects.filter(signatures_matching(last_names[0])).exists()


def test_indexes_and_constraints_are_there_again(monkeypatch):
    monkeypatch.setattr(seeding, "WITHOUT_INDEXES_FROM", 1)
    monkeypatch.setitem(seeding.AT_ONCE, connection.vendor, 7)
    petition = make_petition()
    make_signature(petition)
    before = structure()
    parts = []

    seed(petition=petition, number=20, at=NOW, report=parts.append)

    assert structure() == before
    assert parts == [7, 14, 20]
    make_signature(petition)
    assert Signature.objects.count() == 22


def structure() -> dict[str, object]:
    with connection.cursor() as cursor:
        return {
            model.__name__: connection.introspection.get_constraints(cursor, model._meta.db_table)
            for model in seeding.TABLES
        }


@pytest.mark.parametrize("number", [0, -1, seeding.MOST + 1, 10**400])
def test_an_impossible_number_is_refused(number):
    with pytest.raises(CannotBeSeeded, match="Choose a number"):
        seed(petition=make_petition(), number=number, at=NOW)


def test_a_petition_nobody_could_read_gets_no_signatures():
    petition = make_petition()
    petition.current_version = None

    with pytest.raises(CannotBeSeeded, match="never been published"):
        seed(petition=petition, number=1, at=NOW)


def test_without_debug_it_has_to_be_said_that_the_database_is_nobodys(settings):
    settings.DEBUG = False
    petition = make_petition()

    with pytest.raises(CommandError, match="throw-away"):
        call_command("seed_signatures", petition.slug, "5")

    assert not Signature.objects.exists()


@pytest.mark.parametrize("slug", ["nowhere", "\0", "ä" * 10_000])
def test_an_unknown_petition_is_said_to_be_unknown(slug):
    with pytest.raises(CommandError, match="There is no petition"):
        call_command("seed_signatures", slug, "5", on_a_throw_away_database=True)


@pytest.mark.django_db(transaction=True)
def test_the_command_tells_how_far_it_is_and_how_long_it_took():
    petition = make_petition()
    told = io.StringIO()

    call_command("seed_signatures", petition.slug, "5", on_a_throw_away_database=True, stdout=told)

    assert "5 of 5" in told.getvalue()
    assert "5 signatures in" in told.getvalue()
    assert Signature.objects.count() == 5
