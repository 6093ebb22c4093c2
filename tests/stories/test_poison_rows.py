"""One row that cannot be dealt with, in each queue of the worker: it is set aside, and the others get their turn."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mailings import bounce_mailbox
from mailings.bounce_mailbox import fetch
from mailings.models import Recipient
from mailings.sending import send_some
from petitions.models import ShareImage
from petitions.share_images import keeping
from signers import answering, folding, sending
from signers.answering import answer
from signers.models import AddressChange, OutgoingMail, OwnPageRequest, Signature, Submission
from signers.sending import send_due
from tests.factories import (
    NOW,
    make_edition,
    make_mail,
    make_mailing,
    make_petition,
    make_recipient,
    make_signature,
    make_submission,
    make_supporter,
)
from tests.imap_server import ImapServer
from tests.mailings.bounce_samples import ANSWER, filled

pytestmark = pytest.mark.django_db
POISON = "poison@example.org"
ADDRESSES = ("a@example.org", POISON, "b@example.org")


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`poison(module, name, of=…)`: the function fails whenever `of` its arguments holds the poison."""

    def spoil(module: Any, name: str, *, of: Callable[..., str]) -> None:
        good = getattr(module, name)

        def fails(*args: Any, **options: Any) -> Any:
            if POISON in of(*args, **options):
                raise ValueError("for whatever reason")
            return good(*args, **options)

        monkeypatch.setattr(module, name, fails)

    return spoil


def test_submission_is_parked(poison: Callable[..., None]) -> None:
    poison(folding, "mailbox_key", of=str)
    petition = make_petition()
    for email in ADDRESSES:
        make_submission(petition, email=email, received_at=NOW)

    while folding.fold(at=NOW):
        pass

    assert [row.email for row in Submission.objects.exclude(parked_at=None)] == [POISON]
    assert Signature.objects.count() == 2


def test_mail_fails(poison: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(mail: OutgoingMail) -> Any:
        if mail.to == POISON:
            raise ValueError("for whatever reason")
        return good(mail)

    good = sending.WRITERS[OutgoingMail.Message.CONFIRM]
    monkeypatch.setitem(sending.WRITERS, OutgoingMail.Message.CONFIRM, spoiled)
    petition = make_petition()
    for email in ADDRESSES:
        make_mail(make_signature(petition, email=email), to=email)

    while send_due(at=NOW + timedelta(minutes=1)):
        pass

    assert [mail.state for mail in OutgoingMail.objects.order_by("id")] == ["sent", "failed", "sent"]


def test_copy_of_a_mailing_is_put_off_and_fails_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from mailings.messages import Writer

    def spoiled(self: Writer, recipient: Recipient, **values: Any) -> Any:
        if values["to"] == POISON:
            raise ValueError("for whatever reason")
        return good(self, recipient, **values)

    good = Writer.message
    monkeypatch.setattr(Writer, "message", spoiled)
    petition = make_petition(at=NOW)
    mailing = make_mailing(petition.campaign, starts_at=NOW - timedelta(hours=1), per_minute=100_000)
    edition = make_edition(mailing, petition)
    for email in ADDRESSES:
        copy = make_recipient(edition)
        type(copy.supporter).objects.filter(pk=copy.supporter_id).update(email=email)

    for day in range(12):
        while send_some(at=NOW + timedelta(days=day)):
            pass

    assert sorted(copy.state for copy in Recipient.objects.all()) == ["failed", "sent", "sent"]


def test_request_for_a_link_is_forgotten(poison: Callable[..., None]) -> None:
    poison(answering, "mailbox_key", of=str)
    for email in ADDRESSES:
        make_supporter(email)
        OwnPageRequest.objects.create(email=email, received_at=NOW)

    answer(at=NOW)

    assert not OwnPageRequest.objects.exists()
    assert {mail.to for mail in OutgoingMail.objects.all()} == {"a@example.org", "b@example.org"}


def test_change_of_address_is_given_up(poison: Callable[..., None]) -> None:
    poison(answering, "_may_be_asked", of=lambda change, at: change.email)
    for number, email in enumerate(ADDRESSES):
        AddressChange.objects.create(
            supporter=make_supporter(f"{number}@people.example"), email=email, mailbox=email, asked_at=NOW
        )

    answer(at=NOW)

    assert not AddressChange.objects.filter(answered_at=None).exists()
    assert {mail.to for mail in OutgoingMail.objects.all()} == {"a@example.org", "b@example.org"}


def test_message_in_the_mailbox_for_bounces_is_left_there_read(
    poison: Callable[..., None], settings: Any
) -> None:
    poison(bounce_mailbox, "take", of=lambda content, at: content.decode())
    with ImapServer(filled(ANSWER), POISON.encode(), filled(ANSWER)) as server:
        settings.BOUNCE_MAILBOX = server.settings()

        fetch(at=NOW)

    assert [message.flags for message in server.messages.values()] == [{r"\Seen"}] * 3


def test_share_image_is_given_up(poison: Callable[..., None]) -> None:
    petitions = [make_petition(at=NOW) for _ in ADDRESSES]
    bad = next(content for pk, _digest, content in keeping.live_contents(at=NOW) if pk == petitions[1].pk)
    poison(keeping, "draw", of=lambda content: POISON if content.digest == bad.digest else "")
    painter = keeping.Painter()

    while painter.draw_due(at=NOW):
        pass

    assert ShareImage.objects.count() == 2
