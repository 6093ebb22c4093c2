"""Connie comes back to what she signed."""

from urllib.parse import urlsplit

import pytest

from signers.models import AddressChange, Consent, OutgoingMail, OwnPageRequest, Signature, Supporter
from tests import factories
from tests.people import Person, later, shown_count, text_of


def opens_own_page(person, work, *, at=None):
    """Asks for the link, opens the mail, and returns the path of the page."""
    person.presses("/me/", email=person.email)
    work(at=at)
    return person.link("me")


def an_hour_goes_by():
    """For the limits of mails."""
    OutgoingMail.objects.update(created_at=later(hours=-1), handed_over_at=later(hours=-1))


def test_asking_tells_a_stranger_nothing_and_mails_only_the_owner(confirmed, work):
    stranger = Person(email="stranger@people.example")

    answers = [stranger.presses("/me/", email=email) for email in (confirmed.email, "nobody@people.example")]
    work()

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(303, "/me/asked/")}
    assert stranger.mails == []
    assert "The link to your signatures" in confirmed.mails[-1].subject
    assert not OwnPageRequest.objects.exists()


def test_the_mail_reads_well_as_text_and_as_html(confirmed, work):
    opens_own_page(confirmed, work)

    message = confirmed.mails[-1]
    for body in (message.body, message.alternatives[0].content):
        assert "Connie" in body
        assert "works for 24 hours" in body or "good for 24 hours" in body
        assert "http://testserver/me/" in body


def test_every_mail_and_every_page_leads_to_the_own_page(confirmed, petition):
    assert "http://testserver/me/" in confirmed.mails[0].body
    for page in (petition.get_absolute_url(), "/", petition.campaign.get_absolute_url()):
        assert 'href="/me/"' in confirmed.opens(page).content.decode()


def test_connie_corrects_hides_and_withdraws(confirmed, petition, work):
    page = opens_own_page(confirmed, work)
    signature = Signature.objects.get()

    named = confirmed.presses(page, do="name", first_name="Constance", last_name="Rivera")
    hidden = confirmed.presses(page, do="hide", signature=str(signature.pk))
    seen = text_of(confirmed.opens(page))
    step = confirmed.opens(f"{page}?ask=withdraw&signature={signature.pk}")
    work()
    before = shown_count(confirmed, petition)
    gone = confirmed.presses(page, do="withdraw", signature=str(signature.pk))
    work()

    assert "Signed as Constance Rivera, hidden." in seen
    assert "Withdraw your signature?" in text_of(step)
    assert (before, shown_count(confirmed, petition)) == ((1, 1), (0, 0))
    for answer, words in (
        (named, "Your name is corrected."),
        (hidden, "Your name is hidden."),
        (gone, "Your signature is withdrawn."),
    ):
        assert words in text_of(confirmed.opens(answer["Location"]))
    assert "Withdrawn by you" in text_of(confirmed.opens(page))


def test_two_tabs_and_buttons_pressed_again_end_the_same(confirmed, petition, work):
    page = opens_own_page(confirmed, work)
    number = str(Signature.objects.get().pk)

    answers = [confirmed.presses(page, do="withdraw", signature=number) for _ in range(3)]
    late = confirmed.presses(page, do="hide", signature=number)
    work()

    assert [answer["Location"].rpartition("=")[2] for answer in answers] == [
        "withdrawn",
        "nothing",
        "nothing",
    ]
    assert late["Location"].endswith("done=nothing")
    assert shown_count(confirmed, petition) == (0, 0)


def test_connie_withdraws_and_signs_anew(confirmed, petition, work):
    page = opens_own_page(confirmed, work)
    confirmed.presses(page, do="withdraw", signature=str(Signature.objects.get().pk))

    confirmed.signs(petition)
    work(at=later(minutes=2))
    waiting = shown_count(confirmed, petition)
    confirmed.confirms()
    work()

    assert (waiting, shown_count(confirmed, petition)) == ((0, 0), (1, 1))


def test_connie_changes_her_mind_about_updates(confirmed, petition, work):
    page = opens_own_page(confirmed, work)
    organization = str(petition.campaign.organization_id)

    for answer in ("yes", "yes", "no"):
        confirmed.presses(page, do="updates", organization=organization, updates=answer)

    # The first is the “no” of the sign form.
    assert [row.granted for row in Consent.objects.order_by("id")] == [False, True, False]
    assert "May Readers’ Common" in text_of(confirmed.opens(page))


def test_connie_moves_to_another_mailbox(confirmed, work):
    an_hour_goes_by()
    page = opens_own_page(confirmed, work, at=later(minutes=-1))
    confirmed.presses(page, do="address", email="connie@new.example")
    work()
    new = Person(email="connie@new.example")

    asks = new.opens(new.link("new-address"))
    before = Supporter.objects.get().email
    done = new.presses(new.link("new-address"))
    an_hour_goes_by()
    own = opens_own_page(new, work)

    assert "Is this your new address?" in text_of(asks)
    assert before == "connie@people.example"
    assert "Your address is changed" in text_of(done)
    assert confirmed.opens(page).status_code == 410
    assert "connie@new.example" in text_of(new.opens(own))


def test_nobody_learns_whose_the_new_address_is(confirmed, petition, work):
    ray = Person(first_name="Ray", email="ray@people.example")
    ray.signs(petition)
    work()
    page = opens_own_page(confirmed, work)

    answers = [
        confirmed.presses(page, do="address", email=email) for email in (ray.email, "nobody@people.example")
    ]
    work()
    ray_sees = text_of(ray.opens(ray.link("new-address")))
    work()

    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1
    assert "Connie" not in ray_sees
    assert Supporter.objects.count() == 2


def test_a_forwarded_link_ends_after_a_day_and_a_new_one_goes_to_the_owner(confirmed, work):
    confirmed.presses("/me/", email=confirmed.email)
    work(at=later(days=-2))
    stranger = Person(email="stranger@people.example")

    late = stranger.opens(confirmed.link("me"))
    stranger.presses(confirmed.link("me"), do="link")
    number = len(confirmed.mails)
    work()

    assert late.status_code == 410
    assert "Connie" not in late.content.decode()
    assert len(confirmed.mails) == number + 1
    assert stranger.mails == []
    assert "Connie, your signatures" in text_of(confirmed.opens(confirmed.link("me")))


def test_connie_takes_her_data_along_and_is_erased(confirmed, petition, work):
    page = opens_own_page(confirmed, work)

    data = confirmed.opens(f"{page}data.json").json()
    step = confirmed.opens(f"{page}?ask=erase")
    there = Supporter.objects.count()
    done = confirmed.presses(page, do="erase")
    again = confirmed.presses(page, do="erase")
    work()

    assert data["signature"][0]["last_name"] == "Rivera"
    assert "One signature that counts now will count no more." in text_of(step)
    assert (there, Supporter.objects.count()) == (1, 0)
    assert "Everything about you is erased" in text_of(done)
    assert (again.status_code, "nothing here any more" in text_of(again)) == (410, True)
    assert shown_count(confirmed, petition) == (0, 0)
    assert not AddressChange.objects.exists()
    for purpose in ("confirm", "not-me"):
        assert confirmed.opens(confirmed.link(purpose, which=0)).status_code == 404


def test_connie_who_never_confirmed_sees_what_waits_for_her(signed, work):
    page = opens_own_page(signed, work)

    text = text_of(signed.opens(page))

    assert "Not confirmed yet" in text
    assert "press the button in the mail we sent you" in text


def test_what_staff_decided_is_told_without_their_reasons(confirmed, work):
    page = opens_own_page(confirmed, work)
    Signature.objects.update(removed_at=later(), removal="staff", evidence=["too-fast"])

    text = text_of(confirmed.opens(page))

    assert "Removed; it does not count." in text
    assert "too-fast" not in text
    assert "Withdraw…" not in text


def test_long_names_and_names_from_right_to_left_stay_in_their_place(work, petition):
    person = Person(first_name="عبد الرحمن", last_name="Wolfeschlegelsteinhausenbergerdorff" * 2)
    person.signs(petition)
    work()
    person.confirms()

    page = person.opens(opens_own_page(person, work)).content.decode()

    assert f"<bdi>{person.first_name} {person.last_name}</bdi>" in page
    assert f'value="{person.last_name}"' in page


@pytest.mark.parametrize("fields", [{}, {"do": "nonsense"}, {"do": "hide", "signature": "9" * 5000}])
def test_posts_that_mean_nothing_change_nothing(confirmed, work, fields):
    page = opens_own_page(confirmed, work)

    answer = confirmed.presses(page, **fields)

    assert answer.status_code in {303, 422}
    assert Signature.objects.get().state == "confirmed"
    if answer.status_code == 303:
        assert urlsplit(answer["Location"]).query == "done=nothing"


def test_two_organizations_are_asked_about_apart(confirmed, work):
    other = factories.make_petition()
    confirmed.signs(other)
    work()
    page = opens_own_page(confirmed, work)

    confirmed.presses(page, do="updates", organization=str(other.campaign.organization_id), updates="yes")

    choice = Consent.objects.latest("id")
    assert choice.organization == other.campaign.organization
    assert text_of(confirmed.opens(page)).count("send you updates by e-mail?") == 2
