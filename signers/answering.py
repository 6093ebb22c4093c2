"""Answering what people asked for by their address: who it is, and whether a mail leaves, is decided here."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from signers.blocking import blocked_among
from signers.confirming import locked_person
from signers.mail_limits import MailLimits
from signers.models import AddressChange, OutgoingMail, OwnPageRequest, Supporter
from toolkit.database_trouble import AWAY
from toolkit.email_addresses import mailbox_key

logger = logging.getLogger(__name__)

Message = OutgoingMail.Message
# Whoever they come from, no mailbox gets more requests to become somebody's new address.
CHANGES_TO_ONE_MAILBOX, WITHIN = 3, timedelta(days=1)


def answer(*, at: datetime, limit: int = 100) -> int:
    """Makes the mails that were asked for, and forgets the addresses typed; returns how many wishes were dealt with."""
    waiting = list(OwnPageRequest.objects.order_by("id").values_list("pk", flat=True)[:limit])
    return _answer_piecemeal(waiting, at) + _answer_address_changes(at, limit)


def _answer_piecemeal(ids: list[int], at: datetime) -> int:
    """All of them at once; where that fails, whichever is to blame is forgotten alone. Who typed it can do so again."""
    if not ids:
        return 0
    try:
        return _answer_requests(ids, at)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001 - one odd row must not hold up the others
        if len(ids) == 1:
            logger.error("Request %d could not be answered: %s", ids[0], type(error).__name__)
            return OwnPageRequest.objects.filter(pk=ids[0]).delete()[0]
    middle = len(ids) // 2
    return _answer_piecemeal(ids[:middle], at) + _answer_piecemeal(ids[middle:], at)


@transaction.atomic
def _answer_requests(ids: list[int], at: datetime) -> int:
    """A link to the own page goes to the address we have, never to the one that was typed."""
    requests = list(
        OwnPageRequest.objects.filter(pk__in=ids).select_for_update(skip_locked=True).order_by("id")
    )
    newest = {mailbox_key(request.email): request.pk for request in requests}
    supporters = _locked(newest)
    limits = MailLimits.load(supporters=[row.pk for row in supporters], signatures=[], at=at)
    OutgoingMail.objects.bulk_create(
        limits.new_mail_about(row, Message.OWN_PAGE, wish=newest[row.mailbox], to=row.email)
        for row in supporters
        if row.takes_mail and limits.allow_about(row, Message.OWN_PAGE)
    )
    return OwnPageRequest.objects.filter(pk__in=[request.pk for request in requests]).delete()[0]


def _locked(mailboxes: Iterable[str]) -> list[Supporter]:
    rows = Supporter.objects.filter(mailbox__in=list(mailboxes)).order_by("id")
    return list(rows.select_for_update(of=("self",), no_key=True))


def _answer_address_changes(at: datetime, limit: int) -> int:
    waiting = AddressChange.objects.filter(answered_at=None).order_by("id")
    return sum(_answer_or_give_up(pk, at) for pk in list(waiting.values_list("pk", flat=True)[:limit]))


def _answer_or_give_up(pk: int, at: datetime) -> bool:
    """One odd row must not hold up those behind it: it is never asked about again."""
    try:
        return _answer_address_change(pk, at)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001
        logger.error("Change of address %d could not be answered: %s", pk, type(error).__name__)
        return bool(AddressChange.objects.filter(pk=pk).update(answered_at=at))


@transaction.atomic
def _answer_address_change(pk: int, at: datetime) -> bool:
    change = AddressChange.objects.filter(pk=pk).first()
    supporter = locked_person(change.supporter_id) if change else None
    # Once more, now that nobody else can change it.
    change = AddressChange.objects.filter(pk=pk, answered_at=None).first()
    if change is None or supporter is None:
        return False
    if supporter.takes_mail and _may_be_asked(change, at):
        limits = MailLimits.load(supporters=[supporter.pk], signatures=[], at=at)
        if limits.allow_about(supporter, Message.NEW_ADDRESS):
            mail = limits.new_mail_about(supporter, Message.NEW_ADDRESS, wish=change.pk, to=change.email)
            mail.save(force_insert=True)
    AddressChange.objects.filter(pk=pk).update(answered_at=at)
    return True


def _may_be_asked(change: AddressChange, at: datetime) -> bool:
    """Whether the owner of the new mailbox lets us write there, and wasn't asked too often."""
    owner = Supporter.objects.filter(mailbox=change.mailbox).first()
    if owner is not None and not owner.takes_mail:
        return False
    asked = AddressChange.objects.filter(mailbox=change.mailbox, asked_at__gt=at - WITHIN, pk__lte=change.pk)
    return asked.count() <= CHANGES_TO_ONE_MAILBOX and not blocked_among([change.mailbox])
