"""Moving to another mailbox, also to one that turns out to be known."""

from datetime import timedelta
from email.header import decode_header, make_header

import pytest
from django.core import mail as outbox_of
from django.utils import timezone

from mailings.models import Edition, Mailing, Recipient
from petitions.models import Tally
from signers import changing_address, consents
from signers.answering import answer
from signers.changing_address import Moved, ask, confirm
from signers.consents import Choice
from signers.counting import add_up, recount
from signers.folding import fold
from signers.forgetting import forget_unconfirmed
from signers.models import (
    AddressChange,
    Consent,
    OutgoingMail,
    OwnPageRequest,
    Signature,
    Subscription,
    Supporter,
)
from signers.sending import send_due
from signers.tokens import new_address_link, own_page_link
from tests.factories import (
    NOW,
    make_mail,
    make_organization,
    make_petition,
    make_signature,
    make_submission,
    make_supporter,
)
from tests.people import text_of
from tests.threads import in_parallel

NEW = "new@example.org"
LATER = NOW + timedelta(days=1)


@pytest.fixture
def signature(db):
    return make_signature(email="old@example.org", confirmed=True)


@pytest.fixture
def person(signature):
    return signature.supporter


def wish(person, email=NEW, *, at=NOW):
    ask(supporter_id=person.pk, email=email, at=at)
    answer(at=at)
    return AddressChange.objects.latest("pk")


def mails():
    return [(mail.message, mail.to) for mail in OutgoingMail.objects.order_by("id")]


# --- Asking --------------------------------------------------------------------------------------------------


def test_link_goes_to_the_new_mailbox_and_nothing_changes_before(person):
    wish(person)

    person.refresh_from_db()
    assert mails() == [("new-address", NEW)]
    assert person.email == "old@example.org"


def test_asking_is_the_same_whether_the_mailbox_is_known(person):
    make_supporter(NEW)

    wish(person)
    wish(person, "unknown@example.org")

    assert mails() == [("new-address", NEW), ("new-address", "unknown@example.org")]


@pytest.mark.parametrize(
    "owner",
    [{"blocked_at": NOW}, {"stopped_at": NOW, "stopped": "complained"}],
    ids=["blocked", "complained"],
)
def test_mailbox_that_takes_no_mail_is_not_asked(person, owner):
    make_supporter(NEW, **owner)

    change = wish(person)

    assert change.answered_at == NOW
    assert mails() == []


def test_a_double_click_is_one_wish(person):
    for _ in range(3):
        wish(person)

    assert len(mails()) == 1


def test_mails_to_new_addresses_have_the_limits_of_their_asker(person):
    for number in range(6):
        wish(person, f"{number}@example.org")

    assert len(mails()) == 3


def test_many_people_cannot_pester_one_mailbox(db):
    for _ in range(6):
        wish(make_supporter())

    assert len(mails()) == 3


def test_blocked_person_cannot_move(db):
    person = make_supporter(blocked_at=NOW)

    assert not ask(supporter_id=person.pk, email=NEW, at=NOW)
    assert not AddressChange.objects.exists()


def test_mail_names_nobody_and_says_in_whose_name_it_is_sent(person):
    wish(person)

    send_due(at=NOW)

    [message] = outbox_of.outbox
    organization = Signature.objects.get().petition.campaign.organization
    assert message.to == [NEW]
    assert organization.name in str(make_header(decode_header(message.from_email)))
    for body in (message.body, message.alternatives[0].content):
        assert "/new-address/" in body
        assert "Connie" not in body
        assert "old@" not in body


# --- Confirming ----------------------------------------------------------------------------------------------


def test_confirmed_by_its_owner_the_new_mailbox_is_the_persons(person, signature):
    change = wish(person)

    outcomes = [confirm(change_id=change.pk, at=LATER) for _ in range(2)]

    person.refresh_from_db()
    signature.refresh_from_db()
    assert outcomes == [Moved.DONE, Moved.DONE]
    assert (person.email, person.mailbox, signature.email) == (NEW, NEW, NEW)
    assert Supporter.objects.count() == 1


def test_another_spelling_of_the_same_mailbox_becomes_where_mail_goes(db):
    person = make_supporter("connie@gmail.com")
    change = wish(person, "connie+petitions@gmail.com")

    confirm(change_id=change.pk, at=LATER)

    person.refresh_from_db()
    assert (person.email, person.mailbox) == ("connie+petitions@gmail.com", "connie@gmail.com")


def test_what_came_back_from_the_old_mailbox_is_forgotten(person):
    change = wish(person)
    Supporter.objects.update(stopped_at=NOW, stopped="bounced", soft_bounces=2)

    confirm(change_id=change.pk, at=LATER)

    person.refresh_from_db()
    assert (person.stopped_at, person.stopped, person.soft_bounces) == (None, "", 0)


def test_only_one_wish_can_be_confirmed(person):
    first, second = wish(person), wish(person, "other@example.org")

    assert confirm(change_id=second.pk, at=LATER) is Moved.DONE
    assert confirm(change_id=first.pk, at=LATER) is Moved.GONE


def test_person_erased_meanwhile_is_not_moved(person):
    change = wish(person)
    person.address_changes.all().delete()

    assert confirm(change_id=change.pk, at=LATER) is Moved.GONE


def test_mailbox_blocked_meanwhile_is_left_alone(person):
    change = wish(person)
    make_supporter(NEW, blocked_at=NOW)

    assert confirm(change_id=change.pk, at=LATER) is Moved.BLOCKED


def test_wishes_are_forgotten_after_two_days(person):
    wish(person)

    forget_unconfirmed(at=NOW + timedelta(days=2))

    assert not AddressChange.objects.exists()


def test_link_to_the_own_page_that_waits_does_not_go_to_the_former_mailbox(person):
    OwnPageRequest.objects.create(email="old@example.org", received_at=NOW)
    change = wish(person)
    confirm(change_id=change.pk, at=NOW)

    send_due(at=LATER)

    assert outbox_of.outbox == []
    assert OutgoingMail.objects.get(message="own-page").dropped_at


# --- Two that are one ----------------------------------------------------------------------------------------


@pytest.fixture
def other(person):
    """Who has the new mailbox already."""
    return make_supporter(NEW, confirmed_at=NOW, first_name="C.", last_name="R.")


def merged(person):
    change = wish(person)
    assert confirm(change_id=change.pk, at=LATER) is Moved.DONE
    return Supporter.objects.get()


def test_signatures_of_both_mailboxes_join(person, signature, other):
    make_signature(supporter=other, confirmed=True)

    one = merged(person)

    assert one == other
    assert (one.email, one.first_name) == (NEW, "Connie")
    assert one.signatures.count() == 2


@pytest.mark.parametrize("older", ["theirs", "ours"])
def test_petition_signed_with_both_counts_once(person, signature, other, older):
    at = NOW - timedelta(days=1) if older == "theirs" else NOW + timedelta(days=1)
    make_signature(signature.petition, supporter=other, confirmed=True, at=at, is_local=True)
    add_up(at=LATER)

    merged(person)
    add_up(at=LATER)

    tally = Tally.objects.get(petition=signature.petition)
    assert Signature.objects.count() == tally.count == 1
    assert recount() == []


@pytest.mark.parametrize("theirs_is", [{}, {"held_at": NOW}, {"removed_at": NOW, "removal": "staff"}])
def test_of_two_the_one_that_counts_stays(person, signature, other, theirs_is):
    make_signature(signature.petition, supporter=other, **theirs_is)

    merged(person)
    add_up(at=LATER)

    assert Signature.objects.get().is_counted
    assert recount() == []


def test_what_staff_removed_does_not_come_back(person, signature, other):
    Signature.objects.update(removed_at=NOW, removal="staff", accepted_at=None, confirmed_at=None)
    Tally.objects.update(count=0)
    make_signature(signature.petition, supporter=other, at=NOW - timedelta(days=1))

    merged(person)

    assert Signature.objects.get().removal == "staff"


@pytest.mark.parametrize("hides", ["theirs", "ours"])
def test_name_hidden_by_one_of_the_two_stays_hidden(person, signature, other, hides):
    theirs = make_signature(signature.petition, supporter=other, confirmed=True)
    hidden = theirs if hides == "theirs" else signature
    Signature.objects.filter(pk=hidden.pk).update(hidden_at=NOW)

    merged(person)

    assert Signature.objects.get().hidden_at == NOW


def test_choices_of_both_are_told_in_their_order_and_the_latest_holds(person, other):
    organizations = [make_organization(), make_organization()]
    choices = [(person, 0, True, 1), (other, 0, False, 2), (other, 1, False, 3), (person, 1, True, 4)]
    for who, organization, granted, hour in reversed(choices):
        choice = Choice(who.pk, organizations[organization].pk, granted, "May we?")
        consents.record([choice], source=Consent.Source.SIGN_FORM, at=NOW + timedelta(hours=hour))

    one = merged(person)

    assert [row.granted for row in one.consents.order_by("id")] == [True, False, False, True]
    assert [row.organization for row in Subscription.objects.filter(supporter=one)] == [organizations[1]]


def test_links_in_mailings_go_on_belonging_to_the_person(person, signature, other):
    campaign = signature.petition.campaign
    copies = []
    for number in range(2):
        mailing = Mailing.objects.create(
            campaign=campaign, title="News", subject="News", body="News", created_at=NOW
        )
        edition = Edition.objects.create(mailing=mailing, subject="News", html="", text="")
        for who in (person, other)[number:]:
            copies.append(
                Recipient.objects.create(mailing=mailing, supporter=who, edition=edition, due_at=NOW)
            )
    make_mail(signature)

    one = merged(person)

    for copy in copies:
        copy.refresh_from_db()
    # Of two copies of one mailing that in the mailbox they left belongs to nobody any more.
    assert [copy.supporter for copy in copies] == [None, one, one]
    assert OutgoingMail.objects.filter(supporter=one, message="confirm").exists()


@pytest.mark.django_db(transaction=True)
def test_somebody_signing_with_the_new_mailbox_at_this_moment_joins_too():
    signature = make_signature(email="old@example.org", confirmed=True)
    change = wish(signature.supporter)
    make_submission(make_petition(), email=NEW)

    in_parallel((lambda: confirm(change_id=change.pk, at=LATER), 2), (lambda: fold(at=NOW), 2))
    fold(at=LATER)

    assert Supporter.objects.get().mailbox == NEW
    assert Signature.objects.count() == 2
    assert recount() == []


# --- Links ---------------------------------------------------------------------------------------------------


def path_of(link):
    return link.removeprefix("http://testserver")


def test_opening_the_link_moves_nobody_and_names_nobody(client, person):
    change = wish(person)

    page = client.get(path_of(new_address_link(change, timezone.now())))

    person.refresh_from_db()
    assert page.status_code == 200
    assert person.email == "old@example.org"
    assert "Connie" not in page.content.decode()
    assert "old@" not in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]


def test_links_to_the_former_mailbox_end_with_it(client, person):
    former = path_of(own_page_link(person, timezone.now() - timedelta(minutes=5)))
    change = wish(person, at=timezone.now())
    done = client.post(path_of(new_address_link(change, timezone.now())))

    late, new = client.get(former), client.get(path_of(own_page_link(person, timezone.now())))

    assert "Your address is changed" in text_of(done)
    assert (late.status_code, new.status_code) == (410, 200)


@pytest.mark.parametrize(("age", "status"), [(timedelta(days=1, minutes=1), 410), (timedelta(days=-3), 404)])
def test_old_and_forged_links_move_nobody(client, person, age, status):
    change = wish(person)

    response = client.post(path_of(new_address_link(change, timezone.now() - age)))

    person.refresh_from_db()
    assert response.status_code == status
    assert person.email == "old@example.org"


def test_links_of_other_purposes_do_not_move_anybody(client, person):
    change = wish(person)
    own = path_of(own_page_link(person, timezone.now())).split("/")[2]
    new = path_of(new_address_link(change, timezone.now())).split("/")[2]

    assert client.post(f"/new-address/{own}/").status_code == 404
    assert client.get(f"/me/{new}/").status_code == 404
    assert changing_address.moved_at(person.pk) is None
