"""Letting go of what signatures were compared by, and of the keys: after that nothing links them."""

from datetime import datetime

from fraud.models import Burst, Mark
from fraud.proof_of_work import forget_proofs
from signers import networks

AT_ONCE = 5_000


def forget(*, at: datetime) -> int:
    """Destroys keys, hashes and marks of 30 days ago and before; returns how many marks went.

    Clusters stay, as numbers and members, but nothing says any more what their signatures had in common.
    """
    networks.forget_keys(at=at)
    forget_proofs(at=at)
    before = networks.beginning(networks.oldest_week(at))
    forgotten = 0
    while ids := list(Mark.objects.filter(folded_at__lt=before).values_list("pk", flat=True)[:AT_ONCE]):
        forgotten += Mark.objects.filter(pk__in=ids).delete()[0]
    old = Burst.objects.filter(last_at__lt=before)
    old.filter(ended_at=None).update(ended_at=at)
    old.exclude(key="", label="").update(key="", label="")
    return forgotten
