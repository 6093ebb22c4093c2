"""What people change of themselves, and what their page shows of it."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from petitions.models import Tally
from signers import own_page
from signers.answering import answer
from signers.confirming import confirm
from signers.counting import add_up, recount
from signers.exporting import blocks
from signers.folding import fold
from signers.forgetting import forget_unconfirmed
from signers.models import (
    Consent,
    CountChange,
    OutgoingMail,
    OwnPageRequest,
    Signature,
    Subscription,
    Supporter,
)
from signers.removing import CannotBeDone, restore
from signers.tokens import own_page_link
from signers.wordings import updates_wording
from tests.factories import (
    NOW,
    make_mail,
    make_signature,
    make_staff,
    make_submission,
    make_supporter,
)
from tests.fuzz.bad_requests import TEXTS
from tests.people import text_of
from tests.threads import in_parallel

LATER = NOW + timedelta(days=1)


@pytest.fixture
def signature(db):
    return make_signature(confirmed=True, postal_code="94301", comment="Because.")


@pytest.fixture
def supporter(signature):
    return signature.supporter


def path_of(supporter, *, made=None):
    return own_page_link(supporter, made or timezone.now()).removeprefix("http://testserver")


def number_on(petition):
    add_up(at=NOW)
    return Tally.objects.get(petition=petition).count


# --- Asking for the link -------------------------------------------------------------------------------------


def ask(client, email):
    return client.post("/me/", {"email": email}, headers={"sec-fetch-site": "same-origin"})


@pytest.mark.parametrize("email", ["connie@example.org", "nobody@example.org", "blocked@example.org"])
def test_asking_shows_and_costs_the_same_whoever_is_known(db, client, django_assert_num_queries, email):
    make_supporter("connie@example.org")
    make_supporter("blocked@example.org", blocked_at=NOW)

    with django_assert_num_queries(1):
        response = ask(client, email)

    assert (response.status_code, response["Location"]) == (303, "/me/asked/")
    assert "no-store" in response["Cache-Control"]
    assert OwnPageRequest.objects.get().email == email
    assert not OutgoingMail.objects.exists()


def test_an_address_that_cannot_be_one_is_kept_with_a_word(db, client):
    response = ask(client, "connie@")

    assert response.status_code == 422
    assert 'value="connie@"' in response.content.decode()
    assert not OwnPageRequest.objects.exists()


def test_a_page_of_another_site_cannot_ask(db, client):
    response = client.post("/me/", {"email": "connie@example.org"}, headers={"sec-fetch-site": "cross-site"})

    assert response.status_code == 403
    assert not OwnPageRequest.objects.exists()


def test_a_browser_that_does_not_say_where_the_form_stood_is_asked_for_one_more_click(db):
    response = Client(enforce_csrf_checks=True).post("/me/", {"email": "connie@example.org"})

    assert response.status_code == 403
    assert "Mail me the link" in text_of(response)
    assert 'value="connie@example.org"' in response.content.decode()


@pytest.mark.parametrize("path", ["/me/", "/me/asked/"])
def test_pages_around_asking_are_the_same_for_everybody(db, client, path):
    response = client.get(path)

    assert response["Cache-Control"].startswith("public")
    assert not response.cookies


def asked(*emails, at=NOW):
    for email in emails:
        own_page.ask_for_link(email=email, at=at)
    answer(at=at)
    return list(OutgoingMail.objects.order_by("id").values_list("to", flat=True))


def test_link_goes_to_the_address_we_have_and_not_to_the_one_that_was_typed(db):
    make_supporter("connie@gmail.com")

    assert asked("Con.Nie+news@gmail.com") == ["connie@gmail.com"]
    assert not OwnPageRequest.objects.exists()


@pytest.mark.parametrize(
    "who", [{"blocked_at": NOW}, {"stopped_at": NOW, "stopped": "bounced"}], ids=["blocked", "bounced"]
)
def test_mailbox_that_takes_no_mail_gets_no_link(db, who):
    make_supporter("connie@example.org", **who)

    assert asked("connie@example.org", "nobody@example.org") == []
    assert not OwnPageRequest.objects.exists()


def test_a_hundred_presses_are_one_wish(db):
    make_supporter("connie@example.org")

    mails = asked(*["connie@example.org"] * 20)
    mails = asked("connie@example.org", at=NOW + timedelta(seconds=59))

    assert len(mails) == 1


def test_three_links_an_hour(db):
    make_supporter("connie@example.org")

    numbers = [
        len(asked("connie@example.org", at=NOW + timedelta(minutes=minutes)))
        for minutes in (0, 5, 10, 15, 61)
    ]

    assert numbers == [1, 2, 3, 3, 4]


# --- Name ----------------------------------------------------------------------------------------------------


def names():
    return list(Signature.objects.order_by("id").values_list("first_name", "last_name"))


def test_name_is_corrected_everywhere(supporter):
    make_signature(supporter=supporter)

    assert own_page.rename(supporter_id=supporter.pk, first_name="Constance", last_name="Rivera")

    supporter.refresh_from_db()
    assert names() == [("Constance", "Rivera")] * 2
    assert (supporter.first_name, supporter.last_name) == ("Constance", "Rivera")


def test_name_is_corrected_under_one_signature(signature, supporter):
    make_signature(supporter=supporter)

    own_page.rename(supporter_id=supporter.pk, first_name="C.", last_name="Rivera", only=signature.pk)

    assert names() == [("C.", "Rivera"), ("Connie", "Reed")]


def test_nobody_renames_what_somebody_else_signed(supporter):
    other = make_signature()

    assert not own_page.rename(supporter_id=supporter.pk, first_name="X", last_name="Y", only=other.pk)
    assert names() == [("Connie", "Reed")] * 2


def test_what_was_removed_keeps_no_name(supporter):
    make_signature(supporter=supporter, removed_at=NOW, removal="not-me", first_name="", last_name="")

    own_page.rename(supporter_id=supporter.pk, first_name="Constance", last_name="Rivera")

    assert names() == [("Constance", "Rivera"), ("", "")]


# --- Hiding --------------------------------------------------------------------------------------------------


def exported():
    return b"".join(blocks(Signature.objects.all())).decode()


@pytest.mark.django_db(transaction=True)
def test_hidden_signature_counts_but_its_name_is_in_no_file():
    signature = make_signature(
        confirmed=True, first_name="Constance", last_name="Wu", email="cw@example.org", comment="My words"
    )

    own_page.hide(supporter_id=signature.supporter_id, signature_id=signature.pk, at=LATER)

    assert number_on(signature.petition) == 1
    assert not re.search("Constance|Wu|cw@|My words", exported())
    assert LATER.strftime("%Y-%m-%dT%H:%M:%S") in exported()


@pytest.mark.django_db(transaction=True)
def test_name_is_shown_again():
    signature = make_signature(confirmed=True, first_name="Constance", hidden_at=NOW)

    own_page.show(supporter_id=signature.supporter_id, signature_id=signature.pk)

    assert "Constance" in exported()


def test_hiding_twice_keeps_the_first_moment(signature, supporter):
    for moment in (NOW, LATER):
        assert own_page.hide(supporter_id=supporter.pk, signature_id=signature.pk, at=moment)

    signature.refresh_from_db()
    assert signature.hidden_at == NOW


@pytest.mark.parametrize("change", ["hide", "withdraw"])
def test_nobody_changes_what_somebody_else_signed(supporter, change):
    other = make_signature(confirmed=True)

    assert not getattr(own_page, change)(supporter_id=supporter.pk, signature_id=other.pk, at=LATER)

    other.refresh_from_db()
    assert (other.hidden_at, other.removed_at) == (None, None)


# --- Withdrawing ---------------------------------------------------------------------------------------------


def test_withdrawn_signature_counts_no_more_and_is_forgotten(signature, supporter):
    assert own_page.withdraw(supporter_id=supporter.pk, signature_id=signature.pk, at=LATER)

    signature.refresh_from_db()
    assert (signature.removal, signature.removed_at) == ("withdrawn", LATER)
    assert [signature.first_name, signature.last_name, signature.postal_code, signature.comment] == [""] * 4
    assert number_on(signature.petition) == 0
    assert recount() == []


def test_withdrawn_twice_counts_once(signature, supporter):
    done = [own_page.withdraw(supporter_id=supporter.pk, signature_id=signature.pk, at=LATER) for _ in "12"]

    assert done == [True, False]
    assert CountChange.objects.count() == 1


def test_change_of_the_count_says_whose_it_is(signature, supporter):
    own_page.withdraw(supporter_id=supporter.pk, signature_id=signature.pk, at=LATER)

    assert CountChange.objects.get().supporter_id == supporter.pk


@pytest.mark.django_db(transaction=True)
def test_withdrawn_in_many_tabs_counts_once():
    signature = make_signature(confirmed=True)
    done = []

    in_parallel(
        (
            lambda: done.append(
                own_page.withdraw(supporter_id=signature.supporter_id, signature_id=signature.pk, at=LATER)
            ),
            5,
        )
    )

    assert sorted(done) == [False] * 4 + [True]
    assert number_on(signature.petition) == 0


def test_pending_signature_can_be_withdrawn_and_its_mail_is_not_sent(db):
    mail = make_mail()

    own_page.withdraw(supporter_id=mail.supporter_id, signature_id=mail.signature_id, at=LATER)

    mail.refresh_from_db()
    assert mail.state == "dropped"
    assert not CountChange.objects.exists()


def test_choice_about_updates_stands_unless_asked_otherwise(signature, supporter):
    organization = signature.petition.campaign.organization
    own_page.choose_updates(supporter_id=supporter.pk, organization_id=organization.pk, wants=True, at=NOW)

    own_page.withdraw(supporter_id=supporter.pk, signature_id=signature.pk, at=LATER)

    assert Subscription.objects.count() == Consent.objects.count() == 1


def test_updates_end_with_the_signature_where_asked(signature, supporter):
    organization = signature.petition.campaign.organization
    own_page.choose_updates(supporter_id=supporter.pk, organization_id=organization.pk, wants=True, at=NOW)

    own_page.withdraw(supporter_id=supporter.pk, signature_id=signature.pk, at=LATER, stop_updates=True)

    last = Consent.objects.latest("id")
    assert (last.granted, last.source) == (False, "withdrawn")
    assert last.wording == f"Also send me no more updates from {organization.name}."
    assert not Subscription.objects.exists()


def test_withdrawn_signature_can_be_signed_anew_and_has_to_be_confirmed(signature, supporter):
    own_page.withdraw(supporter_id=supporter.pk, signature_id=signature.pk, at=LATER)

    make_submission(signature.petition, email=supporter.email, first_name="Constance", received_at=LATER)
    fold(at=LATER)
    signature.refresh_from_db()
    again = signature.state
    confirm(signature_id=signature.pk, at=LATER)

    assert (again, signature.first_name) == ("pending", "Constance")
    assert number_on(signature.petition) == 1


def test_staff_do_not_restore_what_its_signer_withdrew(signature, supporter):
    own_page.withdraw(supporter_id=supporter.pk, signature_id=signature.pk, at=LATER)

    with pytest.raises(CannotBeDone, match="withdrew"):
        restore(signature=signature, actor=make_staff(), at=LATER, reason="A mistake.")


def test_withdrawn_signature_goes_after_a_month(signature, supporter):
    own_page.withdraw(supporter_id=supporter.pk, signature_id=signature.pk, at=LATER)

    numbers = [forget_unconfirmed(at=LATER + timedelta(days=days)) for days in (29, 30)]

    assert numbers == [0, 1]


# --- Choices about updates -----------------------------------------------------------------------------------


def choose(signature, wants, at=NOW):
    return own_page.choose_updates(
        supporter_id=signature.supporter_id,
        organization_id=signature.petition.campaign.organization_id,
        wants=wants,
        at=at,
    )


def test_choice_is_kept_with_the_words_it_was_made_in(signature):
    choose(signature, True)

    consent = Consent.objects.get()
    assert (consent.granted, consent.source, consent.at) == (True, "self-service", NOW)
    assert consent.wording == updates_wording(signature.petition.campaign.organization)
    assert Subscription.objects.get().supporter == signature.supporter


def test_the_same_choice_again_is_no_new_one(signature):
    for wants in (True, True, False, False):
        choose(signature, wants)

    assert [consent.granted for consent in Consent.objects.order_by("id")] == [True, False]
    assert not Subscription.objects.exists()


def test_blocked_mailbox_asks_for_no_mail(db):
    signature = make_signature(supporter=make_supporter(blocked_at=NOW))

    assert not choose(signature, True)
    assert not Consent.objects.exists()


def test_choice_about_an_organization_that_never_asked_is_none(supporter):
    other = make_signature().petition.campaign.organization

    assert not own_page.choose_updates(
        supporter_id=supporter.pk, organization_id=other.pk, wants=True, at=NOW
    )


# --- The page ------------------------------------------------------------------------------------------------


def test_page_shows_every_signature_and_where_it_stands(client, signature, supporter):
    make_signature(supporter=supporter, hidden_at=NOW, confirmed=True)
    make_signature(supporter=supporter)
    make_signature(supporter=supporter, removed_at=NOW, removal="staff")
    make_signature(supporter=supporter, held_at=NOW, evidence=["honeypot"])

    response = client.get(path_of(supporter))
    text = text_of(response)

    assert signature.petition.get_absolute_url() in response.content.decode()
    for words in (
        "Connie, your signatures",
        "3 May 2026",
        "1 signature so far",
        "Confirmed; it counts.",
        "Signed as Connie Reed, hidden.",
        "Not confirmed yet",
        "Removed; it does not count.",
        "Does not count at the moment.",
    ):
        assert words in text
    assert "honeypot" not in text


def test_page_is_kept_nowhere_and_tells_nobody_its_address(client, supporter):
    path = path_of(supporter)
    other = {"do": "updates"}

    for response in (client.get(path), client.post(path, other), client.get(f"{path}data.json")):
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "no-referrer"
        assert not response.cookies


def test_number_of_queries_does_not_depend_on_the_number_of_signatures(
    client, supporter, django_assert_max_num_queries
):
    for _ in range(200):
        make_signature(supporter=supporter)

    with django_assert_max_num_queries(9):
        response = client.get(path_of(supporter))

    assert response.content.decode().count('class="own-signature"') == 201


def test_page_without_signatures_says_so(db, client):
    assert "There is no signature" in text_of(client.get(path_of(make_supporter(first_name=""))))


def test_count_below_the_floor_is_not_shown(client, signature, supporter):
    campaign = signature.petition.campaign
    campaign.count_floor = 10
    campaign.save()

    assert "so far" not in text_of(client.get(path_of(supporter)))


def test_petition_that_left_the_site_is_named_but_not_linked(client, signature, supporter):
    petition = signature.petition
    petition.live_at = None
    petition.save()

    response = client.get(path_of(supporter))

    assert signature.version.headline in text_of(response)
    assert petition.get_absolute_url() not in response.content.decode()


def test_names_are_written_as_they_are_and_cannot_turn_the_page(client, supporter):
    Supporter.objects.update(first_name="<b>محمد</b>")

    page = client.get(path_of(supporter)).content.decode()

    assert "<bdi>&lt;b&gt;محمد&lt;/b&gt;</bdi>" in page


@pytest.mark.parametrize(
    "step",
    ["ask=name&signature={}", "ask=withdraw&signature={}", "ask=erase", "done=nonsense", "ask=nonsense"],
)
def test_opening_a_step_changes_nothing(client, signature, supporter, step):
    before = Signature.objects.values().get()

    response = client.get(f"{path_of(supporter)}?{step.format(signature.pk)}")

    assert response.status_code == 200
    assert Signature.objects.values().get() == before


@pytest.mark.parametrize("do", ["hide", "show", "withdraw", "name"])
def test_buttons_for_what_is_somebody_elses_do_nothing(client, supporter, do):
    other = make_signature(confirmed=True)
    before = Signature.objects.filter(pk=other.pk).values().get()
    fields = {"do": do, "signature": other.pk, "first_name": "Mal", "last_name": "Lory"}

    response = client.post(path_of(supporter), fields)

    assert response["Location"].endswith("?done=nothing")
    assert Signature.objects.filter(pk=other.pk).values().get() == before


def test_mistakes_in_a_name_are_kept_and_explained(client, signature, supporter):
    for extra in ({}, {"signature": signature.pk, "which": "all"}):
        typed = {"do": "name", "first_name": "Connie", "last_name": "www.example.com", **extra}
        response = client.post(path_of(supporter), typed)

        assert response.status_code == 422
        assert 'value="www.example.com"' in response.content.decode()
        assert "without a web or e-mail address" in text_of(response)
    assert names() == [("Connie", "Reed")]


def test_the_same_link_made_a_day_ago_offers_a_new_one(client, supporter):
    path = path_of(supporter, made=timezone.now() - timedelta(days=1, minutes=1))

    response = client.get(path)
    asked = client.post(path, {"do": "link"})

    assert response.status_code == 410
    assert "This link has expired" in text_of(response)
    assert asked["Location"] == "/me/asked/"
    assert OwnPageRequest.objects.get().email == supporter.email


def test_what_was_typed_while_the_link_expired_is_shown_and_not_done(client, supporter):
    path = path_of(supporter, made=timezone.now() - timedelta(days=2))

    response = client.post(path, {"do": "name", "first_name": "Constance", "last_name": "Wu"})

    assert response.status_code == 410
    assert "Nothing was changed" in text_of(response)
    assert "Constance" in text_of(response)
    assert names() == [("Connie", "Reed")]


def test_link_of_somebody_who_is_gone_leads_to_nothing(client, db):
    supporter = make_supporter()
    path = path_of(supporter)
    supporter.delete()

    assert client.get(path).status_code == 410
    assert client.post(path, {"do": "erase"}).status_code == 410


def test_forged_link_does_nothing(client, supporter):
    path = path_of(supporter)
    forged = path[:-3] + ("AA" if path[-3:-1] != "AA" else "BB") + "/"

    assert client.post(forged, {"do": "erase"}).status_code == 404
    assert Supporter.objects.exists()


def test_whatever_is_posted_is_answered(client, signature, supporter):
    path = path_of(supporter)
    acts = ["name", "hide", "show", "withdraw", "updates", "address", "link", "nonsense"]
    answers = set()

    for number, value in enumerate(TEXTS):
        odd = value.decode("utf-8", "replace")
        for name in ("do", "signature", "first_name", "email", "organization", "updates", "which"):
            fields = {
                "do": acts[number % len(acts)],
                "signature": signature.pk,
                "first_name": "Connie",
                "last_name": "Reed",
                "email": f"connie.{number}@example.org",
                name: odd,
            }
            response = client.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded")
            answers.add(response.status_code)
        answers.add(client.get(path, {"ask": "withdraw", "signature": odd, "done": odd}).status_code)

    assert answers <= {200, 303, 400, 422}
    assert recount() == []
