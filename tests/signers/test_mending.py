"""Choices that a former release wrote down while the tables were those of this one."""

import pytest

from signers.mending import mend
from signers.models import Consent, Subscription
from tests.factories import NOW, make_signature, make_supporter

pytestmark = pytest.mark.django_db


def choose(supporter, organization, granted):
    return Consent.objects.create(
        supporter=supporter,
        organization=organization,
        purpose="updates",
        granted=granted,
        wording="May we?",
        at=NOW,
        source="sign-form",
    )


@pytest.fixture
def signature():
    return make_signature(confirmed=True)


@pytest.fixture
def organization(signature):
    return signature.petition.campaign.organization


def test_yes_that_did_not_hold_holds_and_the_city_is_known(signature, organization):
    choose(signature.supporter, organization, False)
    choose(signature.supporter, organization, True)

    assert mend(at=NOW) == 1

    assert Subscription.objects.get().supporter == signature.supporter
    signature.supporter.refresh_from_db()
    assert signature.supporter.place == signature.petition.target.place


def test_no_that_did_not_hold_holds(signature, organization):
    choose(signature.supporter, organization, True)
    Subscription.objects.create(supporter=signature.supporter, organization=organization, since=NOW)
    choose(signature.supporter, organization, False)

    assert mend(at=NOW) == 1

    assert not Subscription.objects.exists()


def test_what_holds_is_left_alone(organization):
    yes, no = make_supporter(), make_supporter()
    for supporter, granted in ((no, True), (no, False), (yes, False), (yes, True)):
        choose(supporter, organization, granted)
    held = Subscription.objects.create(supporter=yes, organization=organization, since=NOW)

    assert mend(at=NOW) == 0

    assert Subscription.objects.get() == held
