"""What follows from a bounce and a complaint, and from how many."""

from datetime import timedelta

import pytest
from django.urls import reverse

from mailings.audience import audience_of
from mailings.models import MailReport, Recipient
from mailings.reports import KEPT, arrived, forget_reports, report
from mailings.sending import send_some
from signers.mail_stops import let_through
from signers.models import Consent, Subscription
from signers.removing import CannotBeDone
from signers.sending import send_due
from staff.models import AuditEntry
from tests.admin_forms import client_of
from tests.factories import (
    NOW,
    make_edition,
    make_mail,
    make_mailing,
    make_recipient,
    make_signature,
    make_staff,
    make_subscription,
    make_supporter,
)
from tests.threads import in_parallel

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def told(supporter, kind, *, recipient=None, at=NOW, event="", reason=""):
    number = MailReport.objects.count()
    return report(
        supporter_id=supporter.pk,
        recipient_id=recipient.pk if recipient else None,
        kind=kind,
        reason=reason,
        event=event or f"event {number}",
        at=at,
    )


def copies(number, supporter):
    """Copies of so many mailings to one person."""
    first = make_recipient(supporter=supporter)
    campaign = first.mailing.campaign
    return [
        first,
        *(
            make_recipient(make_edition(make_mailing(campaign, starts_at=NOW)), supporter=supporter)
            for _ in range(number - 1)
        ),
    ]


def again(row):
    row.refresh_from_db()
    return row


def test_hard_bounce_stops_all_mail_at_once():
    mail, recipient = make_mail(), make_recipient()
    Recipient.objects.update(supporter=mail.supporter)

    told(mail.supporter, "hard")

    assert not again(mail.supporter).takes_mail
    assert again(mail).dropped_at == NOW
    assert again(recipient).dropped == "stopped"


def test_complaint_stops_mail_and_ends_updates_with_a_consent_record():
    recipient = make_recipient()

    told(recipient.supporter, "complaint", recipient=recipient)

    assert again(recipient.supporter).stopped == "complained"
    assert not Subscription.objects.filter(supporter=recipient.supporter).exists()
    assert Consent.objects.filter(granted=False, source="complaint").count() == 1
    assert again(recipient).complained_at == NOW


def test_complaint_about_a_confirmation_ends_all_updates():
    recipient = make_recipient()

    told(recipient.supporter, "complaint")

    assert not Subscription.objects.filter(supporter=recipient.supporter).exists()


def test_complaint_takes_the_place_of_a_bounce_and_not_the_other_way_round():
    one, other = make_supporter(), make_supporter()

    told(one, "hard")
    told(one, "complaint", at=NOW + DAY)
    told(other, "complaint")
    told(other, "hard", at=NOW + DAY)

    assert (again(one).stopped, one.stopped_at) == ("complained", NOW)
    assert (again(other).stopped, other.stopped_at) == ("complained", NOW)


def test_third_soft_bounce_in_a_row_stops_mail():
    supporter = make_supporter()
    first, second, third = copies(3, supporter)

    told(supporter, "soft", recipient=first)
    told(supporter, "soft", recipient=second, at=NOW + DAY)
    before = again(supporter).takes_mail
    told(supporter, "soft", recipient=third, at=NOW + 2 * DAY)

    assert before
    assert again(supporter).stopped == "bounced"


def test_several_reports_about_one_copy_are_one_bounce():
    recipient = make_recipient()

    for number in range(5):
        told(recipient.supporter, "soft", recipient=recipient, at=NOW + number * DAY)

    assert again(recipient.supporter).soft_bounces == 1


def test_copy_that_arrived_between_ends_the_row():
    supporter = make_supporter()
    first, second, between, third = copies(4, supporter)
    told(supporter, "soft", recipient=first)
    told(supporter, "soft", recipient=second, at=NOW + DAY)
    sent_at = NOW + 2 * DAY
    Recipient.objects.filter(pk=between.pk).update(handed_over_at=sent_at, sent_at=sent_at)

    told(supporter, "soft", recipient=third, at=NOW + 7 * DAY)

    assert again(supporter).soft_bounces == 1


def test_copy_that_came_back_days_after_it_was_sent_has_not_arrived():
    supporter = make_supporter()
    first, second = copies(2, supporter)
    told(supporter, "soft", recipient=first)
    sent_at = NOW + DAY
    Recipient.objects.filter(pk=second.pk).update(handed_over_at=sent_at, sent_at=sent_at)

    told(supporter, "soft", recipient=second, at=NOW + 6 * DAY)

    assert again(supporter).soft_bounces == 2


def test_confirming_a_signature_ends_the_row():
    supporter = make_supporter()
    told(supporter, "soft")
    told(supporter, "soft")
    make_signature(supporter=supporter, confirmed=True, at=NOW + DAY)

    told(supporter, "soft", at=NOW + 2 * DAY)

    assert again(supporter).soft_bounces == 1


def test_known_arrival_ends_the_row():
    supporter = make_supporter()
    told(supporter, "soft")
    told(supporter, "soft")

    arrived(supporter_id=supporter.pk)
    told(supporter, "soft")

    assert again(supporter).takes_mail


def test_same_event_counts_once():
    supporter = make_supporter()

    answers = [told(supporter, "soft", event="one"), told(supporter, "soft", event="one")]

    assert answers == [True, False]
    assert MailReport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_same_event_told_at_the_same_time_counts_once():
    supporter = make_supporter()

    in_parallel((lambda: told(supporter, "soft", event="one"), 4))

    assert MailReport.objects.count() == 1
    assert again(supporter).soft_bounces == 1


def test_copy_of_somebody_else_is_not_marked():
    recipient = make_recipient()

    told(make_supporter(), "hard", recipient=recipient)

    assert again(recipient).bounced_at is None


def test_nobody_is_nobody():
    assert not report(supporter_id=2**40, kind="hard", event="x", at=NOW)


@pytest.mark.parametrize("reason", ["", "\0\ud800 \r\nBcc: x@example.org", "@" * 5000, "9" * 5000, "\u202e"])
def test_any_reason_can_be_kept(reason):
    told(make_supporter(), "hard", reason=reason)

    assert "example.org" not in MailReport.objects.get().reason


def test_whoever_is_stopped_gets_neither_confirmation_nor_mailing_and_is_in_no_audience(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail, recipient = make_mail(), make_recipient()
    mailing = make_mailing(
        recipient.mailing.campaign, audience="everybody", others="campaign-page", quiet_hours=0
    )
    before = audience_of(mailing, at=NOW).size()
    for supporter in (mail.supporter, recipient.supporter):
        type(supporter).objects.filter(pk=supporter.pk).update(stopped_at=NOW, stopped="bounced")

    send_due(at=NOW)
    send_some(at=NOW)

    assert again(mail).dropped_at == NOW
    assert again(recipient).dropped == "stopped"
    assert (before, audience_of(mailing, at=NOW).size()) == (1, 0)


def test_reports_are_forgotten_after_ninety_days_and_what_followed_stays():
    supporter = make_supporter()
    told(supporter, "hard")
    told(make_supporter(), "hard", at=NOW + DAY)

    forgotten = forget_reports(at=NOW + KEPT)

    assert forgotten == 1
    assert not again(supporter).takes_mail


# --- Staff -------------------------------------------------------------------------------------------------


def test_staff_let_mail_through_again_with_a_reason_that_is_kept():
    supporter = make_supporter()
    told(supporter, "hard")
    actor = make_staff()

    done = let_through(supporter=supporter, actor=actor, at=NOW + DAY, reason="Called us.")

    assert done
    assert again(supporter).takes_mail
    entry = AuditEntry.objects.get(action="mail let through")
    assert (entry.reason, entry.details["stopped"]) == ("Called us.", "bounced")


def test_nothing_to_let_through_is_no_news():
    assert not let_through(supporter=make_supporter(), actor=None, at=NOW, reason="To be sure.")
    assert not AuditEntry.objects.exists()


def test_letting_through_needs_a_reason():
    with pytest.raises(CannotBeDone):
        let_through(supporter=make_supporter(), actor=None, at=NOW, reason=" ")


def test_after_letting_through_soft_bounces_count_anew():
    supporter = make_supporter()
    for _ in range(3):
        told(supporter, "soft")
    let_through(supporter=supporter, actor=None, at=NOW + DAY, reason="Mailbox was full.")

    told(supporter, "soft", at=NOW + 2 * DAY)

    assert again(supporter).soft_bounces == 1


def test_page_of_a_supporter_says_why_mail_is_stopped_and_what_came_back():
    recipient = make_recipient()
    make_subscription(make_supporter(), recipient.mailing.campaign.organization)
    told(recipient.supporter, "hard", recipient=recipient, reason="550 5.1.1 User unknown")
    staff = client_of(make_staff(is_superuser=True))

    page = staff.get(
        reverse("admin:signers_supporter_change", args=[recipient.supporter.pk])
    ).content.decode()

    for text in ("Mail comes back", "User unknown", str(recipient.mailing), "Let mail through again"):
        assert text in page


def test_mail_is_let_through_from_the_page_by_who_may():
    supporter = make_supporter()
    told(supporter, "hard")
    url = reverse("admin:signers_supporter_let_through", args=[supporter.pk])

    forbidden = client_of(make_staff()).post(url, {"reason": "Called us."})
    unexplained = client_of(make_staff(is_superuser=True)).post(url, {"reason": ""})
    still = again(supporter).stopped
    client_of(make_staff(is_superuser=True)).post(url, {"reason": "Called us."})

    assert (forbidden.status_code, unexplained.status_code, still) == (403, 422, "bounced")
    assert again(supporter).takes_mail
