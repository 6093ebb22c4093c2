"""Targets from a list, and campaign files, in the admin."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, Organization, Target
from config import worker
from petitions import campaign_files
from petitions.models import Petition, TargetList
from tests.admin_forms import client_of
from tests.factories import make_letter, make_petition, make_staff
from tests.people import text_of

pytestmark = pytest.mark.django_db
TWO = "Name,City,State,Mail\nAda Okafor,Rivermouth,Westmark,ada@rivermouth.example\nBo Lind,Hillford,Westmark,bo(at)hillford\n"


def client_with(role: str) -> Client:
    user = make_staff()
    user.groups.add(Group.objects.get(name=role))
    return client_of(user)


@pytest.fixture
def editor() -> Client:
    return client_with("editor")


@pytest.fixture
def campaign() -> Campaign:
    return make_letter().campaign


def bring_url(campaign):
    return reverse("admin:campaigns_campaign_bring_targets", args=[campaign.pk])


def url_of(target_list, verb="target_list"):
    name = "target_list" if verb == "target_list" else f"{verb}_targets"
    return reverse(f"admin:campaigns_campaign_{name}", args=[target_list.campaign_id, target_list.pk])


def brought(client, campaign, text=TWO):
    """The list as it is kept after it was pasted."""
    response = client.post(bring_url(campaign), {"text": text})
    assert response.status_code == 302, text_of(response)
    return TargetList.objects.latest("pk")


def digest_on(response):
    return re.search(r'name="previewed" value="([0-9a-f]{64})"', response.content.decode())[1]


def applied(client, target_list, **fields):
    seen = digest_on(client.get(url_of(target_list)))
    return client.post(url_of(target_list, "apply"), {"previewed": seen} | fields)


def test_a_file_is_brought_previewed_corrected_and_applied(editor, campaign):
    file = SimpleUploadedFile("mayors.csv", TWO.encode("cp1252"))

    preview = editor.post(bring_url(campaign), {"file": file, "text": ""}, follow=True)
    target_list = TargetList.objects.get()
    assert "This would add 1 target, each with a petition. Nothing has been changed so far." in text_of(
        preview
    )
    assert "“bo(at)hillford” is no e-mail address" in text_of(preview)

    corrected = editor.post(
        url_of(target_list, "correct"), {"row-1-email": "bo@hillford.example"}, follow=True
    )
    assert "This would add 2 targets" in text_of(corrected)

    done = applied(editor, target_list)

    assert done.url == reverse("admin:campaigns_campaign_publish", args=[campaign.pk])
    page = editor.get(done.url)
    assert "2 targets added, each with a petition. All petitions" in text_of(page)
    assert set(Target.objects.values_list("email", flat=True)) == {
        "ada@rivermouth.example",
        "bo@hillford.example",
    }


def test_the_same_list_again_has_nothing_to_apply(editor, campaign):
    applied(editor, brought(editor, campaign), without_wrong_rows="on")
    again = brought(editor, campaign, TWO.replace("(at)hillford", "@hillford.example").split("Bo Lind")[0])

    page = editor.get(url_of(again))

    assert "Nothing to do: the campaign is already as this list says." in text_of(page)


def test_wrong_rows_refuse_it_unless_they_are_left_out(editor, campaign):
    target_list = brought(editor, campaign)

    refused = applied(editor, target_list)
    assert refused.status_code == 422
    assert "Nothing was applied: correct the wrong rows first, or leave them out." in text_of(refused)
    assert not Target.objects.exists()

    done = applied(editor, target_list, without_wrong_rows="on")

    assert done.status_code == 302
    assert Target.objects.count() == 1


def test_applying_loses_no_correction_that_was_typed_and_not_saved(editor, campaign):
    target_list = brought(editor, campaign)
    typed = {"row-1-name": "Bo Lind", "row-1-email": "bo@hillford.example"}

    first = applied(editor, target_list, without_wrong_rows="on", **typed)

    assert first.url == url_of(target_list)
    page = text_of(editor.get(first.url))
    assert "Nothing was applied yet: your corrections are saved." in page
    assert "This would add 2 targets" in page


def test_applying_takes_rows_nobody_touched_as_they_were_shown(editor, campaign):
    rows = (
        'Name,City,Kind,Mail,Local\nAda Okafor,Rivermouth,push,,\nBo Lind,Hillford,push,bo at,"One,\ntwo"\n'
    )
    target_list = brought(editor, campaign, rows)
    shown = {"row-1-name": "Bo Lind", "row-1-kind": "demand", "row-1-local": "One,\r\ntwo"}

    done = applied(editor, target_list, without_wrong_rows="on", **shown)

    assert done.url == reverse("admin:campaigns_campaign_publish", args=[campaign.pk])
    assert Target.objects.count() == 1


def test_a_kind_nobody_understands_stays_wrong_until_somebody_chooses(editor, campaign):
    target_list = brought(editor, campaign, "Name,City,Kind\nAda Okafor,Rivermouth,angry\n")

    page = editor.get(url_of(target_list))

    assert '<option value="angry" selected>“angry”</option>' in page.content.decode()


def test_a_list_that_was_shown_otherwise_is_shown_again(editor, campaign):
    target_list = brought(editor, campaign)
    seen = digest_on(editor.get(url_of(target_list)))
    editor.post(url_of(target_list, "correct"), {"row-0-name": "Somebody Else", "row-1-left_out": "on"})

    response = editor.post(url_of(target_list, "apply"), {"previewed": seen, "without_wrong_rows": "on"})

    assert response.status_code == 422
    assert "something changed since you looked" in text_of(response)
    assert not Target.objects.exists()


def test_a_double_click_applies_once(editor, campaign):
    target_list = brought(editor, campaign, TWO.split("Bo Lind")[0])
    seen = digest_on(editor.get(url_of(target_list)))

    first, second = (
        editor.post(url_of(target_list, "apply"), {"previewed": seen}, follow=True) for _click in range(2)
    )

    assert "1 target added" in text_of(first)
    assert "This list is not there any more" in text_of(second)
    assert Target.objects.count() == 1


def test_a_list_can_be_dropped(editor, campaign):
    target_list = brought(editor, campaign)

    response = editor.post(url_of(target_list, "drop"), follow=True)

    assert "The list is dropped." in text_of(response)
    assert not TargetList.objects.exists()


def test_what_is_not_applied_yet_waits_on_the_page(editor, campaign):
    target_list = brought(editor, campaign)

    page = editor.get(bring_url(campaign))

    assert url_of(target_list) in page.content.decode()


def test_ignored_columns_are_named_as_long_as_the_list_is_there(editor, campaign):
    target_list = brought(editor, campaign, "Name,City,Phnoe,Salutaion\nAda,Rivermouth,1,Dear Ada\n")

    page = text_of(editor.get(url_of(target_list)))

    assert "The column “Phnoe” is ignored." in page
    assert "If you mean the salutation, head it “Salutation”." in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Choose a CSV file"),
        ({"text": TWO, "file": SimpleUploadedFile("a.csv", b"x")}, "not both"),
        ({"file": SimpleUploadedFile("a.csv", b"")}, "This is empty"),
        ({"file": SimpleUploadedFile("a.xlsx", b"PK\x03\x04...")}, "CSV"),
        ({"file": SimpleUploadedFile("a.csv", b"Name,City\nA\0,B")}, "NUL"),
        ({"text": "Ada Okafor, Rivermouth"}, "does not name the columns"),
    ],
)
def test_what_is_no_list_is_told_and_what_was_pasted_is_kept(editor, campaign, fields, words):
    response = editor.post(bring_url(campaign), fields)

    assert response.status_code == 422
    assert words in text_of(response)
    assert fields.get("text", "").splitlines()[:1] == [] or fields["text"].splitlines()[0] in text_of(
        response
    )
    assert not TargetList.objects.exists()


def test_a_hundred_rows_stand_on_a_page_and_wrong_ones_come_first(editor, campaign):
    rows = "".join(f"Ada {number},River {number},\n" for number in range(250)) + "Bo,Hill,x\n"
    target_list = brought(editor, campaign, f"Name,City,Mail\n{rows}")

    first = editor.get(url_of(target_list))
    third = editor.get(url_of(target_list), {"page": "3"})
    wrong = editor.get(url_of(target_list), {"mark": "wrong"})

    assert [row.mark.value for row in first.context["page"]][:2] == ["wrong", "new"]
    assert [len(page.context["page"]) for page in (first, third, wrong)] == [100, 51, 1]


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=99999999999", "page=" + "9" * 5000, "page=x", "mark=%00", "mark=odd"]
)
def test_an_odd_address_shows_the_list_all_the_same(editor, campaign, query):
    assert editor.get(f"{url_of(brought(editor, campaign))}?{query}").status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"row-x-name": "a"}, {"row--1-name": "a"}, {"row-" + "9" * 500 + "-name": "a"}, {"row-0-": "a"}, {"row-0-password": "a"},
        {"row-0-name": "\0\ud83d"}, {"row-0-local": "x" * 1_000_000}, {"row-1-kind": "odd", "page": "9" * 5000, "mark": "\0"},
        {"row-²-name": "a"},
    ],
)  # fmt: skip
def test_odd_corrections_never_fail(editor, campaign, fields):
    target_list = brought(editor, campaign)

    encodable = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    response = editor.post(url_of(target_list, "correct"), encodable, follow=True)

    assert response.status_code == 200


@pytest.mark.parametrize("verb", ["correct", "apply", "drop"])
def test_a_look_at_the_address_of_a_button_changes_nothing(editor, campaign, verb):
    target_list = brought(editor, campaign)

    response = editor.get(url_of(target_list, verb))

    assert response.url == url_of(target_list)
    assert TargetList.objects.exists()


def test_a_campaign_without_a_letter_leads_to_writing_one(editor):
    campaign = make_petition().campaign
    Petition.objects.update(current_version=None, live_at=None)
    Petition.objects.all().delete()
    campaign.letters.all().delete()

    page = text_of(editor.get(bring_url(campaign)))

    assert "Write a letter first" in page
    assert "CSV file" not in page


@pytest.mark.parametrize("verb", ["target_list", "correct", "apply", "drop", None])
def test_who_may_not_change_campaigns_cannot_bring_targets(editor, campaign, verb):
    target_list = brought(editor, campaign)
    reader = client_with("signature manager")

    address = url_of(target_list, verb) if verb else bring_url(campaign)
    response = reader.get(address) if verb in ("target_list", None) else reader.post(address)

    assert response.status_code == 403
    assert TargetList.objects.exists()


@pytest.mark.parametrize("petitions", [1, 31])
def test_the_campaign_leads_to_its_list_whether_small_or_large(editor, petitions):
    letter = make_letter()
    for _number in range(petitions):
        make_petition(letter=letter, live=False)

    page = editor.get(reverse("admin:campaigns_campaign_change", args=[letter.campaign.pk]))

    assert page.content.decode().count(bring_url(letter.campaign)) == 2


def test_the_worker_deletes_lists_of_yesterday(editor, campaign):
    old, new = brought(editor, campaign), brought(editor, campaign)
    TargetList.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1, minutes=1))

    worker.work_once()

    assert list(TargetList.objects.all()) == [new]


# --- Campaign files ------------------------------------------------------------------------------------------

UPLOAD = "/admin/campaigns/campaign/upload/"


def toml(content):
    return {
        "file": SimpleUploadedFile("campaign.toml", content.encode() if isinstance(content, str) else content)
    }


def file_of(campaign):
    return campaign_files.write(campaign)


def test_a_campaign_goes_out_as_a_file_and_comes_in_again(editor):
    petition = make_petition(live=False)
    campaign = petition.campaign
    download = editor.get(reverse("admin:campaigns_campaign_download", args=[campaign.pk]))
    assert download["Content-Disposition"] == f'attachment; filename="{campaign.slug}.toml"'
    content = (
        download.content.decode().replace(campaign.slug, "another-one").replace(petition.slug, "another")
    )

    done = editor.post(UPLOAD, toml(content), follow=True)

    assert done.redirect_chain[0][0] == reverse(
        "admin:campaigns_campaign_change", args=[Campaign.objects.get(slug="another-one").pk]
    )
    assert "Created: 1 campaign" in text_of(done)


def test_the_same_file_again_says_that_nothing_changed(editor):
    campaign = make_petition(live=False).campaign

    done = editor.post(UPLOAD, toml(file_of(campaign)), follow=True)

    assert "Nothing has changed." in text_of(done)


def test_what_the_file_lacks_is_named(editor):
    petition = make_petition(live=False)
    content = file_of(petition.campaign)
    make_petition(live=False, letter=petition.letter, slug="not-in-the-file")

    done = editor.post(UPLOAD, toml(content), follow=True)

    assert "In the campaign but not in the file, left as it is:" in text_of(done)


def test_every_mistake_is_listed_with_its_place_and_nothing_is_changed(editor):
    campaign = make_petition(live=False).campaign
    content = (
        file_of(campaign).replace("Many ask for it.", "{{ nope }}[^nobody]").replace('title = "', 'titel = "')
    )

    response = editor.post(UPLOAD, toml(content))

    with pytest.raises(campaign_files.BrokenFile) as broken:
        campaign_files.read(content)
    assert response.status_code == 422
    assert [str(problem) for problem in response.context["problems"]] == list(map(str, broken.value.problems))
    assert all(problem.place in text_of(response) for problem in broken.value.problems)
    assert campaign.letters.get().body == "Many ask for it."


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\xff\xfe", b"x" * 5_000_001, b"[" * 10_000, b"a = " + b"9" * 5000]
)
def test_an_odd_file_is_refused(editor, content):
    response = editor.post(UPLOAD, toml(content))

    assert response.status_code == 422
    assert response.context["problems"]
    assert not Organization.objects.exists()


def test_no_file_is_asked_for(editor):
    response = editor.post(UPLOAD)

    assert response.status_code == 422
    assert "Choose a campaign file." in text_of(response)


def test_only_who_may_write_campaigns_and_organizations_can_upload(editor):
    reader = client_with("signature manager")

    assert reader.get(UPLOAD).status_code == 403
    assert reader.post(UPLOAD, toml("")).status_code == 403
    assert UPLOAD in editor.get("/admin/campaigns/campaign/").content.decode()
    assert UPLOAD not in reader.get("/admin/campaigns/campaign/").content.decode()
