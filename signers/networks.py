"""Where a signature came from, as keyed hashes that nobody can turn back and that forget after 30 days.

A request needs no query for it: key and list of shared networks are remembered by each process for a minute.
"""

import hashlib
import ipaddress
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db import Error, transaction

from signers.models import NetworkKey, SharedNetwork, Submission

logger = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Range = tuple[int, int, int]  # bits of its addresses, those that may differ, and the others as a number
# One subscriber, and the neighborhood they can easily move about in: bits of an address that say which, of how many.
NEAR, WIDE = {32: 32, 128: 64}, {32: 24, 128: 48}
# In place of the hashes, where staff know the network to be that of many.
SHARED = "shared"
HASH_BYTES = 8
REMEMBERED = 60.0  # seconds
TRIED_AGAIN = 5.0  # seconds, while the database is away
# A week's hashes go with its key, so the last of them after 24 days.
KEPT = timedelta(days=30)


def range_of(network: Network) -> Range:
    free = network.max_prefixlen - network.prefixlen
    return network.max_prefixlen, free, int(network.network_address) >> free


# Nobody's on the internet: where such an address comes in, we see a proxy and no visitor. (RFC 1918, 3927, 4193, 6598)
INSIDE = tuple(
    range_of(ipaddress.ip_network(text))
    for text in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
        "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip


@dataclass
class Known:
    """What one process knows: keys by week, None for one that could not be had, and the shared networks."""

    keys: dict[date, bytes | None] = field(default_factory=dict)
    shared: tuple[Range, ...] = INSIDE
    good_until: float = 0.0  # of the monotonic clock

    def is_good(self, week: date) -> bool:
        return week in self.keys and time.monotonic() < self.good_until


known = Known()
_refreshing = threading.Lock()


def seen_from(address: str, *, at: datetime) -> str:
    """`near.wide` as keyed hashes; `shared` from a network of many; "" where nothing can be said.

    Two queries a minute and process. Whatever is wrong with the database, signing goes on without.
    """
    try:
        # A quarter of what `ipaddress` takes, and this is in every sign post.
        packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return ""
    bits, number = 8 * len(packed), int.from_bytes(packed, "big")
    key = key_at(at)
    for of_bits, free, prefix in known.shared:
        if of_bits == bits and number >> free == prefix:
            return SHARED
    return f"{_of(number, bits, NEAR[bits], key)}.{_of(number, bits, WIDE[bits], key)}" if key else ""


def key_at(at: datetime) -> bytes | None:
    """This week's key; None where it cannot be had."""
    week = week_of(at)
    if not known.is_good(week):
        _refresh(week)
    return known.keys.get(week)


def hasher(key: bytes) -> Callable[[str], str]:
    """Hashes any text but "", which stays as it is."""
    keyed = hashlib.blake2b(b"text:", key=key, digest_size=HASH_BYTES)

    def hashed(text: str) -> str:
        if not text:
            return ""
        hashing = keyed.copy()
        hashing.update(text.encode("utf-8", "surrogatepass"))
        return hashing.hexdigest()

    return hashed


def week_of(at: datetime) -> date:
    """Its Monday."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def network_of(text: str) -> Network:
    """A range or an address as typed by staff; raises ValueError with a message for them."""
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError("Enter a range such as 192.0.2.0/24 or 2001:db8::/32, or one address.") from None
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped and found.prefixlen >= 96:
        return ipaddress.ip_network(f"{mapped}/{found.prefixlen - 96}", strict=False)
    return found


def _of(number: int, bits: int, kept: int, key: bytes) -> str:
    said = b"%d/%d:%d" % (bits, kept, number >> (bits - kept))
    return hashlib.blake2b(said, key=key, digest_size=HASH_BYTES).hexdigest()


def _refresh(week: date) -> None:
    """One thread asks; the others go on with what is known, or wait where that is nothing."""
    if not _refreshing.acquire(blocking=week not in known.keys):
        return
    try:
        if known.is_good(week):
            return
        shared = SharedNetwork.objects.values_list("addresses", flat=True)
        known.shared = (*INSIDE, *(range_of(network_of(addresses)) for addresses in shared))
        # Other weeks' keys are let go of, too.
        known.keys = {week: known.keys.get(week) or key_of(week)}
        known.good_until = time.monotonic() + REMEMBERED
    except (Error, ValueError) as error:
        # Read-only, say, or a range that was written past the admin's form. Where signatures come from is not known
        # meanwhile.
        logger.warning("No key for networks: %s", type(error).__name__)
        known.keys = {week: known.keys.get(week)}
        known.good_until = time.monotonic() + TRIED_AGAIN
    finally:
        _refreshing.release()


def key_of(week: date) -> bytes:
    """The key of a week, made where it is new; of several at once one is made, and all get the same."""
    found = NetworkKey.objects.filter(week=week).values_list("key", flat=True).first()
    if found is None:
        with transaction.atomic():
            NetworkKey.objects.bulk_create(
                [NetworkKey(week=week, key=secrets.token_bytes(32))], ignore_conflicts=True
            )
        found = NetworkKey.objects.values_list("key", flat=True).get(week=week)
    return bytes(found)


def forget_keys(*, at: datetime) -> int:
    """Makes next week's key ahead of time and destroys those of 30 days ago; returns how many.

    With a key go the hashes made with it, of what was set aside; upper apps let go of theirs by `oldest_week`.
    """
    key_of(week_of(at + timedelta(days=7)))
    oldest = oldest_week(at)
    Submission.objects.filter(received_at__lt=beginning(oldest)).exclude(network="").update(network="")
    return NetworkKey.objects.filter(week__lt=oldest).delete()[0]


def oldest_week(at: datetime) -> date:
    """The first week whose key and hashes may still be there."""
    return week_of(at - KEPT) + timedelta(days=7)


def beginning(week: date) -> datetime:
    return datetime(week.year, week.month, week.day, tzinfo=UTC)
