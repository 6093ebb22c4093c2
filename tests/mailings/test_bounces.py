"""A report stops mail only where a mark of ours proves what it is about, and whoever it is about is who it stops."""

import pytest

from mailings.bounces import Taken, take
from mailings.messages import Writer
from mailings.models import MailReport
from mailings.sending import send_some
from signers import emails
from signers.sending import send_due
from tests.factories import NOW, make_mail, make_recipient, make_signature, make_supporter
from tests.mailings.bounce_samples import COMPLAINT, EXIM, GMAIL, OUT_OF_OFFICE, POSTFIX, filled
from tests.smtp_server import SmtpServer
from toolkit.bounce_addresses import COPY, MAIL, mark

pytestmark = pytest.mark.django_db


def mark_of(recipient):
    return mark(COPY, recipient.pk, to=recipient.supporter.email)


def stopped(supporter):
    supporter.refresh_from_db()
    return supporter.stopped


@pytest.mark.parametrize("sample", [POSTFIX, EXIM, GMAIL])
def test_bounce_of_a_copy_stops_mail_to_its_reader(sample):
    recipient = make_recipient()

    taken = take(filled(sample, mark=mark_of(recipient)), at=NOW)

    assert taken is Taken.REPORTED
    assert stopped(recipient.supporter) == "bounced"
    recipient.refresh_from_db()
    assert recipient.bounced_at == NOW


def test_bounce_of_a_confirmation_counts_as_well():
    mail = make_mail()

    take(filled(POSTFIX, mark=mark(MAIL, mail.pk, to=mail.to)), at=NOW)

    assert stopped(mail.supporter) == "bounced"
    assert MailReport.objects.get().recipient is None


def test_complaint_is_about_who_got_the_mail_it_quotes():
    recipient = make_recipient()

    take(filled(COMPLAINT, mark=mark_of(recipient)), at=NOW)

    assert stopped(recipient.supporter) == "complained"


def test_address_in_a_report_proves_nothing():
    supporter = make_supporter("connie.reed@example.net")

    taken = take(filled(POSTFIX), at=NOW)

    assert taken is Taken.NOTHING
    assert not stopped(supporter)


def test_mark_of_another_mailbox_proves_nothing():
    recipient = make_recipient()

    taken = take(filled(POSTFIX, mark=mark(COPY, recipient.pk, to="robin@example.org")), at=NOW)

    assert taken is Taken.NOTHING
    assert not stopped(recipient.supporter)


def test_bounce_from_a_former_mailbox_stops_nothing():
    recipient = make_recipient()
    former = mark_of(recipient)
    recipient.supporter.email = recipient.supporter.mailbox = "new@example.org"
    recipient.supporter.save()

    assert take(filled(POSTFIX, mark=former), at=NOW) is Taken.NOTHING


def test_bounce_of_the_mail_to_a_new_address_stops_nothing_for_the_present_one():
    signature = make_signature()
    mail = make_mail(signature, message="new-address", to="typo@example.org")

    assert take(filled(POSTFIX, mark=mark(MAIL, mail.pk, to=mail.to)), at=NOW) is Taken.NOTHING


def test_same_report_again_counts_once():
    recipient = make_recipient()
    content = filled(POSTFIX, mark=mark_of(recipient), status="4.4.1", words="timed out")

    taken = [take(content, at=NOW), take(content, at=NOW)]

    assert taken == [Taken.REPORTED, Taken.KNOWN]
    recipient.supporter.refresh_from_db()
    assert recipient.supporter.soft_bounces == 1


def test_out_of_office_is_nothing():
    recipient = make_recipient()

    assert take(filled(OUT_OF_OFFICE, mark=mark_of(recipient)), at=NOW) is Taken.NOTHING


def test_report_about_somebody_erased_is_nothing():
    recipient = make_recipient()
    own = mark_of(recipient)
    type(recipient).objects.update(supporter=None)

    assert take(filled(POSTFIX, mark=own), at=NOW) is Taken.NOTHING


def test_reason_is_kept_without_addresses():
    recipient = make_recipient(supporter=make_supporter("connie.reed@example.net"))

    take(filled(GMAIL, mark=mark_of(recipient)), at=NOW)
    take(filled(POSTFIX, mark=mark_of(recipient)), at=NOW)

    reasons = " ".join(MailReport.objects.values_list("reason", flat=True))
    assert "User unknown" in reasons
    assert "connie" not in reasons.lower()
    assert "@" not in reasons


def test_copies_and_confirmations_leave_with_an_address_of_their_own_for_bounces(settings):
    settings.BOUNCE_ADDRESS = "bounces@mail.example.org"
    recipient, mail = make_recipient(), make_mail()

    copy = Writer(recipient.edition, recipient.mailing).message(
        recipient, to=recipient.supporter.email, first_name="Connie", at=NOW
    )
    confirmation = emails.confirm_mail(mail)

    assert copy.sender == f"bounces+{mark_of(recipient)}@mail.example.org"
    assert b"From: " in copy.content
    assert b"bounces+" not in copy.content
    assert confirmation.from_email == f"bounces+{mark(MAIL, mail.pk, to=mail.to)}@mail.example.org"
    assert "bounces" not in str(confirmation.message()["From"])


def test_mail_server_is_told_the_address_for_bounces_and_readers_see_the_organization(settings):
    settings.BOUNCE_ADDRESS = "bounces@mail.example.org"
    settings.EMAIL_BACKEND = "toolkit.emails.SmtpBackend"
    recipient, mail = make_recipient(), make_mail()
    with SmtpServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port

        send_due(at=NOW)
        send_some(at=NOW)

    senders = [command for command in server.commands if command.upper().startswith(b"MAIL")]
    assert mark(MAIL, mail.pk, to=mail.to).encode() in senders[0]
    assert mark_of(recipient).encode() in senders[1]
    for content in server.mails:
        assert b"<petitions@testserver.example>" in content
        assert b"bounces+" not in content


def test_without_an_address_for_bounces_the_sender_is_as_shown(settings):
    settings.BOUNCE_ADDRESS = ""
    mail = make_mail()

    assert emails.confirm_mail(mail).from_email == emails.confirm_mail(mail).message()["From"]
