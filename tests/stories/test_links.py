"""Links in mail: forwarded, forged, mixed up, late, pressed again."""

import pytest
from django.core import mail

from signers.models import Signature
from tests.people import Person, later, shown_count, text_of


def test_a_forwarded_mail_shows_a_stranger_no_address(signed):
    stranger = Person(first_name="Ray", email="ray@people.example")

    for address in (signed.link("confirm"), signed.link("not-me")):
        for page in (stranger.opens(address), stranger.presses(address), stranger.opens(address)):
            assert "people.example" not in page.content.decode()


def test_a_used_link_shows_no_name_and_before_it_only_what_the_click_makes_true(signed):
    stranger = Person(first_name="Ray", email="ray@people.example")

    before = stranger.opens(signed.link("confirm"))
    after = [stranger.presses(signed.link("confirm")), stranger.opens(signed.link("confirm"))]
    disowning = [stranger.opens(signed.link("not-me")), stranger.presses(signed.link("not-me"))]

    assert "Connie Rivera" in text_of(before)
    assert all("Rivera" not in page.content.decode() for page in (*after, *disowning))


def test_a_name_and_choice_somebody_else_typed_are_seen_before_they_count(signed, petition, work):
    stranger = Person(first_name="Nobody", last_name="Special", email=signed.email)
    stranger.signs(petition, updates="yes")
    work()

    page = text_of(signed.opens(signed.link("confirm")))

    assert "Nobody Special" in page
    assert "Yes, from" in page


def test_a_used_link_signs_nobody_else_and_shows_no_name_any_more(confirmed, petition, work):
    stranger = Person(first_name="Ray", email="ray@people.example")

    answers = [stranger.opens(confirmed.link("confirm")), stranger.presses(confirmed.link("confirm"))]
    work()

    assert all("Connie" not in page.content.decode() for page in answers)
    assert shown_count(stranger, petition) == (1, 1)


def test_pressing_again_and_again_shows_that_it_stands_and_counts_once(signed, petition, work):
    first, *others = [signed.confirms() for _ in range(4)]
    work()

    assert "Your name now stands under the petition." in text_of(first)
    assert all("It stands, and it counts once." in text_of(answer) for answer in others)
    assert shown_count(signed, petition) == (1, 1)


def test_a_link_of_a_month_ago_says_that_it_is_too_old_and_a_new_one_works(connie, petition, work):
    connie.signs(petition)
    work(at=later(days=-31))

    late = connie.confirms()
    connie.signs(petition)
    work()
    connie.confirms()
    work()

    assert late.status_code == 410
    assert "This link has expired" in text_of(late)
    assert petition.get_absolute_url() in late.content.decode()
    assert shown_count(connie, petition) == (1, 1)


def changed(token):
    return ("B" if token[0] != "B" else "C") + token[1:]


@pytest.mark.parametrize(
    "forge",
    [changed, lambda token: token[:-1], lambda token: token + "A", str.swapcase, lambda token: token[::-1]],
)
def test_a_link_with_another_token_does_nothing_and_says_what_to_do(signed, forge):
    for purpose in ("confirm", "not-me"):
        token = signed.link(purpose).split("/")[2]
        for answer in (
            signed.opens(f"/{purpose}/{forge(token)}/"),
            signed.presses(f"/{purpose}/{forge(token)}/"),
        ):
            assert answer.status_code == 404
            assert "This link does not work" in text_of(answer)

    assert Signature.objects.get().state == "pending"


def test_the_token_of_one_link_is_worth_nothing_in_the_other(signed):
    confirm, not_me = (signed.link(purpose).split("/")[2] for purpose in ("confirm", "not-me"))

    assert signed.presses(f"/confirm/{not_me}/").status_code == 404
    assert signed.presses(f"/not-me/{confirm}/").status_code == 404
    assert Signature.objects.get().state == "pending"


def test_a_link_confirms_the_signature_it_was_made_for_and_no_other(signed, petition, work):
    ray = Person(first_name="Ray", email="ray@people.example")
    ray.signs(petition)
    work()

    ray.confirms()

    assert {row.email: row.state for row in Signature.objects.all()} == {
        "connie@people.example": "pending",
        "ray@people.example": "confirmed",
    }


def test_mailed_links_stand_on_the_sites_own_address_whatever_host_was_asked(connie, petition, work):
    connie.client.defaults["HTTP_HOST"] = "localhost"

    answer = connie.signs(petition)
    work()

    assert answer.status_code == 303
    [message] = mail.outbox
    html = message.alternatives[0].content
    assert "http://testserver/confirm/" in message.body
    assert "http://testserver/confirm/" in html
    assert "localhost" not in message.body + html


def test_pages_behind_mailed_links_are_kept_nowhere(signed):
    for address in (signed.link("confirm"), signed.link("not-me")):
        for page in (signed.opens(address), signed.presses(address)):
            assert "no-store" in page["Cache-Control"]
            assert 'name="robots" content="noindex' in page.content.decode()
            assert page["Referrer-Policy"] == "same-origin"
            assert not page.cookies
