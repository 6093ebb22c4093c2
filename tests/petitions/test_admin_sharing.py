"""Sharing in the admin: how a post will look, short addresses, QR codes to print, CSV."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from petitions.models import Petition, ShareImage, ShortAddress
from petitions.share_images.keeping import Painter
from petitions.short_addresses import address_for, short_url
from staff.models import AuditEntry
from staff.roles import EDITOR, SIGNATURE_MANAGER
from tests.factories import (
    NOW,
    make_campaign,
    make_letter,
    make_petition,
    make_place,
    make_signature,
    make_staff,
)

pytestmark = pytest.mark.django_db


def client_of(role):
    user = make_staff()
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor():
    return client_of(EDITOR)


@pytest.fixture
def petition():
    return make_petition(at=timezone.now() - timedelta(days=1), place=make_place(name="Rivermouth"))


def sharing(petition):
    return reverse("admin:petitions_petition_sharing", args=[petition.pk])


def image(petition):
    return reverse("admin:petitions_petition_share_image", args=[petition.pk])


def of_campaign(name, petition):
    return reverse(f"admin:campaigns_campaign_{name}", args=[petition.campaign.pk])


# --- How a post will look ------------------------------------------------------------------------------------


def test_staff_see_title_text_domain_and_picture_of_a_live_petition(editor, petition):
    Painter().draw_due(at=timezone.now())

    page = editor.get(sharing(petition)).content.decode()

    assert "Open Rivermouth’s library on Sundays" in page
    assert "Open the library on Sundays." in page
    assert 'class="post__domain"' in page
    assert f"{image(petition)}?digest={ShareImage.objects.get().digest}" in page
    assert editor.get(image(petition)).content == bytes(ShareImage.objects.get().png)


def test_until_the_picture_is_drawn_staff_are_told_who_draws_it(editor, petition):
    page = editor.get(sharing(petition)).content.decode()

    assert "The worker draws the picture within a minute." in page
    assert "image.png" not in page
    assert editor.get(image(petition)).status_code == 404


def test_picture_that_shows_something_else_than_it_should_is_shown_and_said_to_be_old(editor, petition):
    Painter().draw_due(at=timezone.now())
    ShareImage.objects.update(digest="0123")

    page = editor.get(sharing(petition)).content.decode()

    assert "draws it anew within a minute" in page
    assert f"{image(petition)}?digest=0123" in page


def test_picture_of_a_draft_is_drawn_on_request_and_not_kept(editor):
    draft = make_petition(live=False)

    page = editor.get(sharing(draft)).content.decode()
    answer = editor.get(image(draft))

    assert "Not live yet" in page
    assert answer.content.startswith(b"\x89PNG")
    assert not ShareImage.objects.exists()


def test_draft_with_mistakes_in_its_texts_shows_no_post(editor):
    draft = make_petition(live=False, letter=make_letter(headline="Open {{ place.nam }}"))

    page = editor.get(sharing(draft))

    assert "The texts have mistakes" in page.content.decode()
    assert editor.get(image(draft)).status_code == 404


def test_change_form_and_list_lead_to_sharing(editor, petition):
    for url in (
        reverse("admin:petitions_petition_change", args=[petition.pk]),
        reverse("admin:petitions_petition_changelist"),
    ):
        assert sharing(petition) in editor.get(url).content.decode()


# --- Short addresses of a petition ---------------------------------------------------------------------------


def test_channel_gets_an_address_with_a_qr_code_to_download(editor, petition):
    answer = editor.post(sharing(petition), {"channel": "Poster"}, follow=True)

    address = ShortAddress.objects.get()
    assert short_url(address).split("//")[1] in answer.content.decode()
    qr = editor.get(reverse("admin:petitions_petition_qr", args=[petition.pk, address.pk]) + "?download")
    assert qr["Content-Type"] == "image/svg+xml"
    assert qr["Content-Disposition"].startswith("attachment")
    assert b"<title>QR code: Mayor Ada Okafor" in qr.content
    assert AuditEntry.objects.filter(action="made a short address").count() == 1


def test_making_the_same_again_is_recorded_once(editor, petition):
    for _ in range(2):
        editor.post(sharing(petition), {"channel": "Poster"})

    assert AuditEntry.objects.filter(action="made a short address").count() == 1


@pytest.mark.parametrize("channel", ["", "x" * 41, "\u200b", "\x00"])
def test_channel_without_a_proper_name_is_refused_beside_the_field(editor, petition, channel):
    answer = editor.post(sharing(petition), {"channel": channel})

    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert not ShortAddress.objects.exists()


def test_staff_see_how_many_signed_through_each_and_can_remove_only_what_nobody_used(editor, petition):
    used, unused = (address_for(petition, channel, at=NOW) for channel in ("Poster", "Stall"))
    make_signature(petition, confirmed=True, referral=used.code)

    page = editor.get(sharing(petition)).content.decode()
    for address in (used, unused):
        editor.post(sharing(petition), {"_remove": str(address.pk)})

    assert f'value="{unused.pk}"' in page
    assert f'name="_remove" value="{used.pk}"' not in page
    assert list(ShortAddress.objects.all()) == [used]


@pytest.mark.parametrize("key", ["", "x", "9" * 5000, "-1", "0"])
def test_removing_what_is_not_there_is_not_found(editor, petition, key):
    assert editor.post(sharing(petition), {"_remove": key}).status_code == 404


def test_address_of_another_petition_is_not_reached_through_this_one(editor, petition):
    other = address_for(make_petition(), "Poster", at=NOW)

    answer = editor.get(reverse("admin:petitions_petition_qr", args=[petition.pk, other.pk]))

    assert answer.status_code == 404
    assert editor.post(sharing(petition), {"_remove": str(other.pk)}).status_code == 404


def test_who_may_only_look_sees_everything_and_makes_nothing(petition):
    reader = client_of(SIGNATURE_MANAGER)
    address_for(petition, "Poster", at=NOW)

    page = reader.get(sharing(petition))

    assert page.status_code == 200
    assert "Make a short address" not in page.content.decode()
    assert "_remove" not in page.content.decode()
    assert reader.post(sharing(petition), {"channel": "Stall"}).status_code == 403
    assert reader.post(of_campaign("addresses", petition), {"channel": "Stall"}).status_code == 403


# --- A campaign ----------------------------------------------------------------------------------------------


@pytest.fixture
def cities():
    letter = make_letter(campaign=make_campaign(slug="open-sundays"))
    return [make_petition(letter=letter, place=make_place(name=name)) for name in ("Rivermouth", "Hillford")]


def test_all_petitions_that_are_not_closed_get_an_address_at_once(editor, cities):
    Petition.objects.filter(pk=cities[1].pk).update(closed_at=NOW)

    page = editor.post(of_campaign("addresses", cities[0]), {"channel": "Poster"}, follow=True)

    assert [address.petition for address in ShortAddress.objects.all()] == [cities[0]]
    assert "Poster: 1 new short address." in page.content.decode()
    assert AuditEntry.objects.get(action="made short addresses").details["number"] == 1


def test_making_them_takes_as_many_queries_for_many_as_for_few(editor, cities, django_assert_max_num_queries):
    letter = cities[0].letter
    for _ in range(20):
        make_petition(letter=letter, live=False)

    with django_assert_max_num_queries(25):
        editor.post(of_campaign("addresses", cities[0]), {"channel": "Poster"})

    assert ShortAddress.objects.count() == 22


def test_campaign_page_tells_what_each_channel_brought(editor, cities):
    for petition in cities:
        address = address_for(petition, "Poster", at=NOW)
        make_signature(petition, confirmed=True, referral=address.code)
    address_for(cities[0], "Stall", at=NOW)

    page = editor.get(of_campaign("addresses", cities[0]))

    assert [
        (channel["name"], channel["petitions"], channel["signed"]) for channel in page.context["channels"]
    ] == [
        ("Poster", "2 petitions", 2),
        ("Stall", "1 petition", 0),
    ]


def test_sheet_shows_code_city_and_address_of_one_channel_by_city(editor, cities):
    addresses = [address_for(petition, "Poster", at=NOW) for petition in cities]
    address_for(cities[0], "Stall", at=NOW)

    page = editor.get(of_campaign("qr_sheet", cities[0]), {"channel": "Poster"}).content.decode()

    assert page.count("<title>QR code: ") == 2
    assert page.index("Hillford") < page.index("Rivermouth")
    assert all(f"/s/{address.code}" in page for address in addresses)


def test_csv_lists_city_mayor_channel_and_both_addresses(editor, cities):
    address = address_for(cities[0], "Poster", at=NOW)

    answer = editor.get(of_campaign("addresses_csv", cities[0]), {"channel": "Poster"})
    lines = b"".join(answer.streaming_content).decode().splitlines()

    assert answer["Content-Disposition"] == 'attachment; filename="open-sundays-addresses.csv"'
    assert lines[0].lstrip("\ufeff") == "City,To,Kind,Channel,Short address,Page"
    assert lines[1].split(",")[0] == "Rivermouth"
    assert lines[1].split(",")[4] == short_url(address)
    assert lines[1].endswith(f"/petitions/{cities[0].slug}/")


@pytest.mark.parametrize(
    "query", ["channel=", "channel=%00", "channel=" + "x" * 500, "page=x", "page=99999999999"]
)
def test_odd_addresses_of_sheet_and_csv_are_no_error(editor, cities, query):
    for name in ("qr_sheet", "addresses_csv"):
        assert editor.get(of_campaign(name, cities[0]) + "?" + query).status_code in {200, 404}
