"""The sample campaign in the database: alive, coherent, and loaded once."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from campaigns.models import Campaign
from petitions.models import Petition, Tally
from petitions.taking_a_stand import news_of
from signers import counting
from signers.demo import ACTED, SIGNED, load_demo
from signers.demo_names import PEOPLE
from signers.models import Consent, CountChange, Signature, Subscription, Supporter
from staff.models import AuditEntry, User
from tests.factories import NOW, make_petition, make_staff
from toolkit.person_names import clean_name

MODELS = (Campaign, Petition, Signature, Supporter, Consent, CountChange, User, AuditEntry)


def rows() -> list[int]:
    return [model.objects.count() for model in MODELS]


@pytest.fixture
def loaded(db: None) -> None:
    load_demo(password="lanterns-and-pages", at=NOW)


@pytest.mark.one_database
@pytest.mark.usefixtures("loaded")
def test_every_petition_is_on_the_site_and_shows_its_number() -> None:
    petitions = Petition.objects.public(at=NOW).select_related("tally")

    assert {petition.slug: petition.tally.count for petition in petitions} == SIGNED
    assert counting.recount() == []


@pytest.mark.one_database
@pytest.mark.usefixtures("loaded")
def test_signatures_are_confirmed_and_spread_over_the_time_since_publishing() -> None:
    moments = Signature.objects.order_by("signed_at").values_list("signed_at", flat=True)

    assert moments[0] >= NOW - timedelta(days=21)
    assert moments[0] < NOW - timedelta(days=20)
    assert NOW - timedelta(days=1) < moments.last() <= NOW
    assert not Signature.objects.filter(confirmed_at=None).exists()
    assert not Signature.objects.filter(confirmed_at__gt=NOW).exists()
    assert not Supporter.objects.filter(confirmed_at=None).exists()
    assert Consent.objects.exclude(supporter__signatures=None).distinct().count() == Signature.objects.count()


@pytest.mark.one_database
@pytest.mark.usefixtures("loaded")
def test_who_wants_updates_follows_from_the_latest_answer() -> None:
    latest = {consent.supporter_id: consent.granted for consent in Consent.objects.order_by("at", "pk")}
    wanting = {supporter for supporter, granted in latest.items() if granted}

    assert set(Subscription.objects.values_list("supporter", flat=True)) == wanting


@pytest.mark.one_database
@pytest.mark.usefixtures("loaded")
def test_most_supporters_have_a_city() -> None:
    assert Supporter.objects.filter(place=None).count() < Supporter.objects.count() / 4


@pytest.mark.one_database
@pytest.mark.usefixtures("loaded")
def test_one_mayor_has_acted_and_is_thanked() -> None:
    won = Petition.objects.get(slug=ACTED)

    assert won.state(NOW) == "won"
    assert not Signature.objects.filter(petition=won, signed_at__gte=won.closed_at).exists()
    assert [item.left_url for item in news_of(won.campaign, at=NOW)] == [won.get_absolute_url()]


@pytest.mark.one_database
@pytest.mark.usefixtures("loaded")
def test_no_invented_address_can_ever_exist() -> None:
    addresses = Supporter.objects.values_list("email", flat=True)

    assert all(address.endswith(("example.org", ".example")) for address in addresses)


@pytest.mark.one_database
@pytest.mark.usefixtures("loaded")
def test_staff_have_one_role_each() -> None:
    roles = {user.username: [group.name for group in user.groups.all()] for user in User.objects.all()}

    assert roles == {
        "owner": ["owner"],
        "publisher": ["publisher"],
        "editor": ["editor"],
        "signatures": ["signature manager"],
    }
    assert all(user.is_staff and not user.is_superuser for user in User.objects.all())
    assert User.objects.get(username="editor").check_password("lanterns-and-pages")


@pytest.mark.usefixtures("loaded")
def test_second_run_changes_nothing() -> None:
    before = rows()

    again = load_demo(password="another", at=NOW + timedelta(days=1))

    assert not again
    assert rows() == before
    assert User.objects.get(username="owner").check_password("lanterns-and-pages")


@pytest.mark.django_db
def test_two_databases_get_the_same_people() -> None:
    people = Signature.objects.order_by("pk").values_list(
        "email", "referral_code", "petition__slug", "signed_at"
    )
    with transaction.atomic():
        load_demo(password="a", at=NOW)
        first = list(people.all())
        transaction.set_rollback(True)

    load_demo(password="a", at=NOW)

    assert list(people.all()) == first


@pytest.mark.django_db
def test_other_campaigns_and_accounts_stay_as_they_are() -> None:
    make_staff(username="owner", password="mine-and-secret")
    other = make_petition()
    Tally.objects.update_or_create(petition=other, defaults={"count": 3})

    load_demo(password="lanterns-and-pages", at=NOW)

    assert Tally.objects.get(petition=other).count == 3
    assert User.objects.get(username="owner").check_password("mine-and-secret")
    assert not User.objects.get(username="owner").groups.exists()


@pytest.mark.django_db
def test_command_makes_up_a_password_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    first, second = io.StringIO(), io.StringIO()

    call_command("load_demo", stdout=first)
    call_command("load_demo", stdout=second)

    password = first.getvalue().splitlines()[0].rpartition(" ")[2]
    assert User.objects.get(username="publisher").check_password(password)
    assert second.getvalue() == "The sample campaign is already loaded.\n"


@pytest.mark.django_db
def test_command_takes_the_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "lanterns-and-pages")
    output = io.StringIO()

    call_command("load_demo", stdout=output, verbosity=0)

    assert output.getvalue() == ""
    assert User.objects.get(username="signatures").check_password("lanterns-and-pages")


@pytest.mark.django_db
def test_sample_gives_way_to_what_has_its_addresses() -> None:
    make_petition(slug="open-sundays-rivermouth")

    with pytest.raises(CommandError, match="This address belongs to a petition of"):
        call_command("load_demo")

    assert not Signature.objects.exists()


def test_names_are_names_the_sign_form_takes() -> None:
    names = [name for first_names, last_names in PEOPLE for name in (*first_names, *last_names)]

    assert [clean_name(name) for name in names] == names
