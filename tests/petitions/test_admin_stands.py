"""Taking a stand and undoing it in the admin."""

import html
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from petitions.models import Letter, Petition, Stand
from petitions.publishing import publish
from petitions.taking_a_stand import take_a_stand
from tests.admin_forms import client_of
from tests.factories import make_letter, make_petition, make_staff, make_version
from tests.people import text_of

pytestmark = pytest.mark.django_db

TAKE, UNDO, LIST = (
    "admin:petitions_petition_take-a-stand",
    "admin:petitions_petition_stands-undo",
    "admin:petitions_petition_stands",
)


def client_with(role: str) -> Client:
    user = make_staff()
    user.groups.add(Group.objects.get(name=role))
    return client_of(user)


@pytest.fixture
def publisher() -> Client:
    return client_with("publisher")


@pytest.fixture
def demand() -> Petition:
    """On the site since yesterday; its campaign has a thank-you letter."""
    petition = make_petition(live=False)
    make_letter(
        campaign=petition.campaign,
        kind="thank-you",
        headline="Thank {{ target.office }} {{ target.last_name }}",
    )
    publish(campaign=petition.campaign, at=timezone.now() - timedelta(days=1))
    petition.refresh_from_db()
    return petition


@pytest.fixture
def stand(demand: Petition) -> Stand:
    now = timezone.now()
    return take_a_stand(petition=demand, taken_on=now.date(), reason="Hours voted.", actor=None, at=now)


def typed(*petitions: Petition, **fields: str) -> dict[str, str]:
    return {
        "petitions": "-".join(str(petition.pk) for petition in petitions),
        "taken_on": timezone.localdate().isoformat(),
        "reason": "The council voted.",
        "_confirmed": "Take a stand",
    } | fields


def press(client: Client, *petitions: Petition, **fields: str):
    return client.post(reverse(TAKE), typed(*petitions, **fields))


def undo(client: Client, stand: Stand, **fields: str):
    return client.post(reverse(UNDO), {"stands": str(stand.pk), "_confirmed": "Undo", "reason": ""} | fields)


# --- Taking ----------------------------------------------------------------------------------------------------


def test_the_page_says_what_will_happen_and_changes_nothing(publisher, demand):
    page = publisher.get(reverse(TAKE), {"petition": demand.pk})

    text = text_of(page)
    assert f"{demand.addressed_to} takes a stand" in text
    assert "The demand is won" in text
    assert "The thank-you is made and opens" in text
    assert f'value="{timezone.localdate().isoformat()}"' in page.content.decode()
    assert Petition.objects.count() == 1


def test_the_page_that_will_open_can_be_looked_at(publisher, demand):
    page = publisher.get(reverse("admin:petitions_petition_take-a-stand_page", args=[demand.pk]))

    assert "Thank Mayor Okafor" in text_of(page)
    assert "no-store" in page["Cache-Control"]
    assert Petition.objects.count() == 1


def test_one_button_moves_the_target(publisher, demand):
    answer = publisher.post(reverse(TAKE), typed(demand), follow=True)

    demand.refresh_from_db()
    stand = Stand.objects.get()
    text = html.unescape(answer.content.decode())
    assert demand.state(timezone.now()) == "won"
    assert (stand.reason, stand.recorded_by_id) == (
        "The council voted.",
        int(publisher.session["_auth_user_id"]),
    )
    for url in (
        demand.get_absolute_url(),
        stand.joined.get_absolute_url(),
        f"{reverse(UNDO)}?stands={stand.pk}",
    ):
        assert f'href="{url}"' in text
    assert "(until " in text


def test_the_action_on_the_list_leads_to_the_page(publisher, demand):
    other = make_petition(letter=demand.letter)

    page = publisher.post(
        reverse("admin:petitions_petition_changelist"),
        {"action": "take_a_stand", "_selected_action": [demand.pk, other.pk]},
    )

    assert text_of(page).count("The thank-you is made and opens") == 2
    assert f'value="{demand.pk}-{other.pk}"' in page.content.decode()


def test_several_targets_move_with_the_same_words(publisher, demand):
    other = make_petition(letter=demand.letter)

    press(publisher, demand, other)

    assert set(Stand.objects.values_list("target", "reason")) == {
        (demand.target_id, "The council voted."),
        (other.target_id, "The council voted."),
    }


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("reason", "", "Say what happened"),
        ("reason", "x" * 1001, "at most 1000 characters"),
        ("reason", "a\x00b", "Null characters are not allowed"),
        ("taken_on", "", "This field is required"),
        ("taken_on", "9" * 5000, "Enter a valid date"),
        ("taken_on", "9999-12-31", "cannot be in the future"),
        ("taken_on", "1999-12-31", "2000 or later"),
    ],
)
def test_what_is_missing_or_odd_is_told_beside_its_field(publisher, demand, field, value, words):
    answer = press(publisher, demand, **{field: value})

    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Stand.objects.exists()


def test_what_cannot_move_is_left_out_with_its_reason(publisher, demand):
    draft = make_petition(letter=demand.letter, live=False)

    page = publisher.get(reverse(TAKE), {"petition": [demand.pk, draft.pk]})

    assert "This petition was never published. Change its kind instead." in text_of(page)
    assert f'name="petitions" value="{demand.pk}"' in page.content.decode()


def test_a_missing_letter_is_one_click_away(publisher):
    petition = make_petition()

    page = press(publisher, petition).content.decode()

    assert f'href="/admin/campaigns/campaign/{petition.campaign.pk}/change/#letters-group"' in page


def test_what_was_moved_by_a_colleague_meanwhile_stops_all(publisher, demand, stand):
    other = make_petition(letter=demand.letter)

    answer = press(publisher, other, demand)

    assert answer.status_code == 422
    assert "Nothing was changed." in text_of(answer)
    assert Stand.objects.count() == 1


def test_both_sides_cannot_be_chosen_together(publisher, demand):
    thanked = make_petition(letter=Letter.objects.get(kind="thank-you"))

    page = publisher.get(reverse(TAKE), {"petition": [demand.pk, thanked.pk]})

    assert "Choose either demands or thank-you petitions" in text_of(page)
    assert "_confirmed" not in page.content.decode()


def test_a_letter_with_mistakes_is_told_and_keeps_what_was_typed(publisher, demand):
    Letter.objects.filter(kind="thank-you").update(body="{{ target.nickname }}")

    answer = press(publisher, demand, reason="They kept their word.")

    assert answer.status_code == 422
    assert "target.nickname" in text_of(answer)
    assert "They kept their word." in text_of(answer)
    preview = publisher.get(reverse("admin:petitions_petition_take-a-stand_page", args=[demand.pk]))
    assert preview.status_code == 422


@pytest.mark.parametrize("keys", ["", "0", "x", "9" * 30, "1-2-3"])
def test_odd_keys_find_nothing(publisher, keys):
    assert publisher.get(reverse(TAKE), {"petitions": keys}).status_code == 200
    assert publisher.get(reverse(UNDO), {"stands": keys}).status_code == 404


def test_a_group_and_a_missing_letter_have_no_page_to_look_at(publisher):
    lonely = make_petition()

    assert (
        publisher.get(reverse("admin:petitions_petition_take-a-stand_page", args=[lonely.pk])).status_code
        == 404
    )


@pytest.mark.parametrize("role", ["editor", "signature manager"])
def test_only_who_may_publish_can_do_it(role, demand, stand):
    client = client_with(role)

    assert client.get(reverse(TAKE), {"petition": demand.pk}).status_code == 403
    assert press(client, demand).status_code == 403
    assert undo(client, stand).status_code == 403
    assert "Undo" not in text_of(client.get(reverse(LIST)))


# --- On the petition's page --------------------------------------------------------------------------------------


def test_the_petition_offers_it(publisher, demand):
    page = publisher.get(reverse("admin:petitions_petition_change", args=[demand.pk]))

    assert f'href="{reverse(TAKE)}?petition={demand.pk}"' in page.content.decode()


def test_both_petitions_tell_of_the_stand_and_how_to_undo_it(publisher, demand, stand):
    ended = publisher.get(reverse("admin:petitions_petition_change", args=[demand.pk]))
    opened = publisher.get(reverse("admin:petitions_petition_change", args=[stand.joined_id]))

    assert "Ended by a stand" in text_of(ended)
    assert "Opened by a stand" in text_of(opened)
    assert "Ask again" in text_of(opened)
    for page in (ended, opened):
        assert f'href="{reverse(UNDO)}?stands={stand.pk}"' in page.content.decode()


def test_a_group_offers_nothing(publisher, demand):
    group = Petition.objects.create(letter=demand.letter, addressee="mayors who read", slug="mayors")
    make_version(group)

    page = publisher.get(reverse("admin:petitions_petition_change", args=[group.pk]))

    assert "Take a stand" not in text_of(page)


# --- Undoing -----------------------------------------------------------------------------------------------------


def test_looking_at_the_way_back_changes_nothing(publisher, stand):
    page = publisher.get(reverse(UNDO), {"stands": stand.pk})

    assert "Both petitions go back" in text_of(page)
    stand.refresh_from_db()
    assert stand.undone_at is None


def test_undoing_brings_the_demand_back(publisher, demand, stand):
    answer = undo(publisher, stand)

    demand.refresh_from_db()
    assert answer.status_code == 302
    assert demand.is_open(timezone.now())


def test_several_are_undone_together(publisher, demand):
    other = make_petition(letter=demand.letter)
    press(publisher, demand, other)
    keys = "-".join(str(key) for key in Stand.objects.values_list("pk", flat=True))

    publisher.post(reverse(UNDO), {"stands": keys, "_confirmed": "Undo", "reason": ""})

    assert not Stand.objects.told().exists()


def test_after_a_day_there_is_no_way_back_but_forward(publisher, demand, stand):
    Stand.objects.update(recorded_at=timezone.now() - timedelta(hours=24))

    page = publisher.get(reverse(UNDO), {"stands": stand.pk})
    answer = undo(publisher, stand)

    assert "This can no longer be undone" in text_of(page)
    assert answer.status_code == 422
    assert "within 24 hours" in text_of(answer)
    demand.refresh_from_db()
    assert demand.state(timezone.now()) == "won"


def test_the_latest_moves_are_listed(publisher, stand):
    page = publisher.get(reverse(LIST))

    assert str(stand.target) in text_of(page)
    assert f'href="{reverse(UNDO)}?stands={stand.pk}"' in page.content.decode()


def test_an_empty_list_says_how_one_begins(publisher):
    assert "No target has taken a stand yet" in text_of(publisher.get(reverse(LIST)))
