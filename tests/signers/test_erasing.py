"""Nothing is left of a person who asks to be erased, and the numbers say so."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from petitions.models import Tally
from signers import changing_address, consents, own_page
from signers.answering import answer
from signers.blocking import blocked_among, unblock_address
from signers.consents import Choice
from signers.counting import add_up, recount
from signers.erasing import erase, supporter_erased
from signers.folding import fold
from signers.models import (
    BlockedMailbox,
    Consent,
    OutgoingMail,
    OwnPageRequest,
    Signature,
    Submission,
    Supporter,
)
from staff.models import AuditEntry
from tests.factories import NOW, make_mail, make_petition, make_signature, make_submission, make_supporter
from tests.threads import in_parallel

LATER = NOW + timedelta(days=1)
SECRET = "unmistakable"


@pytest.fixture
def connie(db):
    """Somebody of whom every table knows something unmistakable."""
    supporter = make_supporter(f"{SECRET}@example.org", first_name=SECRET, last_name=SECRET)
    signature = make_signature(
        supporter=supporter,
        confirmed=True,
        first_name=SECRET,
        last_name=SECRET,
        comment=SECRET,
        is_local=True,
    )
    make_mail(signature, sent_at=NOW)
    organization = signature.petition.campaign.organization_id
    consents.record(
        [Choice(supporter.pk, organization, True, "May we?")], source=Consent.Source.SIGN_FORM, at=NOW
    )
    changing_address.ask(supporter_id=supporter.pk, email=f"new.{SECRET}@example.org", at=NOW)
    own_page.ask_for_link(email=f"{SECRET.upper()}@example.org", at=NOW)
    make_submission(make_petition(), email=f"{SECRET}@example.org", first_name=SECRET, parked_at=NOW)
    return supporter


def everything_stored():
    texts = []
    for model in apps.get_models():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')  # noqa: S608
            texts.append(str(cursor.fetchall()))
    return " ".join(texts)


def test_nothing_that_says_who_it_was_is_left_in_any_table(connie):
    assert SECRET in everything_stored()

    erased = erase(supporter_id=connie.pk, at=LATER)

    assert (erased.signatures, erased.counted) == (1, 1)
    assert SECRET not in everything_stored().lower()
    assert not Signature.objects.exists()
    assert not Consent.objects.exists()


def test_counts_go_down_accordingly(connie):
    petition = Signature.objects.get().petition
    make_signature(petition)

    erase(supporter_id=connie.pk, at=LATER)
    add_up(at=LATER)

    tally = Tally.objects.get(petition=petition)
    assert (tally.count, tally.local) == (0, 0)
    assert recount() == []


def test_what_others_signed_and_typed_stays(connie):
    other = make_signature(confirmed=True)
    make_submission(other.petition, email="ray@example.org", parked_at=NOW)

    erase(supporter_id=connie.pk, at=LATER)

    assert Supporter.objects.get() == other.supporter
    assert Submission.objects.get().email == "ray@example.org"


def test_audit_log_keeps_numbers_only(connie):
    erase(supporter_id=connie.pk, at=LATER)

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id) == ("erased", connie.pk)
    # The moment its row was made tells a restored backup whose row it is.
    known_as = [[connie.pk, connie.created_at.isoformat()]]
    assert entry.details == {"signatures": 1, "counted": 1, "known_as": known_as}


def test_upper_apps_hear_of_it_while_everything_is_still_there(connie):
    heard = []

    def listen(sender, supporter, at, **_):
        heard.append((supporter.pk, at, supporter.signatures.count()))

    supporter_erased.connect(listen)
    try:
        erase(supporter_id=connie.pk, at=LATER)
    finally:
        supporter_erased.disconnect(listen)

    assert heard == [(connie.pk, LATER, 1)]


def test_erased_twice_is_erased_once(connie):
    assert erase(supporter_id=connie.pk, at=LATER) is not None
    assert erase(supporter_id=connie.pk, at=LATER) is None
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_erasing_in_two_tabs_while_a_signature_is_withdrawn_counts_once():
    signature = make_signature(confirmed=True)
    pk = signature.supporter_id

    in_parallel(
        (lambda: erase(supporter_id=pk, at=LATER), 2),
        (lambda: own_page.withdraw(supporter_id=pk, signature_id=signature.pk, at=LATER), 2),
    )
    add_up(at=LATER)

    assert Tally.objects.get(petition=signature.petition).count == 0
    assert recount() == []
    assert not Supporter.objects.exists()


def test_who_is_erased_can_sign_again_as_somebody_new(connie):
    erase(supporter_id=connie.pk, at=LATER)

    make_submission(make_petition(), email=connie.email, received_at=LATER)
    fold(at=LATER)

    assert Signature.objects.get().state == "pending"
    assert OutgoingMail.objects.count() == 1


# --- Blocked ---------------------------------------------------------------------------------------------------


@pytest.fixture
def blocked(connie):
    Supporter.objects.update(blocked_at=NOW)
    erase(supporter_id=connie.pk, at=LATER)
    return connie


def test_blocked_mailbox_stays_blocked_and_is_known_by_a_digest_only(blocked):
    petition = make_petition()
    for email in (blocked.email, "ray@example.org"):
        make_submission(petition, email=email, received_at=LATER)

    fold(at=LATER)

    assert Supporter.objects.get().email == "ray@example.org"
    assert Signature.objects.count() == OutgoingMail.objects.count() == 1
    assert not Submission.objects.exists()
    assert SECRET not in everything_stored().lower()


def test_blocked_and_erased_mailbox_gets_no_link_and_becomes_nobodys_new_address(blocked):
    ray = make_signature(confirmed=True).supporter
    changing_address.ask(supporter_id=ray.pk, email=blocked.email, at=LATER)
    own_page.ask_for_link(email=blocked.email, at=LATER)

    answer(at=LATER)

    assert not OutgoingMail.objects.exists()
    assert not OwnPageRequest.objects.exists()


def test_digest_outlives_a_change_of_the_secret(blocked, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret, as long as the first one was"

    assert blocked_among([blocked.mailbox, "ray@example.org"]) == {blocked.mailbox}


def test_who_asks_is_unblocked(blocked):
    assert unblock_address(f" {blocked.email.upper()} ")
    assert not unblock_address(blocked.email)
    assert not BlockedMailbox.objects.exists()


# --- By staff --------------------------------------------------------------------------------------------------


def test_staff_erase_somebody_who_asks_otherwise(connie, capsys):
    call_command("erase_supporter", connie.email.upper(), reason="Asked by letter.")

    assert not Supporter.objects.exists()
    assert AuditEntry.objects.get().reason == "Asked by letter."
    assert SECRET not in capsys.readouterr().out


def test_staff_are_told_where_nobody_has_the_address(db):
    with pytest.raises(CommandError, match="Nobody"):
        call_command("erase_supporter", "nobody@example.org")
