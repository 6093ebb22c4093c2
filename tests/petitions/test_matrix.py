"""The matrix of a campaign's petitions: finding, sorting, editing in rows, and changing many at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Source
from petitions.admin.publishing_views import keys_in_short
from petitions.forms.matrix import EDITABLE
from petitions.models import DayTally, FormerAddress, Letter, Petition, Version
from petitions.publishing import publish
from staff.models import AuditEntry
from tests.admin_forms import client_of
from tests.factories import make_letter, make_petition, make_place, make_staff

pytestmark = pytest.mark.django_db
LIST = reverse("admin:petitions_petition_changelist")


def client_with(role: str, **fields: Any) -> Client:
    user = make_staff(**fields)
    user.groups.add(Group.objects.get(name=role))
    return client_of(user)


@pytest.fixture
def editor() -> Client:
    return client_with("editor")


@pytest.fixture
def publisher() -> Client:
    return client_with("publisher")


@pytest.fixture
def letter() -> Letter:
    return make_letter(body="Many ask.\n\n{{ local }}")


@pytest.fixture
def petition(letter: Letter) -> Petition:
    return make_petition(letter=letter, place=make_place(name="Rivermouth"), live=False)


def address(letter: Letter, query: str = "") -> str:
    return f"{LIST}?campaign={letter.campaign_id}{query}"


def opened(client: Client, url: str) -> dict[str, str]:
    """What the page would send back unchanged."""
    rows = client.get(url).context["rows"]
    return {
        f"{row.petition.pk}-{name}": str(row.form[name].value() or "")
        for row in rows
        for name in (*EDITABLE, "seen")
    }


def save(client: Client, url: str, sent: dict[str, Any]) -> HttpResponse:
    return client.post(url, sent | {"_save": "Save"})


def typed(petition: Petition, **fields: str) -> dict[str, str]:
    return {f"{petition.pk}-{name}": text for name, text in fields.items()}


def do(client: Client, url: str, action: str, *chosen: Petition, **more: str) -> HttpResponse:
    sent = {"action": action, "_act": "Go", "chosen": [petition.pk for petition in chosen]}
    return client.post(url, sent | more)


def cities(response: HttpResponse) -> list[str]:
    return [row.city for row in response.context["rows"]]


# --- Finding -----------------------------------------------------------------------------------------------


def test_a_row_says_city_mayor_kind_state_count_and_today(editor, letter):
    petition = make_petition(letter=letter, place=make_place(name="Rivermouth"), at=timezone.now())
    petition.tally.count = 1204
    petition.tally.save()
    DayTally.objects.create(petition=petition, day=timezone.localdate(), gained=31)
    DayTally.objects.create(petition=petition, day=timezone.localdate() - timedelta(days=1), gained=9)

    row = editor.get(address(letter)).context["rows"][0]

    assert (row.city, row.region, row.state, row.count, row.today) == (
        "Rivermouth",
        "Westmark",
        "Open",
        "1,204",
        "+31",
    )


def test_a_day_without_gain_is_a_dash_and_a_loss_has_a_sign(editor, letter, petition):
    second = make_petition(letter=letter, place=make_place(name="Zed"))
    DayTally.objects.create(petition=second, day=timezone.localdate(), gained=-2)

    rows = editor.get(address(letter)).context["rows"]

    assert [row.today for row in rows] == ["–", "−2"]


def test_a_group_stands_with_its_addressee(editor, letter):
    Petition.objects.create(letter=letter, addressee="mayors of the river", slug="group")

    page = editor.get(address(letter)).content.decode()

    assert "mayors of the river" in page


def test_other_campaigns_are_not_in_it(editor, letter, petition):
    make_petition(place=make_place(name="Elsewhere"))

    assert cities(editor.get(address(letter))) == ["Rivermouth"]


def test_without_a_campaign_the_list_is_of_all(editor, petition):
    make_petition()

    response = editor.get(LIST)

    assert response.context["cl"].result_count == 2
    assert "rows" not in response.context


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("&kind=thank-you", ["Thanked"]),
        ("&kind=demand", ["Asked", "Live"]),
        ("&state=draft", ["Asked", "Thanked"]),
        ("&state=open", ["Live"]),
        ("&region=Eastmark", ["Thanked"]),
        ("&region=Eastmark%00", ["Thanked"]),
        ("&email=without", ["Asked", "Live"]),
        ("&email=with", ["Thanked"]),
        ("&local=with", ["Live"]),
        ("&local=without", ["Asked", "Thanked"]),
        ("&q=asked", ["Asked"]),
        ("&q=okafor", ["Asked", "Live", "Thanked"]),
        ("&q=a-slug", ["Thanked"]),
        ("&kind=demand&state=open", ["Live"]),
        ("&kind=&state=&region=&email=&local=&o=&q=", ["Asked", "Live", "Thanked"]),
        ("&o=5.-6.77.x", ["Asked", "Live", "Thanked"]),
        ("&q=" + "x" * 5000, []),
        ("&q=%00", ["Asked", "Live", "Thanked"]),
    ],
)
def test_filters_and_search(editor, letter, query, expected):
    thanks = make_letter(campaign=letter.campaign, kind="thank-you")
    make_petition(letter=letter, place=make_place(name="Asked"), live=False)
    make_petition(letter=letter, place=make_place(name="Live"), local="A street.", at=timezone.now())
    thanked = make_petition(
        letter=thanks, place=make_place(name="Thanked", region="Eastmark"), live=False, slug="a-slug"
    )
    thanked.target.email = "mayor@city.example"
    thanked.target.save()

    response = editor.get(address(letter, query))

    assert sorted(cities(response)) == expected


def test_each_column_sorts(editor, letter):
    for name, count, gained in (("Ash", 5, 9), ("Birch", 90, 0), ("Cedar", 40, 20)):
        found = make_petition(letter=letter, place=make_place(name=name), live=name != "Cedar")
        if name != "Cedar":
            type(found.tally).objects.filter(petition=found).update(count=count)
        DayTally.objects.create(petition=found, day=timezone.localdate(), gained=gained)
    page = editor.get(address(letter))
    orders = {head.name: head.url for head in page.context["heads"]}

    found = {name: cities(editor.get(LIST + url)) for name, url in orders.items()}

    assert cities(page) == ["Ash", "Birch", "Cedar"]
    assert found["city"] == ["Cedar", "Birch", "Ash"]
    assert [city for city in found["count"] if city != "Cedar"] == ["Birch", "Ash"]
    assert found["today"] == ["Cedar", "Ash", "Birch"]
    assert found["state"][0] == "Cedar"


def test_a_page_has_a_hundred_rows_and_as_many_queries_as_one(editor, letter, petition):
    url = address(letter)
    editor.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        editor.get(url)
    for _ in range(101):
        make_petition(letter=letter, local="Words.")

    with CaptureQueriesContext(connection) as many:
        response = editor.get(url)

    assert len(response.context["rows"]) == 100
    assert len(many) == len(few)
    assert len(many) <= 12
    # A page that is no more, since what was on it changed, leads to the first.
    assert editor.get(address(letter, "&p=9"))["Location"] == f"?campaign={letter.campaign_id}"


def test_who_may_only_look_sees_no_field(letter, petition):
    manager = client_with("signature manager")

    page = manager.get(address(letter)).content.decode()
    save(manager, address(letter), typed(petition, seen="", headline="Mine now"))

    assert petition.slug in page
    assert f"{petition.pk}-slug" not in page
    petition.refresh_from_db()
    assert petition.headline == ""


# --- Editing -----------------------------------------------------------------------------------------------


def test_a_row_is_saved_and_the_filter_stays(editor, letter, petition):
    url = address(letter, "&state=draft&q=river")
    sent = opened(editor, url)
    sent |= typed(
        petition, slug="new-one", headline="Open up, {{ place.name }}", goal="300", local="A\r\nstreet."
    )

    response = save(editor, url, sent)

    assert response["Location"] == url
    petition.refresh_from_db()
    assert (petition.slug, petition.headline, petition.goal) == ("new-one", "Open up, {{ place.name }}", 300)
    assert petition.local.splitlines() == ["A", "street."]
    entry = AuditEntry.objects.get(action="changed")
    assert entry.details["changes"] == [
        {"changed": {"fields": ["Address", "Headline", "First goal", "Local paragraph"]}}
    ]


def test_only_what_was_typed_is_written(editor, letter, petition):
    other = make_petition(letter=letter, live=False, headline="Theirs")
    sent = opened(editor, address(letter)) | typed(petition, headline="Mine")

    with CaptureQueriesContext(connection) as queries:
        save(editor, address(letter), sent)

    written = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "petitions_petition"')]
    assert len(written) == 1
    assert "headline" in written[0]
    assert "slug" not in written[0].partition("WHERE")[0]
    other.refresh_from_db()
    assert other.headline == "Theirs"


def test_saving_nothing_says_so(editor, letter, petition):
    response = editor.post(address(letter), opened(editor, address(letter)) | {"_save": "Save"}, follow=True)

    assert "no row was changed" in response.content.decode()
    assert not AuditEntry.objects.exists()


def test_an_old_text_as_browsers_send_it_is_no_change(editor, letter):
    make_petition(letter=letter, live=False, local="One\nTwo\n", headline="Three ")
    sent = opened(editor, address(letter))
    sent = {name: text.replace("\n", "\r\n") for name, text in sent.items()}

    save(editor, address(letter), sent)

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("headline", "Open {{ place.nam }}", "place.name"),
        ("headline", "See [^hours]", "Notes can be cited"),
        ("headline", "x" * 201, "at most 200"),
        ("headline", "a\0b", "Null characters"),
        ("local", "As said.[^hour]", "hours"),
        ("local", "x" * 20_001, "at most 20000"),
        ("slug", "taken", "Another petition has this address"),
        ("slug", "was-taken", "Another petition has this address"),
        ("slug", "No address!", "Use only letters"),
        ("slug", "\0", "Null characters"),
        ("goal", "0", "At least 1"),
        ("goal", "-5", "At least 1"),
        ("goal", "many", "whole number"),
        ("goal", "9" * 30, "At most"),
        ("goal", "9" * 5000, "whole number"),
    ],
)
def test_a_mistake_stands_at_its_field_and_all_that_was_typed_is_kept(
    editor, letter, petition, field, text, told
):
    Source.objects.create(campaign=letter.campaign, key="hours", title="Hours")
    taken = make_petition(slug="taken")
    FormerAddress.objects.create(petition=taken, slug="was-taken")
    other = make_petition(letter=letter, live=False)
    sent = opened(editor, address(letter)) | typed(other, headline="Fine") | typed(petition, **{field: text})

    response = save(editor, address(letter), sent)

    rows = {row.petition.pk: row.form for row in response.context["rows"]}
    assert response.status_code == 422
    assert told in str(rows[petition.pk].errors[field])
    assert rows[petition.pk][field].value() == text
    assert rows[other.pk]["headline"].value() == "Fine"
    assert "Not saved yet: 1 thing" in response.content.decode()
    other.refresh_from_db()
    assert other.headline == ""


def test_two_rows_cannot_take_one_address(editor, letter, petition):
    other = make_petition(letter=letter, live=False)
    sent = opened(editor, address(letter)) | typed(petition, slug="same") | typed(other, slug="Same ")

    response = save(editor, address(letter), sent)

    assert response.status_code == 422
    assert response.content.decode().count("Another row has this address") == 4


def test_an_emptied_address_is_made_anew(editor, letter, petition):
    save(editor, address(letter), opened(editor, address(letter)) | typed(petition, slug=""))

    petition.refresh_from_db()
    assert petition.slug == f"{letter.campaign.slug}-rivermouth"


def test_a_published_petition_moves_and_its_old_link_leads_on(editor, letter):
    petition = make_petition(letter=letter, slug="old")
    save(editor, address(letter), opened(editor, address(letter)) | typed(petition, slug="new"))

    response = Client().get("/petitions/old/")

    assert response.status_code == 301
    assert response["Location"] == "/petitions/new/"
    assert AuditEntry.objects.filter(
        action="moved to another address", actor_name__startswith="staff"
    ).exists()


def test_who_saves_second_is_told_and_nothing_is_overwritten(editor, letter, petition):
    colleague = client_with("editor", username="wren")
    url = address(letter)
    first = opened(editor, url) | typed(petition, headline="Mine", goal="70")
    save(colleague, url, opened(colleague, url) | typed(petition, headline="Theirs", local="Their street."))

    told = save(editor, url, first)
    petition.refresh_from_db()
    stored = petition.headline
    form = told.context["rows"][0].form
    again = {f"{petition.pk}-{name}": str(form[name].value()) for name in (*EDITABLE, "seen")}
    save(editor, url, again)

    assert told.status_code == 422
    assert stored == "Theirs"
    assert "wren saved this row" in told.content.decode()
    assert "headline “Theirs”" in told.content.decode()
    assert (form["headline"].value(), form["local"].value()) == ("Mine", "Their street.")
    petition.refresh_from_db()
    assert (petition.headline, petition.goal, petition.local) == ("Mine", 70, "Their street.")


def test_a_row_that_only_a_colleague_changed_stays_theirs(editor, letter, petition):
    other = make_petition(letter=letter, live=False)
    sent = opened(editor, address(letter)) | typed(other, headline="Mine")
    Petition.objects.filter(pk=petition.pk).update(headline="Theirs")

    response = save(editor, address(letter), sent)

    assert response.status_code == 302
    petition.refresh_from_db()
    assert petition.headline == "Theirs"


def test_two_who_typed_the_same_agree(editor, letter, petition):
    sent = opened(editor, address(letter)) | typed(petition, headline="Open")
    Petition.objects.filter(pk=petition.pk).update(headline="Open")

    assert save(editor, address(letter), sent).status_code == 302


def test_a_petition_that_was_deleted_meanwhile_is_told(editor, letter, petition):
    other = make_petition(letter=letter, live=False)
    sent = opened(editor, address(letter)) | typed(petition, headline="Open") | typed(other, headline="Up")
    petition.delete()

    response = editor.post(address(letter), sent | {"_save": ""}, follow=True)

    assert "had been deleted" in response.content.decode()
    other.refresh_from_db()
    assert other.headline == "Up"


def test_a_mistake_in_a_row_that_the_filter_no_longer_shows_is_still_shown(editor, letter, petition):
    url = address(letter, "&local=without")
    sent = opened(editor, url) | typed(petition, headline="{{ nothing }}")
    Petition.objects.filter(pk=petition.pk).update(local="Written meanwhile.")

    response = save(editor, url, sent)

    assert [row.petition.pk for row in response.context["rows"]] == [petition.pk]


def test_rows_of_other_campaigns_cannot_be_saved_here(editor, letter, petition):
    stranger = make_petition(live=False)

    save(editor, address(letter), typed(stranger, seen="", headline="Mine"))

    stranger.refresh_from_db()
    assert stranger.headline == ""


@pytest.mark.parametrize("seen", ["", "----", "\0", "x" * 9000, "a-b", "é-ß"])
def test_an_odd_memory_of_what_was_seen_overwrites_nothing(editor, letter, petition, seen):
    response = save(editor, address(letter), typed(petition, seen=seen, headline="Mine"))

    assert response.status_code == 422
    petition.refresh_from_db()
    assert petition.headline == ""


@pytest.mark.parametrize("key", ["0", "9" * 18, "9" * 500, "-1", "x", "٣"])
def test_odd_rows_are_left_alone(editor, letter, petition, key):
    response = save(editor, address(letter), {f"{key}-seen": "a", f"{key}-headline": "b"})

    assert response.status_code == 302


def test_saving_says_which_published_pages_differ_now(publisher, letter):
    petition = make_petition(letter=letter, place=make_place(name="Rivermouth"), live=False)
    make_petition(letter=letter, place=make_place(name="Hillford"), live=False)
    publish(campaign=letter.campaign, at=timezone.now() - timedelta(hours=1))
    url = address(letter, "&state=open")
    sent = opened(publisher, url) | typed(petition, headline="Open up")

    page = publisher.post(url, sent | {"_save": ""}, follow=True).content.decode()

    assert "1 published page differs now from what is saved: Rivermouth." in page
    assert (
        f"/publish/?petitions={petition.pk}&amp;back=campaign%3D{letter.campaign_id}%26state%3Dopen" in page
    )


def test_a_goal_changes_no_published_text(publisher, letter):
    petition = make_petition(letter=letter, live=False)
    publish(campaign=letter.campaign, at=timezone.now())
    sent = opened(publisher, address(letter)) | typed(petition, goal="900")

    page = publisher.post(address(letter), sent | {"_save": ""}, follow=True).content.decode()

    assert "1 petition saved." in page
    assert "differs now" not in page


# --- Many at once ------------------------------------------------------------------------------------------


def live_ones(letter: Letter, number: int) -> list[Petition]:
    for _ in range(number):
        make_petition(letter=letter, live=False)
    publish(campaign=letter.campaign, at=timezone.now() - timedelta(hours=1))
    return list(Petition.objects.filter(letter=letter).order_by("pk"))


def test_chosen_ones_are_closed_and_the_list_comes_back_as_it_was(publisher, letter):
    first, second, third = live_ones(letter, 3)
    page = do(publisher, address(letter, "&state=open"), "close", first, second)
    sent = {"petitions": page.context["keys"], "back": page.context["back"], "won": "won", "_confirmed": ""}

    done = publisher.post(reverse("admin:petitions_petition_close"), sent)

    assert done["Location"] == address(letter, "&state=open")
    states = [Petition.objects.get(pk=each.pk).state(timezone.now()) for each in (first, second, third)]
    assert states == ["won", "won", "open"]


def test_all_that_are_found_can_be_meant_without_choosing_each(publisher, letter):
    live_ones(letter, 3)
    draft = make_petition(letter=letter, live=False)

    page = do(publisher, address(letter, "&state=open"), "close", draft, scope="all")

    assert len(page.context["fitting"]) == 3
    assert page.context["left_out"] == []


def test_what_was_typed_before_acting_is_saved_first(publisher, letter, petition):
    sent = opened(publisher, address(letter)) | typed(petition, headline="Typed")

    page = do(publisher, address(letter), "check_and_publish", petition, **sent)

    assert page.context["review"].changes[0].rendered.headline == "Typed"


def test_a_mistake_in_a_row_comes_before_acting_and_the_choice_is_kept(publisher, letter, petition):
    sent = opened(publisher, address(letter)) | typed(petition, goal="0")

    page = do(publisher, address(letter), "check_and_publish", petition, **sent)

    assert page.status_code == 422
    assert page.context["rows"][0].chosen


@pytest.mark.parametrize(
    ("action", "told"), [("close", "Choose at least one"), ("", "Choose what"), ("x", "Choose what")]
)
def test_acting_on_nothing_says_what_is_missing(publisher, letter, petition, action, told):
    response = publisher.post(address(letter), {"action": action, "_act": "Go"}, follow=True)

    assert told in response.content.decode()


def test_publishing_leads_back_to_the_matrix(publisher, letter, petition):
    page = do(publisher, address(letter, "&state=draft"), "check_and_publish", petition)
    sent = {name: page.context[name] for name in ("back",)} | {"petitions": page.context["keys"]}
    sent |= {"reviewed": page.context["review"].digest, "when": "now", "_publish": ""}

    done = publisher.post(reverse("admin:campaigns_campaign_publish", args=[letter.campaign_id]), sent)

    assert done["Location"] == address(letter, "&state=draft")
    assert Version.objects.count() == 1


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "a\r\nb", "\0", "%ED%A0%80", "x" * 9000]
)
def test_the_way_back_leads_nowhere_else(publisher, letter, back):
    live = live_ones(letter, 1)[0]
    sent = {"petitions": live.pk, "back": back, "won": "closed", "_confirmed": ""}

    done = publisher.post(reverse("admin:petitions_petition_close"), sent)

    assert done["Location"].startswith(f"{LIST}?")


def test_a_thousand_are_closed_in_a_few_statements(publisher, letter, django_assert_max_num_queries):
    """The statements per five hundred, as one of a thousand takes twice as many."""
    few = live_ones(letter, 60)
    sent = {"petitions": keys_in_short(few), "won": "closed", "_confirmed": ""}

    with django_assert_max_num_queries(16):
        publisher.post(reverse("admin:petitions_petition_close"), sent)

    assert not Petition.objects.filter(closed_at=None).exists()
    assert AuditEntry.objects.filter(action="closed").count() == 60


@pytest.mark.parametrize("petitions", ["", "-", "1-x-\0", "9" * 5000, "-".join(["7"] * 20_000)])
def test_odd_keys_mean_nothing(publisher, petitions):
    response = publisher.post(reverse("admin:petitions_petition_close"), {"petitions": petitions})

    assert response.status_code == 200
    assert "nothing to do here" in response.content.decode()


# --- Changing the kind -------------------------------------------------------------------------------------


def test_a_page_shows_what_becomes_of_each_before_the_kind_changes(editor, letter, petition):
    make_letter(campaign=letter.campaign, kind="thank-you")
    published = make_petition(letter=letter)

    page = do(editor, address(letter), "change_to_thank_you", petition, published)
    before = Petition.objects.get(pk=petition.pk).letter.kind
    sent = {name: page.context[name] for name in ("kind", "back")} | {"petitions": page.context["keys"]}
    done = editor.post(page.context["action_url"], sent | {"_confirmed": ""})

    assert before == "demand"
    assert page.context["review"].changing == [petition]
    assert page.context["review"].published == [published]
    assert "Take a stand" in page.content.decode()
    assert done["Location"] == address(letter)
    assert Petition.objects.get(pk=petition.pk).letter.kind == "thank-you"
    assert Petition.objects.get(pk=published.pk).letter.kind == "demand"


def test_without_the_other_letter_the_page_says_what_to_do(editor, letter, petition):
    page = do(editor, address(letter), "change_to_thank_you", petition)

    assert "no thank-you letter yet" in page.content.decode()


@pytest.mark.parametrize("kind", ["", "x", "\0", "thank-you" * 999])
def test_odd_kinds_change_nothing(editor, letter, petition, kind):
    sent = {"petitions": petition.pk, "kind": kind, "_confirmed": ""}

    response = editor.post(reverse("admin:petitions_petition_change-kind"), sent)

    assert response.status_code == 422
    assert Petition.objects.get(pk=petition.pk).letter.kind == "demand"


def test_who_may_only_look_changes_no_kind(letter, petition):
    manager = client_with("signature manager")

    response = manager.post(
        reverse("admin:petitions_petition_change-kind"), {"petitions": petition.pk, "_confirmed": ""}
    )

    assert response.status_code == 403
