"""Taking what was typed."""

from signers.models import Submission, Supporter
from signers.signing import REFERRAL_ALPHABET, new_referral_code, submit
from tests.factories import NOW, make_petition, make_sign_input


def test_submitting_is_one_insert(db, django_assert_num_queries):
    petition = make_petition()
    typed = make_sign_input(comment="Because.", evidence=["typo"], referral="abcdefghjk")

    with django_assert_num_queries(1) as queries:
        submission = submit(
            petition_id=petition.pk, version_id=petition.current_version_id, cleaned=typed, at=NOW
        )

    assert queries[0]["sql"].startswith("INSERT")
    stored = Submission.objects.get()
    assert stored == submission
    assert (stored.first_name, stored.email, stored.received_at) == ("Connie", "connie@example.org", NOW)
    assert (stored.comment, stored.evidence, stored.referral) == ("Because.", ["typo"], "abcdefghjk")
    assert stored.referral_code == typed.referral_code


def test_submitting_looks_nobody_up(db):
    submit(petition_id=1, version_id=1, cleaned=make_sign_input(), at=NOW)
    submit(petition_id=1, version_id=1, cleaned=make_sign_input(), at=NOW)

    assert Submission.objects.count() == 2
    assert not Supporter.objects.exists()


def test_referral_codes_are_random_and_easy_to_copy():
    codes = {new_referral_code() for _ in range(100)}

    assert len(codes) == 100
    assert all(len(code) == 10 and set(code) <= set(REFERRAL_ALPHABET) for code in codes)
    assert not set(REFERRAL_ALPHABET) & set("il1o0")
