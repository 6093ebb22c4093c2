"""Closing, winning, reopening, taking off the site."""

from datetime import datetime, timedelta

import pytest

from campaigns.models import Campaign
from petitions.closing import WrongState, close, reopen, schedule_closing, unpublish
from petitions.models import Petition
from petitions.publishing import publish
from staff.models import AuditEntry


@pytest.fixture
def live(campaign: Campaign, petition: Petition, now: datetime) -> Petition:
    publish(campaign=campaign, at=now)
    petition.refresh_from_db()
    return petition


def test_closed_petition_takes_no_signatures_and_stays_public(live: Petition, now: datetime) -> None:
    close(petition=live, actor=None, at=now, note="Thank you all.")

    assert live.state(now) == "closed"
    assert not Petition.objects.open(at=now).exists()
    assert Petition.objects.public(at=now).exists()
    assert AuditEntry.objects.filter(action="closed", reason="Thank you all.").exists()


def test_won_petition_says_so(live: Petition, now: datetime) -> None:
    close(petition=live, actor=None, at=now, won=True)

    assert live.state(now) == "won"


def test_closing_twice_is_told(live: Petition, now: datetime) -> None:
    close(petition=live, actor=None, at=now)

    with pytest.raises(WrongState, match="closed already"):
        close(petition=live, actor=None, at=now)


def test_a_draft_cannot_be_closed(petition: Petition, now: datetime) -> None:
    with pytest.raises(WrongState, match="not live"):
        close(petition=petition, actor=None, at=now)


def test_reopening_needs_a_reason(live: Petition, now: datetime) -> None:
    close(petition=live, actor=None, at=now, won=True)

    with pytest.raises(WrongState, match="why"):
        reopen(petition=live, actor=None, at=now, reason=" ")
    reopen(petition=live, actor=None, at=now, reason="The mayor changed her mind.")

    assert live.state(now) == "open"
    assert AuditEntry.objects.filter(action="reopened", reason="The mayor changed her mind.").exists()


def test_petition_closes_by_itself_at_its_moment(live: Petition, now: datetime) -> None:
    tomorrow = now + timedelta(days=1)
    schedule_closing(petition=live, actor=None, at=now, closes_at=tomorrow)

    assert live.state(now) == "open"
    assert live.state(tomorrow) == "closed"
    assert not Petition.objects.open(at=tomorrow).exists()


def test_reopening_lifts_a_closing_date_that_has_passed(live: Petition, now: datetime) -> None:
    schedule_closing(petition=live, actor=None, at=now, closes_at=now + timedelta(days=1))
    later = now + timedelta(days=2)

    reopen(petition=live, actor=None, at=later, reason="One more week.")

    assert live.state(later) == "open"
    assert live.closes_at is None


def test_closing_date_in_the_past_is_refused(live: Petition, now: datetime) -> None:
    with pytest.raises(WrongState, match="future"):
        schedule_closing(petition=live, actor=None, at=now, closes_at=now)


def test_unpublished_petition_can_come_back(campaign: Campaign, live: Petition, now: datetime) -> None:
    unpublish(petition=live, actor=None, at=now, reason="Wrong name.")

    assert not Petition.objects.public(at=now).exists()
    publish(campaign=campaign, at=now)
    assert Petition.objects.public(at=now).exists()
    assert live.versions.count() == 1


def test_closed_petition_taken_off_the_site_can_come_back(
    campaign: Campaign, live: Petition, now: datetime
) -> None:
    close(petition=live, actor=None, at=now, won=True)
    unpublish(petition=live, actor=None, at=now, reason="Wrong name.")

    reopen(petition=live, actor=None, at=now, reason="The name is right now.")
    publish(campaign=campaign, at=now)

    live.refresh_from_db()
    assert live.state(now) == "open"


def test_what_was_never_closed_is_published_rather_than_reopened(petition: Petition, now: datetime) -> None:
    with pytest.raises(WrongState, match="Publish it"):
        reopen(petition=petition, actor=None, at=now, reason="Why not.")


def test_unpublishing_needs_a_reason(live: Petition, now: datetime) -> None:
    with pytest.raises(WrongState, match="why"):
        unpublish(petition=live, actor=None, at=now, reason="")
