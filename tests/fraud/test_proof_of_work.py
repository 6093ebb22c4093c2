"""A sum for browsers: signatures without it, or with somebody else's, are held, and none is refused."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import altcha
import pytest
from django.test import Client

from campaigns.models import Campaign
from fraud import proof_of_work
from fraud.judging import BurstJudge
from fraud.models import UsedProof
from fraud.proof_of_work import EXPIRED, FORGED, MISSING, REPLAYED, challenge, forget_proofs, read, verdicts
from petitions.models import Petition
from signers.folding import fold
from signers.models import Signature, Submission
from signers.removing import release
from tests.factories import NOW, make_petition, make_staff, make_submission

pytestmark = pytest.mark.django_db
OURS = {"sec-fetch-site": "same-origin"}
TYPED = {"first_name": "Connie", "last_name": "Reed", "email": "connie@example.org", "updates": "no"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_of_work, "COST", 1)
    monkeypatch.setattr(proof_of_work, "FEWEST_TRIES", 1)
    monkeypatch.setattr(proof_of_work, "MOST_TRIES", 4)


@pytest.fixture
def petition() -> Petition:
    """Whose campaign asks for proofs."""
    petition = make_petition()
    Campaign.objects.update(asks_proof=True)
    return petition


def solved(asked: dict[str, Any] | None = None) -> str:
    asked = asked or challenge(at=NOW)
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(asked))
    assert solution is not None
    return base64.b64encode(
        json.dumps({"challenge": asked, "solution": solution.to_dict()}).encode()
    ).decode()


def changed(proof: str, change: Callable[[dict[str, Any]], Any]) -> str:
    payload = json.loads(base64.b64decode(proof))
    change(payload)
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_a_solution_lets_a_signature_go_on(petition: Petition) -> None:
    submission = make_submission(petition, proof=solved())

    assert verdicts([submission], at=NOW) == {}


def test_none_is_a_reason_to_hold(petition: Petition) -> None:
    submission = make_submission(petition)

    assert verdicts([submission], at=NOW) == {submission.pk: MISSING}


def test_nothing_is_asked_where_the_campaign_does_not_ask(django_assert_num_queries: Any) -> None:
    submission = make_submission(make_petition())

    with django_assert_num_queries(1):
        assert verdicts([submission], at=NOW) == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload["challenge"].update(signature="0" * 64),
        lambda payload: payload["challenge"]["parameters"].update(cost=0),
        lambda payload: payload["challenge"]["parameters"]["data"].update(until=2_000_000_000),
        lambda payload: payload["challenge"]["parameters"].update(keySignature=None),
        lambda payload: payload["solution"].update(derivedKey="00" * 32),
        lambda payload: payload["solution"].update(derivedKey=None),
        lambda payload: payload.update(challenge=[]),
    ],
)
def test_what_was_changed_is_forged(petition: Petition, change: Callable[[dict[str, Any]], Any]) -> None:
    submission = make_submission(petition, proof=changed(solved(), change))

    assert verdicts([submission], at=NOW) == {submission.pk: FORGED}


@pytest.mark.parametrize(
    "sent",
    [
        "x",
        "=" * 999,
        "\udfff",
        "é",
        base64.b64encode(b"[" * 700).decode(),
        base64.b64encode(b"9" * 740).decode(),
        base64.b64encode(b'{"challenge": {"parameters": 1}, "solution": 2}').decode(),
        base64.b64encode(b"\xff\x00").decode(),
    ],
)
def test_odd_proofs_are_none(sent: str) -> None:
    assert read(sent) is None


def test_what_we_signed_for_something_else_is_none(settings: Any) -> None:
    asked = altcha.create_challenge("SHA-256", 1, counter=1, hmac_secret=settings.SECRET_KEY).to_dict()

    assert read(solved(asked)) is None


def test_a_solution_is_good_for_twenty_minutes(petition: Petition) -> None:
    in_time = make_submission(petition, proof=solved(), received_at=NOW + timedelta(minutes=20))
    late = make_submission(petition, proof=solved(), received_at=NOW + timedelta(minutes=21))

    # However late the worker comes.
    assert verdicts([in_time, late], at=NOW + timedelta(hours=5)) == {late.pk: EXPIRED}


def test_a_solution_serves_one_signature(petition: Petition) -> None:
    proof = solved()
    first, second = (make_submission(petition, proof=proof) for _ in range(2))

    assert verdicts([second, first], at=NOW) == {second.pk: REPLAYED}
    third = make_submission(petition, proof=proof)
    assert verdicts([third], at=NOW) == {third.pk: REPLAYED}


def test_the_same_submission_may_be_judged_again(petition: Petition) -> None:
    submission = make_submission(petition, proof=solved())

    assert verdicts([submission], at=NOW) == verdicts([submission], at=NOW) == {}


def test_a_former_secret_is_still_good(petition: Petition, settings: Any) -> None:
    proof = solved()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-new-one" * 5, [settings.SECRET_KEY]

    assert read(proof) is not None
    settings.SECRET_KEY_FALLBACKS = []
    assert read(proof) is None


def test_used_ones_are_forgotten_when_nobody_could_use_them(petition: Petition) -> None:
    verdicts([make_submission(petition, proof=solved())], at=NOW)

    assert forget_proofs(at=NOW + timedelta(days=7)) == 0
    assert forget_proofs(at=NOW + timedelta(days=8)) == 1
    assert not UsedProof.objects.exists()


def test_signing_without_javascript_is_held_until_staff_release_it(petition: Petition) -> None:
    client = Client()

    with_form = client.get(petition.get_absolute_url()).content.decode()
    answer = client.post(f"{petition.get_absolute_url()}sign/", TYPED, headers=OURS)
    thanks = client.get(answer["Location"]).content.decode()
    fold(at=NOW, judge=BurstJudge())

    assert "You can sign without JavaScript." in with_form
    assert answer.status_code == 303
    assert "held" not in thanks
    signature = Signature.objects.get()
    assert signature.held_at is not None
    assert signature.evidence == [*signature.evidence[:-1], MISSING]
    release(signature=signature, actor=make_staff(), at=NOW, reason="A neighbor")
    signature.refresh_from_db()
    assert signature.held_at is None


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_the_post_keeps_what_the_browser_worked_out(petition: Petition, form: str) -> None:
    proof = solved()
    client = Client()
    fields: Any = TYPED | {"proof": proof}
    if form.endswith("urlencoded"):
        client.post(f"{petition.get_absolute_url()}sign/", urlencode(fields), content_type=form, headers=OURS)
    else:
        client.post(f"{petition.get_absolute_url()}sign/", fields, headers=OURS)

    assert Submission.objects.get().proof == proof


@pytest.mark.parametrize("sent", ["x" * 100_000, "\x00\udfff", "a\r\nb"])
def test_odd_proofs_are_taken_and_held(petition: Petition, sent: str) -> None:
    answer = Client().post(
        f"{petition.get_absolute_url()}sign/",
        TYPED | {"proof": sent.encode("utf-8", "replace").decode()},
        headers=OURS,
    )

    assert answer.status_code == 303
    fold(at=NOW, judge=BurstJudge())
    assert FORGED in Signature.objects.get().evidence


def test_the_page_is_the_same_for_everybody(petition: Petition) -> None:
    first, second = (Client().get(petition.get_absolute_url()) for _ in range(2))

    assert first["ETag"] == second["ETag"]
    assert first["Cache-Control"].startswith("public")
    assert "proof-of-work.js" in first.content.decode()


def test_the_page_has_nothing_of_it_unless_asked() -> None:
    page = Client().get(make_petition().get_absolute_url()).content.decode()

    assert "proof" not in page


def test_the_sum_is_nobodys_and_never_stored(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        first, second = (Client().get("/proof-of-work.json") for _ in range(2))

    assert first["Cache-Control"] == "no-store"
    assert not first.cookies
    assert first.json() != second.json()
    assert Client().post("/proof-of-work.json").status_code == 405
