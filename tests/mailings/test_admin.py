"""Writing a mailing in the admin: from a letter or an empty page, with its mistakes beside their fields."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from mailings import starting
from mailings.digests import digest_of
from mailings.models import Mailing
from petitions.models import Stand
from staff.models import AuditEntry
from tests.factories import (
    make_campaign,
    make_letter,
    make_mailing,
    make_petition,
    make_recipient,
    make_staff,
    make_subscriber,
    make_version,
)
from tests.mailings.conftest import address, form_of

pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/mailings/mailing/", "/admin/mailings/mailing/add/"


@pytest.fixture
def petition():
    return make_petition(at=timezone.now() - timedelta(days=1))


@pytest.fixture
def draft(petition):
    return make_mailing(petition.campaign, at=timezone.now())


def live_in(city, organization, **fields):
    return make_subscriber(organization, place=city, **fields)


def text_of(response):
    return response.content.decode()


# --- Beginning -----------------------------------------------------------------------------------------------


def test_one_chooses_what_to_begin_with(editor, petition):
    page = text_of(editor.get(ADD))

    assert f"{ADD}?letter={petition.letter.pk}" in page
    assert f"{ADD}?campaign={petition.campaign.pk}" in page


def test_campaign_page_leads_to_its_own_letters(editor, petition):
    other = make_campaign(title="Something else")
    page = text_of(editor.get(f"/admin/campaigns/campaign/{petition.campaign.pk}/change/"))
    assert f"{ADD}?of={petition.campaign.pk}" in page
    assert f"{ADD}?letter={petition.letter.pk}" in page

    choices = text_of(editor.get(f"{ADD}?of={petition.campaign.pk}"))

    assert other.title not in choices
    assert "Mail the demand letter" in choices


def test_letter_fills_the_form_and_saving_stores_it_as_sent(editor, petition):
    url = f"{ADD}?letter={petition.letter.pk}"

    response = editor.post(url, form_of(editor, url, subject="Now is the time"))

    mailing = Mailing.objects.get()
    assert response["Location"] == address("check", mailing)
    assert (mailing.subject, mailing.letter, mailing.campaign) == (
        "Now is the time", petition.letter, petition.campaign,
    )  # fmt: skip
    assert mailing.created_by == editor.user
    assert AuditEntry.objects.get(subject_type="mailing").action == "added"


def test_name_for_staff_is_taken_from_the_subject(editor, petition):
    url = f"{ADD}?campaign={petition.campaign.pk}"

    editor.post(url, form_of(editor, url, subject="Now is the time"))

    assert Mailing.objects.get().title == "Now is the time"


@pytest.mark.parametrize(
    "query", ["?letter=0", "?campaign=999999999999999999999", "?letter=x", "?campaign=-1", "?letter=%00"]
)
def test_odd_beginning_leads_to_the_choice(editor, query):
    assert editor.get(ADD + query).status_code == 200


# --- Mistakes ------------------------------------------------------------------------------------------------


def test_text_with_mistakes_is_saved_and_each_stands_beside_its_field(editor, draft):
    url = address("change", draft)
    typed = form_of(editor, url, subject="{{ place.nmae }}", body="See [^nowhere].")

    response = editor.post(url, typed, follow=True)

    draft.refresh_from_db()
    assert draft.body == "See [^nowhere]."
    form = response.context["adminform"].form
    assert "place.name" in form.errors["subject"][0]
    assert "nowhere" in form.errors["body"][0]
    assert "Saved. Before it can be sent, correct 2 things" in text_of(response)


@pytest.mark.parametrize("name", ["subject", "body", "call_to_action"])
def test_unfinished_text_can_be_saved(editor, draft, name):
    url = address("change", draft)

    editor.post(url, form_of(editor, url, **{name: ""}))

    draft.refresh_from_db()
    assert getattr(draft, name) == ""


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("quiet_hours", "soon"),
        ("quiet_hours", "9" * 5000),
        ("per_minute", "0"),
        ("test_share", "101"),
        ("audience", "nobody"),
        ("leads_to", "9" * 30),
        ("places", "x"),
        ("joined_since", "0001-01-01"),
        ("joined_since", "9999-12-31"),
        ("subject", "x" * 5000),
        ("body", "x" * 60_001),
        ("body", "a\0b"),
    ],
)
def test_what_cannot_be_stored_is_told_and_nothing_typed_is_lost(editor, draft, name, typed):
    url = address("change", draft)

    response = editor.post(url, form_of(editor, url, **{"preview_text": "Typed and kept.", name: typed}))

    assert response.status_code == 200
    assert name in response.context["adminform"].form.errors
    assert "Typed and kept." in text_of(response)
    draft.refresh_from_db()
    assert draft.preview_text == "It takes a minute."


def test_signers_of_one_petition_need_that_petition(editor, draft):
    url = address("change", draft)

    response = editor.post(url, form_of(editor, url, audience="signed"))

    assert "Choose the petition" in response.context["adminform"].form.errors["of_petition"][0]


def test_petitions_and_cities_of_other_campaigns_cannot_be_chosen(editor, draft):
    other = make_petition()
    url = address("change", draft)

    response = editor.post(url, form_of(editor, url, leads_to=other.pk, places=[other.target.place.pk]))

    assert {"leads_to", "places"} <= set(response.context["adminform"].form.errors)


def test_who_saves_second_is_told_once_and_keeps_what_was_typed(editor, publisher, draft):
    url = address("change", draft)
    mine = form_of(editor, url, body="My text.")
    publisher.post(url, form_of(publisher, url, body="Their text."))

    told = editor.post(url, mine)

    assert "saved this mailing at" in text_of(told)
    assert "My text." in text_of(told)
    draft.refresh_from_db()
    assert draft.body == "Their text."
    editor.post(url, {**mine, "seen": told.context["adminform"].form["seen"].value()})
    draft.refresh_from_db()
    assert draft.body == "My text."


def test_what_was_started_meanwhile_is_not_changed_any_more(editor, draft, petition):
    live_in(petition.target.place, petition.campaign.organization)
    url = address("change", draft)
    typed = form_of(editor, url, body="Too late.")
    starting.start(mailing=draft, actor=make_staff(), at=timezone.now())

    response = editor.post(url, typed, follow=True)

    assert "Not saved" in text_of(response)
    draft.refresh_from_db()
    assert draft.body != "Too late."
    assert editor.get(url)["Location"] == address("preview", draft)


def test_saving_touches_nothing_that_others_decide(editor, draft):
    url = address("change", draft)
    typed = form_of(editor, url, per_minute="30")
    asked_for = digest_of(draft)
    Mailing.objects.filter(pk=draft.pk).update(asked_at=timezone.now(), digest=asked_for)

    editor.post(url, typed)

    draft.refresh_from_db()
    assert (draft.per_minute, draft.digest) == (30, asked_for)


# --- Counting ------------------------------------------------------------------------------------------------


def test_button_counts_what_is_typed_and_saves_nothing(editor, draft, petition):
    live_in(petition.target.place, petition.campaign.organization)
    url = address("change", draft)

    page = text_of(editor.post(url, form_of(editor, url, preview_text="Kept.", _count="Count")))

    assert "1 person would get it." in page
    assert 'value="Kept."' in page
    draft.refresh_from_db()
    assert draft.preview_text == "It takes a minute."


def test_new_mailing_can_be_counted_before_it_is_saved(editor, petition):
    live_in(petition.target.place, petition.campaign.organization)
    url = f"{ADD}?letter={petition.letter.pk}"

    page = text_of(editor.post(url, form_of(editor, url, _count="Count")))

    assert "1 person would get it." in page
    assert not Mailing.objects.exists()


def test_script_counts_by_the_same_rules(editor, draft, petition):
    live_in(petition.target.place, petition.campaign.organization)
    live_in(petition.target.place, petition.campaign.organization, blocked_at=timezone.now())
    data = form_of(editor, address("change", draft))

    answer = editor.post(reverse("admin:mailings_mailing_count"), {**data, "mailing": draft.pk})

    assert answer.json()["text"] == (
        "1 person would get it. Left out: 1: their mailbox takes no mail, or they have blocked us."
    )


@pytest.mark.parametrize(
    "data", [{}, {"mailing": "9" * 40}, {"campaign": "x"}, {"audience": "signed"}, {"joined_since": "soon"}]
)
def test_counting_what_is_no_form_says_so(editor, data):
    answer = editor.post(reverse("admin:mailings_mailing_count"), data)

    assert "Correct what is marked" in answer.json()["text"]


# --- After a stand -------------------------------------------------------------------------------------------


@pytest.fixture
def stand(petition):
    joined = type(petition).objects.create(
        letter=make_letter(campaign=petition.campaign, kind="thank-you"),
        target=petition.target,
        slug="thanks",
    )
    make_version(joined, at=timezone.now() - timedelta(days=1))
    return Stand.objects.create(
        campaign=petition.campaign,
        target=petition.target,
        taken_on=date(2026, 5, 1),
        reason="The doors are open.",
        left=petition,
        joined=joined,
        recorded_at=timezone.now(),
    )


def test_won_petition_leads_to_the_mailing_that_asks_for_thanks(editor, stand):
    url = reverse("admin:mailings_mailing_after_a_stand", args=[stand.pk])
    assert url in text_of(editor.get(f"/admin/petitions/petition/{stand.left.pk}/change/"))
    assert not Mailing.objects.exists()

    for _ in range(2):
        response = editor.post(url)

    mailing = Mailing.objects.get()
    assert response["Location"] == address("change", mailing)
    assert "The doors are open." in mailing.body


def test_looking_makes_no_draft(editor, stand):
    page = text_of(editor.get(reverse("admin:mailings_mailing_after_a_stand", args=[stand.pk])))

    assert "The doors are open." in page
    assert not Mailing.objects.exists()


def test_undone_stand_makes_none_and_says_why(editor, stand):
    Stand.objects.update(undone_at=timezone.now())

    response = editor.post(reverse("admin:mailings_mailing_after_a_stand", args=[stand.pk]))

    assert (response.status_code, "undone" in text_of(response)) == (422, True)


# --- The list, and what needs attention ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["", "?state=sent", "?state=x", "?campaign=x", "?q=%00x", "?p=9999", "?state=leaving"]
)
def test_list_answers(editor, draft, query):
    assert editor.get(LIST + query).status_code in {200, 302}


def test_list_is_filtered_by_state(editor, draft):
    make_mailing(draft.campaign, title="Under way", starts_at=timezone.now() - timedelta(hours=1))

    page = text_of(editor.get(f"{LIST}?state=sending"))

    assert "Under way" in page
    assert draft.title not in page


def test_list_takes_the_same_queries_however_long(editor, petition, django_assert_max_num_queries):
    for _ in range(20):
        make_mailing(petition.campaign)

    with django_assert_max_num_queries(9):
        editor.get(LIST)


def test_what_was_started_cannot_be_deleted(owner, draft):
    started = make_mailing(draft.campaign, starts_at=timezone.now())

    owner.post(address("delete", draft), {"post": "yes"})
    refused = owner.post(address("delete", started), {"post": "yes"})

    assert refused.status_code == 403
    assert list(Mailing.objects.all()) == [started]


def test_first_page_tells_what_waits_for_whom(owner, editor, draft):
    now = timezone.now()
    Mailing.objects.filter(pk=draft.pk).update(asked_at=now, asked_by=editor.user)
    make_mailing(draft.campaign, title="Stopped", starts_at=now, paused_at=now)
    make_recipient(handed_over_at=now - timedelta(hours=1))

    page, other = text_of(owner.get("/admin/")), text_of(editor.get("/admin/"))

    assert f"“{draft.title}” waits for your approval" in page
    assert "“Stopped” is paused" in page
    assert "1 copy of" in page
    assert "waits for your approval" not in other
    assert "is paused" not in other


def test_tested_subjects_wait_for_the_choice(publisher, petition):
    mailing = make_mailing(
        petition.campaign, starts_at=timezone.now() - timedelta(hours=1), other_subject="Or this?"
    )
    make_recipient(
        starting.Edition.objects.create(mailing=mailing, petition=petition, subject="x"), due_at=None
    )

    assert "waits for you to choose its subject line" in text_of(publisher.get("/admin/"))


def test_audit_log_leads_to_the_mailing(owner, draft):
    starting.cancel(mailing=draft, actor=owner.user, at=timezone.now())

    page = text_of(owner.get(f"/admin/staff/auditentry/?campaign={draft.campaign.pk}"))

    assert f'<a href="{address("change", draft)}">{draft.title}</a>' in page
    assert "dropped: 0" in page


def test_limit_for_a_second_approval_stands_on_the_organizations_form(owner, draft):
    organization = draft.campaign.organization
    url = f"/admin/campaigns/organization/{organization.pk}/change/"
    form = owner.get(url).context["adminform"].form
    data = {
        name: form[name].value() or "" for name in form.fields if name not in {"logo_file", "remove_logo"}
    }

    owner.post(url, {**data, "approval_above": "50"})

    organization.refresh_from_db()
    assert organization.approval_above == 50


@pytest.mark.parametrize("role", ["editor", "publisher"])
def test_only_who_may_approve_sets_the_limit_for_a_second_approval(client_with, draft, role):
    organization = draft.campaign.organization
    url = f"/admin/campaigns/organization/{organization.pk}/change/"
    client = client_with(role)
    form = client.get(url).context["adminform"].form
    data = {
        name: form[name].value() or "" for name in form.fields if name not in {"logo_file", "remove_logo"}
    }

    response = client.post(url, {**data, "name": "Another name", "approval_above": "1000000"})

    organization.refresh_from_db()
    assert (response.status_code, organization.name, organization.approval_above) == (
        302,
        "Another name",
        1000,
    )


# --- Who may -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may_write"),
    [("editor", True), ("publisher", True), ("owner", True), ("signature manager", False)],
)
def test_who_writes(client_with, draft, role, may_write):
    client = client_with(role)
    url = address("change", draft)

    found = client.get(url)
    posted = client.post(url, {"subject": "By role", "audience": "everybody"})

    assert (found.status_code == 200) is may_write
    assert (posted.status_code == 403) is not may_write
    assert (client.get(ADD).status_code == 200) is may_write


def test_nobody_else_sees_anything(client, draft):
    for page in ("check", "preview", "audience", "send", "figures", "progress", "doubt", "figures_csv"):
        assert client.get(address(page, draft)).status_code == 302
    user = make_staff()
    client.force_login(user)
    for page in ("check", "preview", "audience", "send", "figures", "progress", "doubt", "figures_csv"):
        assert client.get(address(page, draft)).status_code == 403


@pytest.mark.parametrize(
    "page", ["check", "preview", "audience", "send", "figures", "doubt", "start", "approve"]
)
@pytest.mark.parametrize("pk", ["0", "99999", "9" * 30])
def test_mailing_that_is_not_there(owner, page, pk):
    part = {"doubt": "in-doubt"}.get(page, page)

    assert owner.get(f"{LIST}{pk}/{part}/").status_code == 404


def test_a_mailing_without_its_campaign_is_a_mistake_that_is_told(owner):
    answer = owner.post("/admin/mailings/mailing/add/", {"subject": "Hello"})

    assert answer.status_code == 200
    assert "Not saved yet" in answer.content.decode()
