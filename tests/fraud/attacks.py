"""Signatures that come in together, and what the worker makes of them."""

from datetime import timedelta

from fraud.bursts import watch
from fraud.judging import BurstJudge
from signers.folding import fold
from signers.models import Submission
from signers.signing import new_referral_code
from tests.factories import NOW

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(number):
    """A word of its own for each number, without digits, that can be said."""
    return "".join(LETTERS[number // 26**place % 26] + "aeo"[number // 3**place % 3] for place in range(4))


def sign_in(petition, number, *, first=0, at=NOW, every=timedelta(seconds=1), **fields):
    """So many people who have nothing in common but what `fields` say; numbered from `first`."""
    return Submission.objects.bulk_create(
        Submission(
            petition_id=petition.pk,
            version_id=petition.current_version_id,
            updates=False,
            wording="May we write to you? Yes / No",
            referral_code=new_referral_code(),
            **{
                "first_name": word(each).title(),
                "last_name": word(each + 7).title(),
                "email": f"{word(each)}.{word(each + 7)}@gmail.com",
                "received_at": at + (each - first) * every,
                "network": f"near{each}.wide{each}",
            }
            | {name: value(each) if callable(value) else value for name, value in fields.items()},
        )
        for each in range(first, first + number)
    )


def fold_all(at):
    while fold(at=at, limit=500, judge=BurstJudge()):
        pass


def fold_and_watch(at):
    fold_all(at)
    return watch(at=at)
