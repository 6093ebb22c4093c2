"""Looking at a mailing, sending it and stopping it in the admin, and who may do and see what."""

import csv
import io
from datetime import timedelta

import pytest
from django.core import mail as outbox_of
from django.utils import timezone

from mailings import starting
from mailings.admin.sending_views import about
from mailings.admin.steps import clock
from mailings.models import Mailing, Recipient
from mailings.sending import send_some
from petitions.closing import close
from staff.models import AuditEntry
from tests.factories import (
    make_edition,
    make_mailing,
    make_petition,
    make_recipient,
    make_signature,
    make_subscriber,
)
from tests.mailings.conftest import address, form_of
from tests.smtp_server import DROP, SmtpServer

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def petition():
    return make_petition(at=timezone.now() - timedelta(days=1))


@pytest.fixture
def readers(petition):
    organization, place = petition.campaign.organization, petition.target.place
    return [
        make_subscriber(organization, place=place, first_name=f"Connie{n}", last_name="Hidden", email=f"c{n}@example.org")
        for n in range(3)
    ]  # fmt: skip


@pytest.fixture
def draft(petition, readers):
    return make_mailing(petition.campaign, at=timezone.now())


@pytest.fixture
def under_way(draft, owner):
    """Its take-back time is over."""
    starting.start(mailing=draft, actor=owner.user, at=timezone.now() - 11 * MINUTE)
    return draft


def text_of(response):
    return response.content.decode()


def page(client, name, mailing, query=""):
    response = client.get(address(name, mailing) + query)
    assert response.status_code == 200
    return text_of(response)


def press(client, verb, mailing):
    """Opens the page of a deed and presses its button; the messages that come of it."""
    shown = client.get(address(verb, mailing))
    seen = shown.context["seen"] if shown.context else ""
    response = client.post(address(verb, mailing), {"seen": seen}, follow=True)
    return " ".join(str(message) for message in response.context["messages"])


def limited(mailing, limit):
    organization = mailing.campaign.organization
    organization.approval_above = limit
    organization.save()


# --- Check ---------------------------------------------------------------------------------------------------


def test_check_list_leads_to_each_field(editor, draft):
    Mailing.objects.filter(pk=draft.pk).update(subject="{{ nobody }}")

    shown = page(editor, "check", draft)

    assert "1 mistake to correct" in shown
    assert f"{address('change', draft)}#id_subject" in shown


def test_missing_address_leads_to_the_organization(editor, draft):
    organization = draft.campaign.organization
    organization.postal_address = ""
    organization.save()

    shown = page(editor, "check", draft)

    url = f"/admin/campaigns/organization/{organization.pk}/change/"
    assert f'<a class="button" href="{url}">Correct it</a>' in shown


def test_size_jump_is_worth_a_look(editor, draft):
    make_mailing(draft.campaign, starts_at=timezone.now() - timedelta(days=9), people=1)

    assert "the last mailing went to 1" in page(editor, "check", draft)


# --- Preview -------------------------------------------------------------------------------------------------


def test_who_may_see_supporters_reads_as_them(owner, draft, readers):
    shown = page(owner, "preview", draft)
    copy = text_of(owner.get(f"{address('preview', draft)}text/?reader=s{readers[1].pk}"))

    assert "Connie1 Hidden" in shown
    assert "Dear Connie1," in copy


def test_others_read_as_invented_people_whatever_they_ask_for(editor, draft, readers):
    shown = page(editor, "preview", draft, f"?reader=s{readers[1].pk}")
    copy = text_of(editor.get(f"{address('preview', draft)}text/?reader=s{readers[1].pk}"))

    assert "Hidden" not in shown
    assert "Connie1" not in shown + copy
    assert "Dear Connie," in copy


def test_html_part_runs_nothing_and_is_framed_by_us_only(editor, draft):
    response = editor.get(f"{address('preview', draft)}html/")

    policy = response["Content-Security-Policy"]
    assert ' style="' not in text_of(response)
    assert "'sha256-" in policy
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize(
    "query",
    [
        "?reader=s",
        "?reader=s9999999999999999999",
        "?petition=x",
        "?part=x&width=x&subject=x",
        "?reader=%00",
        "?petition=0",
    ],
)
@pytest.mark.parametrize("part", ["", "html/", "text/", "headers/"])
def test_odd_choices_show_something(owner, draft, query, part):
    assert owner.get(f"{address('preview', draft)}{part}{query}").status_code == 200


def test_part_that_is_none(owner, draft):
    assert owner.get(f"{address('preview', draft)}else/").status_code == 404


def test_mailing_that_leads_nowhere_says_so(editor, draft, petition):
    close(petition=petition, actor=None, at=timezone.now())

    assert "nothing to see yet" in page(editor, "preview", draft)
    assert editor.get(f"{address('preview', draft)}html/").status_code == 404


def test_mistakes_do_not_keep_one_from_looking(editor, draft):
    Mailing.objects.filter(pk=draft.pk).update(body="{{ nobody }} [^none] {{")

    assert "still in it" in page(editor, "preview", draft)


# --- Test copies ---------------------------------------------------------------------------------------------


def test_test_copy_goes_to_ones_own_address(editor, draft):
    form = editor.get(address("preview", draft)).context["form"]

    editor.post(address("preview", draft), {"to": form["to"].value(), "first_name": "Ada"})

    (message,) = outbox_of.outbox
    assert (message.to, message.subject) == (["editor@example.org"], "[Test] Ada, one more thing")
    entry = AuditEntry.objects.get(action="test copy sent")
    assert "editor@" not in str(entry.details)


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@b", "a@example.org, b@example.org", "x" * 5000, "a\0@example.org"]
)
def test_impossible_address_is_told_and_nothing_leaves(editor, draft, to):
    response = editor.post(address("preview", draft), {"to": to, "first_name": "Ada"})

    assert response.status_code == 422
    assert response.context["form"].errors["to"]
    assert not outbox_of.outbox


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"RCPT": b"550 No such user\r\n"}, "was not sent"),
        ({"dot": DROP}, "may or may not have left"),
        ({"connect": b"554 Go away\r\n"}, "was not sent"),
    ],
)
def test_what_the_mail_server_says_is_told(editor, draft, settings, answers, told):
    with SmtpServer(answers) as server:
        settings.EMAIL_BACKEND = "toolkit.emails.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        response = editor.post(
            address("preview", draft), {"to": "ada@example.org", "first_name": ""}, follow=True
        )

    assert told in text_of(response)


def test_who_may_not_write_sends_no_test(client_with, draft):
    response = client_with("signature manager").post(address("preview", draft), {"to": "ada@example.org"})

    assert (response.status_code, outbox_of.outbox) == (403, [])


# --- Audience ------------------------------------------------------------------------------------------------


def test_size_reasons_and_tables_are_for_everybody(editor, draft, petition, readers):
    make_signature(petition, supporter=readers[0], confirmed=True, at=timezone.now())

    shown = page(editor, "audience", draft)

    assert "2 people would get this mailing now." in shown
    assert "<strong>1</strong>: they have signed already" in shown
    assert str(petition.target.place) in shown


@pytest.mark.parametrize(
    ("role", "sees"), [("owner", True), ("signature manager", True), ("publisher", False)]
)
def test_sample_is_for_those_who_may_see_supporters(client_with, draft, role, sees):
    shown = page(client_with(role), "audience", draft)

    assert ("c1@example.org" in shown) is sees
    assert ("Hidden" in shown) is sees


def test_started_its_audience_is_what_was_frozen(owner, under_way, petition):
    make_subscriber(petition.campaign.organization, place=petition.target.place)

    shown = page(owner, "audience", under_way)

    assert "3 people get this mailing." in shown
    assert "c1@example.org" in shown


# --- Approval ------------------------------------------------------------------------------------------------


def test_large_mailing_goes_by_two_people(publisher, owner, draft):
    limited(draft, 2)
    shown = page(publisher, "send", draft)
    assert "somebody else has to approve" in shown
    assert address("start", draft) not in shown

    assert "can approve the mailing now" in press(publisher, "ask", draft)
    assert address("approve", draft) in page(owner, "send", draft)
    assert "Approved" in press(owner, "approve", draft)

    assert "Started for 3 people" in press(publisher, "start", draft)


def test_who_asked_cannot_approve(owner, draft):
    limited(draft, 2)
    press(owner, "ask", draft)

    assert address("approve", draft) not in page(owner, "send", draft)
    assert "Nothing was changed" in " ".join(
        str(message) for message in owner.post(address("approve", draft), follow=True).context["messages"]
    )
    draft.refresh_from_db()
    assert draft.approved_at is None


def test_change_after_asking_is_told(publisher, draft):
    limited(draft, 2)
    press(publisher, "ask", draft)
    Mailing.objects.filter(pk=draft.pk).update(subject="Quite different")

    shown = page(publisher, "send", draft)

    assert "changed after approval was asked for" in shown
    assert address("ask", draft) in shown


def test_who_can_approve_is_named(publisher, client_with, draft):
    limited(draft, 2)
    assert "Nobody else can approve it yet" in page(publisher, "send", draft)

    owner = client_with("owner")

    assert f"Who can approve it: <bdi>{owner.user.username}</bdi>." in page(publisher, "send", draft)
    assert "Nobody else can approve it yet" in page(owner, "send", draft)
    press(publisher, "ask", draft)
    assert f"<bdi>{owner.user.username}</bdi>" in page(publisher, "send", draft)


def test_saved_change_makes_a_draft_of_what_was_approved(publisher, owner, draft):
    limited(draft, 2)
    press(publisher, "ask", draft)
    press(owner, "approve", draft)
    url = address("change", draft)

    publisher.post(url, form_of(publisher, url))
    draft.refresh_from_db()
    assert draft.state(timezone.now()) == "approved"

    response = publisher.post(url, form_of(publisher, url, subject="Quite different"), follow=True)

    draft.refresh_from_db()
    assert draft.state(timezone.now()) == "draft"
    assert "it is a draft again" in text_of(response)


def test_before_sending_one_reads_subject_and_sender(editor, draft):
    shown = page(editor, "send", draft)

    assert f"<bdi>{draft.subject}</bdi>" in shown
    assert f"<bdi>{draft.campaign.organization.name}</bdi>" in shown


# --- Starting and stopping -----------------------------------------------------------------------------------


def test_start_says_how_many_and_until_when_it_can_be_taken_back(publisher, draft):
    shown = page(publisher, "start", draft)
    assert "3 people get this mailing" in shown
    assert "the first copy leaves at" in shown
    assert not Recipient.objects.exists()

    told = press(publisher, "start", draft)

    draft.refresh_from_db()
    assert f"leaves at {clock(draft.starts_at, at=timezone.now())}" in told
    assert Recipient.objects.count() == 3


def test_pressed_twice_it_starts_once(publisher, draft):
    seen = publisher.get(address("start", draft)).context["seen"]

    answers = [publisher.post(address("start", draft), {"seen": seen}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Recipient.objects.count() == 3


def test_what_changed_since_one_looked_is_not_started(publisher, draft):
    seen = publisher.get(address("start", draft)).context["seen"]
    Mailing.objects.filter(pk=draft.pk).update(body="Not what you saw.")

    response = publisher.post(address("start", draft), {"seen": seen}, follow=True)

    assert "after you looked at it" in text_of(response)
    assert not Recipient.objects.exists()


@pytest.mark.parametrize(
    "verb", ["ask", "approve", "start", "take-back", "pause", "resume", "cancel", "choose-a"]
)
def test_looking_at_a_deed_does_nothing(owner, under_way, verb):
    before = Mailing.objects.filter(pk=under_way.pk).values().get()

    owner.get(address(verb, under_way))

    assert Mailing.objects.filter(pk=under_way.pk).values().get() == before


@pytest.mark.parametrize("verb", ["ask", "approve", "take-back", "resume", "choose-a", "choose-b", "start"])
def test_deed_that_does_not_fit_is_refused_with_a_reason(owner, under_way, verb):
    before = Mailing.objects.filter(pk=under_way.pk).values().get()

    response = owner.post(address(verb, under_way), {"seen": "x" * 500}, follow=True)

    assert "Nothing was changed." in text_of(response)
    assert Mailing.objects.filter(pk=under_way.pk).values().get() == before


def test_draft_with_mistakes_has_no_button(publisher, draft):
    Mailing.objects.filter(pk=draft.pk).update(subject="{{ nobody }}")

    shown = page(publisher, "send", draft)

    assert address("start", draft) not in shown
    assert "Correct this first" in text_of(publisher.post(address("start", draft), follow=True))


@pytest.mark.parametrize(
    ("role", "verbs"),
    [
        ("editor", set()),
        ("signature manager", set()),
        ("publisher", {"pause", "cancel"}),
        ("owner", {"pause", "cancel"}),
    ],
)
def test_who_may_stop(client_with, under_way, role, verbs):
    client = client_with(role)
    shown = page(client, "send", under_way)

    offered = {
        verb
        for verb in ("start", "pause", "resume", "cancel", "take-back")
        if address(verb, under_way) in shown
    }

    assert offered == verbs
    assert (client.post(address("pause", under_way)).status_code == 403) is not verbs


def test_taken_back_paused_resumed_canceled(publisher, draft):
    press(publisher, "start", draft)
    assert "Taken back" in press(publisher, "take-back", draft)
    press(publisher, "start", draft)
    assert "Paused" in press(publisher, "pause", draft)
    assert "It goes on" in press(publisher, "resume", draft)

    assert "3 copies never leave" in press(publisher, "cancel", draft)

    draft.refresh_from_db()
    assert draft.state(timezone.now()) == "canceled"
    assert page(publisher, "send", draft).count("Canceled") >= 1


def test_winner_is_chosen_by_hand(publisher, draft):
    Mailing.objects.filter(pk=draft.pk).update(other_subject="Or this?", test_share=2)
    press(publisher, "start", draft)
    waiting = Recipient.objects.filter(due_at=None).count()
    assert address("choose-b", draft) in page(publisher, "send", draft)

    told = press(publisher, "choose-b", draft)

    assert str(waiting) in told
    assert not Recipient.objects.filter(due_at=None).exists()
    assert address("choose-a", draft) not in page(publisher, "send", draft)


# --- Progress ------------------------------------------------------------------------------------------------


def test_progress_is_told_and_again_as_data(editor, under_way):
    send_some(at=timezone.now(), limit=2)

    shown = page(editor, "send", under_way)
    answer = editor.get(address("progress", under_way)).json()

    assert "2 of 3" in shown
    assert (answer["done"], answer["percent"], answer["state"]) == ("2 of 3", 66, "sending")
    assert answer["again_in"] >= 3
    assert "left" in answer["left"]


def test_progress_of_a_draft_is_none(editor, draft):
    assert editor.get(address("progress", draft)).json()["done"] == "0 of 0"


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=20), "Less than a minute"),
        (MINUTE, "About 1 minute"),
        (12.5 * MINUTE, "About 13 minutes"),
        (timedelta(hours=2), "About 2 hours"),
        (timedelta(days=30), "About 30 days"),
    ],
)
def test_time_left_in_words(time, words):
    assert about(time) == words


# --- In doubt ------------------------------------------------------------------------------------------------


@pytest.fixture
def doubt(under_way):
    Recipient.objects.filter(mailing=under_way).update(handed_over_at=timezone.now() - timedelta(hours=1))
    return list(Recipient.objects.filter(mailing=under_way).order_by("pk"))


def test_copies_in_doubt_are_listed_and_sent_again_by_staff(publisher, under_way, doubt):
    assert "3 copies in doubt" in page(publisher, "send", under_way)

    publisher.post(address("doubt", under_way), {"copy": [doubt[0].pk, doubt[1].pk], "deed": "again"})

    assert Recipient.objects.queued().filter(mailing=under_way).count() == 2
    assert AuditEntry.objects.filter(action="copy sent again").count() == 2


def test_copy_left_in_doubt_leaves_the_list_and_stays_in_the_numbers(publisher, under_way, doubt):
    publisher.post(address("doubt", under_way), {"copy": doubt[0].pk, "deed": "leave"})

    assert "2 copies in doubt" in page(publisher, "send", under_way)
    assert publisher.get(address("progress", under_way)).json()["in_doubt"] == "3"
    assert "There are none" in page(publisher, "doubt", under_way, "?list=failed")


def test_pressed_twice_a_copy_is_queued_once(publisher, under_way, doubt):
    data = {"copy": doubt[0].pk, "deed": "again"}
    publisher.post(address("doubt", under_way), data)

    again = publisher.post(address("doubt", under_way), data, follow=True)

    assert "Only a copy in doubt" in text_of(again)
    assert AuditEntry.objects.filter(action="copy sent again").count() == 1


@pytest.mark.parametrize(
    "data", [{}, {"deed": "again"}, {"deed": "x", "copy": "1"}, {"deed": "leave", "copy": "x" * 99}]
)
def test_choosing_nothing_does_nothing(publisher, under_way, doubt, data):
    response = publisher.post(address("doubt", under_way), data, follow=True)

    assert "Choose at least one copy" in text_of(response)


def test_copies_of_another_mailing_are_out_of_reach(publisher, under_way):
    other = make_recipient(handed_over_at=timezone.now() - timedelta(hours=1))

    publisher.post(address("doubt", under_way), {"copy": other.pk, "deed": "again"})

    other.refresh_from_db()
    assert other.state == "in doubt"


@pytest.mark.parametrize(("role", "sees", "decides"), [("owner", True, True), ("publisher", False, True), ("editor", False, False), ("signature manager", True, False)])  # fmt: skip
def test_who_sees_and_who_decides_about_copies(client_with, under_way, doubt, role, sees, decides):
    client = client_with(role)

    shown = page(client, "doubt", under_way)
    answer = client.post(address("doubt", under_way), {"copy": doubt[0].pk, "deed": "again"})

    assert ("c1@example.org" in shown) is sees
    assert (answer.status_code == 302) is decides


@pytest.mark.parametrize("query", ["?page=x", "?page=99999999999", "?list=x", "?list=failed&page=-1"])
def test_odd_pages_of_the_list_answer(publisher, under_way, doubt, query):
    page(publisher, "doubt", under_way, query)


# --- Figures -------------------------------------------------------------------------------------------------


def test_figures_are_a_table_and_a_file_without_a_name_in_it(client_with, petition, readers):
    mailing = make_mailing(
        petition.campaign, starts_at=timezone.now(), title="=News", other_subject="Or this?"
    )
    edition = make_edition(mailing, petition)
    for subject, reader in zip("aab", readers, strict=True):
        make_recipient(
            edition, supporter=reader, subject=subject, handed_over_at=timezone.now(), sent_at=timezone.now()
        )
    client = client_with("signature manager")

    shown = page(client, "figures", mailing)
    response = client.get(address("figures_csv", mailing))

    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert rows == [
        {
            "city": str(petition.target.place), "sent": "3", "bounced": "0", "complained": "0", "unsubscribed": "0",
            "signed": "0", "shared": "0",
        }
    ]  # fmt: skip
    assert "By subject line" in shown
    assert 'scope="row"' in shown
    assert "Hidden" not in shown
    assert response["Content-Disposition"] == 'attachment; filename="figures-news.csv"'


def test_draft_has_no_figures_yet(editor, draft):
    assert "nothing to count yet" in page(editor, "figures", draft)
    assert editor.get(address("figures_csv", draft)).status_code == 200
