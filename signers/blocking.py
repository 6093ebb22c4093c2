"""Mailboxes that stay blocked after their owner was erased: known only by a keyed digest, never by the address."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from signers.models import BlockedMailbox
from toolkit.email_addresses import mailbox_key


def keep_blocked(mailbox: str, *, at: datetime) -> None:
    """Refuses the mailbox for ever. Part of the caller's transaction."""
    newest = _digests(mailbox)[0]
    BlockedMailbox.objects.get_or_create(digest=newest, defaults={"at": at})


def blocked_among(mailboxes: Iterable[str]) -> set[str]:
    """Those of the mailboxes (keys, not addresses) that are refused. One query."""
    by_digest = {digest: mailbox for mailbox in mailboxes for digest in _digests(mailbox)}
    found = BlockedMailbox.objects.filter(digest__in=by_digest).values_list("digest", flat=True)
    return {by_digest[digest] for digest in found}


def unblock_address(address: str) -> bool:
    """Lets an erased and blocked address sign and get mail again; False where it wasn't blocked."""
    return bool(BlockedMailbox.objects.filter(digest__in=_digests(mailbox_key(address))).delete()[0])


def _digests(mailbox: str) -> list[str]:
    """The newest first; former secrets count as long as they are among the settings."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_digest(mailbox, secret) for secret in secrets]


def _digest(mailbox: str, secret: str) -> str:
    key = hashlib.blake2b(b"signers.blocking:" + secret.encode(), digest_size=64).digest()
    return hashlib.blake2b(mailbox.encode("utf-8", "surrogatepass"), key=key, digest_size=32).hexdigest()
