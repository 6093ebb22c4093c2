"""The campaign's form: one save from organization to petitions, and every mistake told beside its field."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, Place, Target
from petitions.admin.steps import total_text
from petitions.closing import close
from petitions.models import CampaignTally, Letter, Petition, Tally
from petitions.publishing import publish
from staff.models import AuditEntry
from tests.admin_forms import LETTER, SOURCE, TARGET, campaign_form, client_of, stored_campaign_form
from tests.factories import NOW, make_campaign, make_letter, make_organization, make_petition, make_staff

pytestmark = pytest.mark.django_db
ADD = "/admin/campaigns/campaign/add/"


@pytest.fixture
def editor() -> Client:
    user = make_staff()
    user.groups.add(Group.objects.get(name="editor"))
    return client_of(user)


def change_url(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


def errors_of(response, prefix=None) -> dict:
    """Errors by field name: of the campaign, or of the first row of a part that has any."""
    if prefix is None:
        return dict(response.context["adminform"].form.errors)
    formsets = {inline.formset.prefix: inline.formset for inline in response.context["inline_admin_formsets"]}
    return next((dict(errors) for errors in formsets[prefix].errors if errors), {})


def test_one_save_makes_campaign_sources_letter_target_and_petition(editor):
    response = editor.post(ADD, campaign_form(organization=make_organization()))

    assert response.status_code == 302
    campaign = Campaign.objects.get()
    petition = Petition.objects.get()
    assert campaign.slug == "open-sundays"
    assert campaign.sources.get().authors == ["Ada Lind", "Bo Ek"]
    assert petition.letter == campaign.letters.get()
    assert petition.slug == "open-sundays-rivermouth"
    assert petition.target.last_name == "Okafor"
    assert petition.target.place == Place.objects.get(name="Rivermouth", region="Westmark")


def test_the_empty_form_can_be_opened_without_any_organization(editor):
    response = editor.get(ADD)

    assert response.status_code == 200
    assert "Organization" in response.content.decode()


def test_saving_unchanged_changes_nothing_and_is_not_recorded(editor):
    editor.post(ADD, campaign_form(organization=make_organization()))
    campaign = Campaign.objects.get()
    before = AuditEntry.objects.count()

    response = editor.post(change_url(campaign), stored_campaign_form(campaign))

    assert response.status_code == 302
    assert AuditEntry.objects.count() == before
    assert Petition.objects.count() == 1


def test_edits_are_in_the_audit_log_by_field_and_not_by_content(editor):
    editor.post(ADD, campaign_form(organization=make_organization()))
    campaign = Campaign.objects.get()
    form = stored_campaign_form(campaign) | {"letters-0-headline": "A quite different headline"}

    editor.post(change_url(campaign), form)

    entry = AuditEntry.objects.filter(subject_type="campaign").first()
    assert entry.action == "changed"
    assert "Headline" in str(entry.details)
    assert "different headline" not in str(entry.details)


def test_save_and_check_leads_to_the_checklist(editor):
    response = editor.post(ADD, campaign_form(organization=make_organization(), _check="Save and check"))

    assert response.url == reverse("admin:campaigns_campaign_publish", args=[Campaign.objects.get().pk])


def test_a_letter_may_cite_a_source_of_the_same_save_but_no_other(editor):
    body = LETTER["body"] + " And again.[^huors-2026]"

    response = editor.post(
        ADD, campaign_form(organization=make_organization(), letters=[{**LETTER, "body": body}])
    )

    assert "Did you mean “hours-2026”?" in str(errors_of(response, "letters")["body"])
    assert not Campaign.objects.exists()


def test_a_source_that_is_being_deleted_can_no_longer_be_cited(editor):
    editor.post(ADD, campaign_form(organization=make_organization()))
    campaign = Campaign.objects.get()
    form = stored_campaign_form(campaign) | {"sources-0-DELETE": "on", "letters-0-closing": "Thanks,"}

    response = editor.post(change_url(campaign), form)

    assert "hours-2026" in str(errors_of(response, "letters"))


@pytest.mark.parametrize(
    ("change", "part", "field", "told"),
    [
        ({"letters-0-body": "For {{ target.nmae }}."}, "letters", "body", "{{ target.name }}"),
        ({"letters-0-body": "{{ supporter.first_name }}"}, "letters", "body", "greeting only"),
        (
            {"letters-0-headline": "In {{ place.region }}", "targets-0-place_region": ""},
            "letters",
            "headline",
            "Ada Okafor",
        ),
        ({"letters-0-body": ""}, "letters", "body", "required"),
        ({"letters-0-statement": "   "}, "letters", "statement", "required"),
        ({"letters-0-kind": "protest"}, "letters", "kind", "protest"),
        ({"sources-0-key": "Hours 2026"}, "sources", "key", "small letters"),
        ({"sources-0-url": "javascript:alert(1)"}, "sources", "url", "https://"),
        ({"sources-0-date": "yesterday"}, "sources", "date", "valid date"),
        ({"sources-0-title": ""}, "sources", "title", "required"),
        ({"targets-0-name": ""}, "targets", "name", "required"),
        ({"targets-0-place_name": ""}, "targets", "place_name", "required"),
        ({"targets-0-kind": "thank-you"}, "targets", "kind", "no thank-you letter"),
        ({"targets-0-slug": "Über uns!"}, "targets", "slug", "uber-uns"),
        ({"targets-0-headline": "{{ plaec.name }}"}, "targets", "headline", "{{ place.name }}"),
        ({"targets-0-local": "Look.[^huors-2026]"}, "targets", "local", "hours-2026"),
        ({"targets-0-goal": "9" * 5000}, "targets", "goal", "number"),
        ({"targets-0-goal": "0"}, "targets", "goal", "1"),
        ({"targets-0-email": "mayor at rivermouth"}, "targets", "email", "valid email"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(editor, change, part, field, told):
    form = campaign_form(organization=make_organization()) | change

    response = editor.post(ADD, form)

    assert response.status_code == 200
    assert told in str(errors_of(response, part)[field])
    assert "Many ask for it" in response.content.decode() or "letters-0-body" in change
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"title": ""}, "title", "required"),
        ({"organization": ""}, "organization", "required"),
        ({"organization": "12345678901234567890123"}, "organization", "valid choice"),
        ({"slug": "öffne das"}, "slug", "offne-das"),
        ({"language": "klingon!"}, "language", "language code"),
        ({"count_floor": "-4"}, "count_floor", "0"),
    ],
)
def test_a_mistake_in_the_campaign_itself_is_told_too(editor, change, field, told):
    response = editor.post(ADD, campaign_form(organization=make_organization()) | change)

    assert told in str(errors_of(response)[field])


def test_two_demand_letters_are_refused_beside_the_second(editor):
    form = campaign_form(organization=make_organization(), letters=[LETTER, LETTER])

    response = editor.post(ADD, form)

    assert "There is a demand letter already" in str(errors_of(response, "letters")["kind"])


def test_a_source_key_twice_is_refused(editor):
    form = campaign_form(organization=make_organization(), sources=[SOURCE, {**SOURCE, "title": "Another"}])

    response = editor.post(ADD, form)

    assert "hours-2026" in str(errors_of(response, "sources")["key"])


def test_the_same_target_twice_is_refused_whatever_its_case(editor):
    again = {**TARGET, "name": "ada okafor", "place_name": "rivermouth"}

    response = editor.post(ADD, campaign_form(organization=make_organization(), targets=[TARGET, again]))

    assert "listed twice" in str(errors_of(response, "targets")["name"])


def test_a_target_that_is_stored_already_is_refused(editor):
    editor.post(ADD, campaign_form(organization=make_organization()))
    campaign = Campaign.objects.get()
    form = stored_campaign_form(campaign)
    extra = {f"targets-1-{name}": value for name, value in TARGET.items()}

    response = editor.post(change_url(campaign), form | extra | {"targets-TOTAL_FORMS": 2})

    assert "Ada Okafor" in str(errors_of(response, "targets")["name"])


def test_two_targets_of_one_place_get_addresses_of_their_own(editor):
    other = {**TARGET, "name": "Bo Lind", "office": "Treasurer"}
    third = {**TARGET, "name": "Cy Lind", "office": "Clerk"}

    editor.post(ADD, campaign_form(organization=make_organization(), targets=[TARGET, other, third]))

    slugs = Petition.objects.order_by("pk").values_list("slug", flat=True)
    assert list(slugs) == [
        "open-sundays-rivermouth",
        "open-sundays-rivermouth-lind",
        "open-sundays-rivermouth-2",
    ]


def test_names_in_other_scripts_get_an_address_too(editor):
    targets = [{**TARGET, "name": "王小明", "place_name": "河口", "place_region": ""}]

    editor.post(ADD, campaign_form(organization=make_organization(), title="图书馆", targets=targets))

    assert Campaign.objects.get().slug == "campaign"
    assert re.fullmatch(r"[a-z0-9-]+", Petition.objects.get().slug)


def test_an_address_that_is_taken_is_refused(editor):
    taken = make_petition().slug

    response = editor.post(
        ADD, campaign_form(organization=make_organization(), targets=[{**TARGET, "slug": taken}])
    )

    assert "Another petition has this address" in str(errors_of(response, "targets")["slug"])


def test_an_address_twice_on_the_form_is_refused(editor):
    rows = [{**TARGET, "slug": "same"}, {**TARGET, "name": "Bo Lind", "slug": "same"}]

    response = editor.post(ADD, campaign_form(organization=make_organization(), targets=rows))

    assert "Another petition on this form" in str(errors_of(response, "targets")["slug"])


def test_a_campaign_address_that_is_taken_is_refused(editor):
    make_campaign(slug="open-sundays")

    response = editor.post(ADD, campaign_form(organization=make_organization(), slug="open-sundays"))

    assert "Another campaign has this address" in str(errors_of(response)["slug"])


def test_what_was_published_keeps_its_kind_and_the_campaign_its_address(editor):
    petition = make_petition()
    make_letter(campaign=petition.campaign, kind="thank-you")
    form = stored_campaign_form(petition.campaign)

    response = editor.post(
        change_url(petition.campaign),
        form | {"targets-0-kind": "thank-you", "slug": "moved"},
    )

    errors = errors_of(response, "targets")
    assert "kind stays" in str(errors["kind"])
    assert "stays" in str(errors_of(response)["slug"])


def test_a_draft_moves_to_the_other_letter(editor):
    petition = make_petition(live=False)
    thanks = make_letter(campaign=petition.campaign, kind="thank-you")
    form = stored_campaign_form(petition.campaign) | {"targets-0-kind": "thank-you"}

    response = editor.post(change_url(petition.campaign), form)

    assert response.status_code == 302
    petition.refresh_from_db()
    assert petition.letter == thanks


def test_deleting_a_target_takes_its_draft_along(editor):
    petition = make_petition(live=False)

    response = editor.post(
        change_url(petition.campaign), stored_campaign_form(petition.campaign) | {"targets-0-DELETE": "on"}
    )

    assert response.status_code == 302
    assert not Target.objects.exists()
    assert not Petition.objects.exists()


def test_a_target_with_a_published_petition_stays(editor):
    petition = make_petition()

    response = editor.post(
        change_url(petition.campaign), stored_campaign_form(petition.campaign) | {"targets-0-DELETE": "on"}
    )

    assert response.status_code == 200
    assert "published petition and stays" in response.content.decode()
    assert Target.objects.exists()


def test_a_letter_that_petitions_use_stays(editor):
    petition = make_petition()
    form = stored_campaign_form(petition.campaign) | {"letters-0-DELETE": "on"}

    response = editor.post(change_url(petition.campaign), form)

    assert response.status_code == 200
    assert Letter.objects.exists()


def test_postal_codes_of_a_place_are_kept_when_the_field_is_not_touched(editor):
    Place.objects.create(name="Rivermouth", region="Westmark", postal_prefixes="941 942")

    editor.post(ADD, campaign_form(organization=make_organization()))

    assert Place.objects.get().postal_prefixes == "941 942"


def test_a_large_campaign_opens_with_a_link_to_its_petitions(editor):
    letter = make_letter()
    for _ in range(31):
        make_petition(letter=letter, live=False)

    response = editor.get(change_url(letter.campaign))

    assert response.status_code == 200
    assert "too many for one form" in response.content.decode()
    assert "targets-TOTAL_FORMS" not in response.content.decode()


def test_a_large_campaign_can_be_saved_and_gets_targets_one_by_one(editor):
    letter = make_letter()
    for _ in range(31):
        make_petition(letter=letter, live=False)
    campaign = letter.campaign
    form = {
        name: value
        for name, value in stored_campaign_form(campaign).items()
        if not name.startswith("targets-")
    }

    saved = editor.post(change_url(campaign), form | {"letters-0-closing": "So long,"})
    added = editor.post("/admin/campaigns/target/add/", {**TARGET, "campaign": campaign.pk, "last_name": ""})

    assert saved.status_code == added.status_code == 302
    assert Petition.objects.filter(letter=letter).count() == 32


@pytest.mark.parametrize(
    "junk", ["\0", "\x01\x02", "\u202e" * 50, "x" * 200_000, "{{" * 5000, "[^" * 5000, "'; --"]
)
@pytest.mark.parametrize(
    "field", ["title", "letters-0-body", "sources-0-authors", "targets-0-name", "targets-0-postal_prefixes"]
)
def test_odd_input_never_breaks_the_form(editor, field, junk):
    form = campaign_form(organization=make_organization()) | {field: junk}

    response = editor.post(ADD, form)

    assert response.status_code in (200, 302)


@pytest.mark.parametrize(
    "change", [{"targets-TOTAL_FORMS": "many"}, {"letters-INITIAL_FORMS": "3"}, {"sources-TOTAL_FORMS": "-1"}]
)
def test_a_form_that_was_tampered_with_is_refused(editor, change):
    response = editor.post(ADD, campaign_form(organization=make_organization()) | change)

    assert response.status_code == 200
    assert not Campaign.objects.exists()


def test_rows_deleted_in_another_tab_are_told_and_not_a_crash(editor):
    petition = make_petition(live=False)
    form = stored_campaign_form(petition.campaign)
    Petition.objects.all().delete()
    Target.objects.all().delete()

    response = editor.post(change_url(petition.campaign), form)

    assert response.status_code == 200


def test_counts_are_the_numbers_of_the_tallies(editor):
    petition = make_petition()
    petition.tally.count = 1204
    petition.tally.save()

    response = editor.get(reverse("admin:campaigns_campaign_counts", args=[petition.campaign.pk]))

    assert response.json() == {
        "total": "1,204 signatures",
        "petitions": {str(petition.pk): {"state": "Open", "count": "1,204 signatures"}},
    }


def test_the_admin_tells_how_many_people_signed_more_than_once(editor):
    petition = make_petition()
    Tally.objects.update(count=9)
    CampaignTally.objects.create(campaign=petition.campaign, people=7)

    counts = editor.get(reverse("admin:campaigns_campaign_counts", args=[petition.campaign.pk])).json()
    overview = editor.get(reverse("admin:index")).content.decode()

    assert counts["total"] == "9 signatures from 7 people"
    assert "9 signatures from 7 people" in overview


@pytest.mark.parametrize(
    ("signatures", "people", "text"),
    [
        (None, None, "0 signatures"),
        (1, 1, "1 signature"),
        (2, 1, "2 signatures from 1 person"),
        (1204, 1100, "1,204 signatures from 1,100 people"),
        (9, 9, "9 signatures"),
        (9, None, "9 signatures"),
    ],
)
def test_people_are_named_where_they_are_fewer_than_signatures(signatures, people, text):
    assert total_text(signatures, people) == text


def test_the_steps_say_what_is_next(editor):
    campaign = make_campaign()

    page = editor.get(change_url(campaign)).content.decode()

    assert re.search(r'step missing">\s*<a href="#letters-group">Letters', page)


def test_a_copy_has_texts_and_targets_but_no_history(editor):
    petition = make_petition(local="Only here.")

    response = editor.post(
        reverse("admin:campaigns_campaign_duplicate", args=[petition.campaign.pk]), {"with_targets": "on"}
    )

    copy = Campaign.objects.exclude(pk=petition.campaign.pk).get()
    copied = Petition.objects.get(letter__campaign=copy)
    assert response.url == change_url(copy)
    assert copy.slug != petition.campaign.slug
    assert copied.local == "Only here."
    assert copied.slug != petition.slug
    assert (copied.current_version, copied.live_at) == (None, None)
    assert copied.target.campaign == copy


def test_a_copy_leaves_out_what_a_target_left_behind(editor):
    won = make_petition()
    thanks = make_letter(campaign=won.campaign, kind="thank-you")
    Petition.objects.create(letter=thanks, target=won.target, slug="thanks")
    close(petition=won, actor=None, at=NOW, won=True)
    over = make_petition(letter=won.letter)
    close(petition=over, actor=None, at=NOW)

    editor.post(reverse("admin:campaigns_campaign_duplicate", args=[won.campaign.pk]), {"with_targets": "on"})

    copied = Petition.objects.filter(target__campaign=Campaign.objects.exclude(pk=won.campaign.pk).get())
    assert set(copied.values_list("target__name", "letter__kind")) == {
        (won.target.name, "thank-you"),
        (over.target.name, "demand"),
    }


def test_a_copy_without_targets_has_letters_only(editor):
    petition = make_petition()

    editor.post(reverse("admin:campaigns_campaign_duplicate", args=[petition.campaign.pk]))

    copy = Campaign.objects.exclude(pk=petition.campaign.pk).get()
    assert copy.letters.count() == 1
    assert not copy.targets.exists()


def test_looking_at_the_duplicate_page_copies_nothing(editor):
    campaign = make_campaign()

    editor.get(reverse("admin:campaigns_campaign_duplicate", args=[campaign.pk]))

    assert Campaign.objects.count() == 1


def test_a_member_of_a_group_stays(editor):
    petition = make_petition(live=False)
    group = Petition.objects.create(letter=petition.letter, addressee="mayors of the river", slug="group")
    group.members.add(petition.target)

    response = editor.post(
        change_url(petition.campaign), stored_campaign_form(petition.campaign) | {"targets-0-DELETE": "on"}
    )

    assert "member of a group: mayors of the river" in response.content.decode()


def test_a_campaign_of_drafts_can_be_deleted_with_all_its_parts(editor):
    campaign = make_petition(live=False).campaign
    url = reverse("admin:campaigns_campaign_delete", args=[campaign.pk])

    asked = editor.get(url)
    editor.post(url, {"post": "yes"})

    assert asked.status_code == 200
    assert not Campaign.objects.exists()
    assert not Petition.objects.exists()


def test_a_campaign_with_a_published_petition_stays(editor):
    campaign = make_petition().campaign

    response = editor.post(reverse("admin:campaigns_campaign_delete", args=[campaign.pk]), {"post": "yes"})

    assert response.status_code == 403


def test_a_long_source_library_is_folded_until_it_has_a_mistake(editor):
    campaign = make_letter(statement="Open the library.", body="Many ask for it.").campaign
    for number in range(13):
        campaign.sources.create(key=f"source-{number}", title="A title")

    folded = editor.get(change_url(campaign)).content.decode()
    opened = editor.post(
        change_url(campaign), stored_campaign_form(campaign) | {"sources-3-key": "Not A Key"}
    ).content.decode()

    summary = re.compile(r"<summary>\s*<h2 id=\"sources-heading\"")
    assert summary.search(folded)
    assert not summary.search(opened)


def test_a_campaign_of_a_thousand_petitions_opens_with_few_queries(editor, django_assert_max_num_queries):
    letter = make_letter()
    place = Place.objects.create(name="Rivermouth")
    targets = Target.objects.bulk_create(
        [
            Target(campaign=letter.campaign, name=f"Mayor {n}", last_name=str(n), place=place)
            for n in range(1000)
        ]
    )
    Petition.objects.bulk_create(
        [Petition(letter=letter, target=target, slug=f"petition-{target.pk}") for target in targets]
    )

    with django_assert_max_num_queries(40):
        editor.get(change_url(letter.campaign))
    with django_assert_max_num_queries(20):
        editor.get(reverse("admin:campaigns_campaign_publish", args=[letter.campaign.pk]))
    with django_assert_max_num_queries(20):
        editor.get(reverse("admin:petitions_petition_changelist"))


def test_who_saves_after_a_colleague_is_told_before_anything_is_overwritten(editor):
    editor.post(ADD, campaign_form(organization=make_organization()))
    campaign = Campaign.objects.get()
    seen = editor.get(change_url(campaign)).context["adminform"].form["seen"].value()
    editor.post(change_url(campaign), stored_campaign_form(campaign, summary="From a colleague.", seen=seen))
    typed = stored_campaign_form(campaign, title="Typed meanwhile", seen=seen)

    response = editor.post(change_url(campaign), typed)

    assert "saved this campaign at" in errors_of(response)["__all__"].as_text()
    assert response.context["adminform"].form["title"].value() == "Typed meanwhile"
    campaign.refresh_from_db()
    assert (campaign.title, campaign.summary) == ("Open Sundays", "From a colleague.")


def test_who_was_told_can_save_all_the_same(editor):
    editor.post(ADD, campaign_form(organization=make_organization()))
    campaign = Campaign.objects.get()
    stale = stored_campaign_form(campaign, title="Typed meanwhile", seen="of some other time")
    told = editor.post(change_url(campaign), stale).context["adminform"].form

    response = editor.post(change_url(campaign), stale | {"seen": told["seen"].value()})

    assert response.status_code == 302
    campaign.refresh_from_db()
    assert campaign.title == "Typed meanwhile"


@pytest.mark.parametrize("part", ["sources", "letters", "targets"])
def test_a_colleagues_change_of_any_part_is_noticed(editor, part):
    editor.post(ADD, campaign_form(organization=make_organization()))
    campaign = Campaign.objects.get()
    seen = editor.get(change_url(campaign)).context["adminform"].form["seen"].value()
    changes = {
        "sources": ("title", "Other Hours"),
        "letters": ("closing", "Yours,"),
        "targets": ("local", "Here too."),
    }
    name, value = changes[part]
    editor.post(change_url(campaign), stored_campaign_form(campaign) | {f"{part}-0-{name}": value})

    response = editor.get(change_url(campaign))

    assert response.context["adminform"].form["seen"].value() != seen


def test_publishing_is_no_change_of_what_the_form_has(editor):
    editor.post(ADD, campaign_form(organization=make_organization()))
    campaign = Campaign.objects.get()
    seen = editor.get(change_url(campaign)).context["adminform"].form["seen"].value()
    publish(campaign=campaign, actor=make_staff(), at=timezone.now())

    response = editor.post(change_url(campaign), stored_campaign_form(campaign, seen=seen))

    assert response.status_code == 302


def test_all_mistakes_are_listed_at_the_top_with_links_to_their_fields(editor):
    form = campaign_form(
        organization=make_organization(),
        title="",
        letters=[LETTER | {"statement": "Open {{ place.nmae }}."}],
        targets=[TARGET | {"goal": "-3"}],
    )

    response = editor.post(ADD, form)

    listed = [(mistake.anchor, mistake.where) for mistake in response.context["mistakes"]]
    assert listed == [
        ("#id_title", "Title"),
        ("#id_letters-0-statement", "Letter 1, Statement"),
        ("#id_targets-0-goal", "Target 1, First goal"),
    ]
    assert '<a href="#id_targets-0-goal">' in response.content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("goal", "0"), ("slug", "Not an address!"), ("last_name", "x" * 500)]
)
def test_a_folded_part_opens_where_it_has_a_mistake(editor, field, value):
    form = campaign_form(organization=make_organization(), targets=[TARGET | {field: value}])

    response = editor.post(ADD, form)

    targets = next(
        inline for inline in response.context["inline_admin_formsets"] if inline.formset.prefix == "targets"
    )
    folded = [fieldset.is_collapsible for fieldset in next(iter(targets)) if field in fieldset.fields]
    assert folded == [False]


def test_another_letter_begins_as_the_other_kind(editor):
    response = editor.get(ADD)

    letters = next(
        inline.formset
        for inline in response.context["inline_admin_formsets"]
        if inline.formset.prefix == "letters"
    )
    assert [form["kind"].value() for form in letters.forms] == ["demand"]
    assert letters.empty_form["kind"].value() == "thank-you"


def test_a_letter_of_a_megabyte_is_refused(editor):
    form = campaign_form(organization=make_organization(), letters=[LETTER | {"body": "a " * 600_000}])

    response = editor.post(ADD, form)

    assert "at most 100000 characters" in errors_of(response, "letters")["body"].as_text()


def test_who_only_reads_is_offered_nothing_to_add():
    letter = make_letter()
    user = make_staff()
    user.groups.add(Group.objects.get(name="signature manager"))

    response = client_of(user).get(change_url(letter.campaign))

    assert "Petitions to groups" in response.content.decode()
    assert "Add a petition to a group" not in response.content.decode()
