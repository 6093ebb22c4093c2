"""Publishing: atomic, idempotent, and never behind a signer's back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from campaigns.models import Campaign
from petitions import publishing
from petitions.closing import close
from petitions.models import Letter, Petition, Tally, Version
from petitions.publishing import NotPublishable, Published, ReasonNeeded, ReviewOutdated, publish, review
from signers.models import Signature, Supporter
from staff.models import AuditEntry


def sign(petition: Petition, now: datetime) -> Signature:
    petition.refresh_from_db()
    supporter = Supporter.objects.create(
        mailbox="connie@people.example", email="connie@people.example", created_at=now
    )
    return Signature.objects.create(
        petition=petition,
        supporter=supporter,
        version_id=petition.current_version_id,
        signed_at=now,
        first_name="Connie",
        last_name="Rivera",
        email="connie@people.example",
        referral_code="abcdefghjk",
    )


def test_publishing_gives_every_petition_a_version_and_a_page(
    campaign: Campaign, petition: Petition, second: Petition, now: datetime
) -> None:
    done = publish(campaign=campaign, at=now)

    assert done == Published(new=2, changed=0, unchanged=0, went_live=2)
    petition.refresh_from_db()
    assert petition.is_open(now)
    assert petition.current_version is not None
    assert petition.current_version.number == 1
    assert Tally.objects.filter(count=0).count() == 2


def test_publishing_again_changes_nothing(campaign: Campaign, petition: Petition, now: datetime) -> None:
    publish(campaign=campaign, at=now)
    entries = AuditEntry.objects.count()

    done = publish(campaign=campaign, at=now + timedelta(hours=1))

    assert done == Published(new=0, changed=0, unchanged=1, went_live=0)
    assert Version.objects.count() == 1
    assert AuditEntry.objects.count() == entries


def test_only_what_changed_gets_a_new_version(
    campaign: Campaign, petition: Petition, second: Petition, now: datetime
) -> None:
    publish(campaign=campaign, at=now)
    petition.refresh_from_db()
    petition.headline = "Sundays for us"
    petition.save()

    done = publish(campaign=campaign, at=now)

    assert (done.changed, done.unchanged) == (1, 1)
    assert list(petition.versions.values_list("number", flat=True)) == [2, 1]


def test_one_mistake_keeps_all_from_being_published(
    campaign: Campaign, letter: Letter, petition: Petition, second: Petition, now: datetime
) -> None:
    letter.body += "[^gone]"
    letter.save()

    with pytest.raises(NotPublishable) as stopped:
        publish(campaign=campaign, at=now)

    assert [str(problem) for problem in stopped.value.problems] == [
        "Demand letter, body: No source has the key “gone”."
    ]
    assert Version.objects.count() == 0
    assert not Petition.objects.exclude(live_at=None).exists()


def test_a_failure_in_the_middle_changes_nothing(
    campaign: Campaign, petition: Petition, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(publishing, "put_live", fail)

    with pytest.raises(RuntimeError):
        publish(campaign=campaign, at=now)

    assert Version.objects.count() == 0


def test_a_campaign_without_letters_says_what_is_missing(campaign: Campaign) -> None:
    assert [problem.place for problem in review(campaign).errors] == ["Letters"]


def test_a_campaign_without_targets_says_what_is_missing(campaign: Campaign, letter: Letter) -> None:
    assert [problem.place for problem in review(campaign).errors] == ["Targets"]


def test_unused_sources_are_a_warning(
    campaign: Campaign, letter: Letter, petition: Petition, now: datetime
) -> None:
    letter.body = "Nothing cited."
    letter.save()

    found = review(campaign)

    assert found.errors == []
    assert "No letter cites “ferry-2026”." in [problem.message for problem in found.warnings]


def test_review_shows_what_changes_word_by_word(
    campaign: Campaign, letter: Letter, petition: Petition, now: datetime
) -> None:
    publish(campaign=campaign, at=now)
    letter.statement = "Open the library on **Saturdays**.[^hours]"
    letter.save()

    change = review(campaign).changes[0]

    statement = next(part for part in change.differences if part.label == "Statement")
    assert statement.words == [
        ("same", "Open the library on "),
        ("removed", "Sundays."),
        ("added", "Saturdays."),
    ]


def test_signed_statement_changes_only_with_a_reason(
    campaign: Campaign, letter: Letter, petition: Petition, now: datetime
) -> None:
    publish(campaign=campaign, at=now)
    sign(petition, now)
    letter.statement = "Open it daily."
    letter.save()

    with pytest.raises(ReasonNeeded):
        publish(campaign=campaign, at=now, reason="  ")
    publish(campaign=campaign, at=now, reason="The council moved the date.")

    newest = petition.versions.first()
    assert newest is not None
    assert newest.reason == "The council moved the date."
    assert AuditEntry.objects.filter(action="published", reason="The council moved the date.").count() == 1


def test_unsigned_statement_changes_without_a_reason(
    campaign: Campaign, letter: Letter, petition: Petition, now: datetime
) -> None:
    publish(campaign=campaign, at=now)
    letter.statement = "Open it daily."
    letter.save()

    assert publish(campaign=campaign, at=now).changed == 1


def test_signature_keeps_the_version_it_signed(
    campaign: Campaign, letter: Letter, petition: Petition, now: datetime
) -> None:
    publish(campaign=campaign, at=now)
    signature = sign(petition, now)
    letter.statement = "Open it daily."
    letter.save()

    publish(campaign=campaign, at=now, reason="Clearer.")

    signature.refresh_from_db()
    assert signature.version.number == 1
    assert signature.version.statement == "Open the library on Sundays."


def test_text_changed_after_the_review_is_not_published(
    campaign: Campaign, letter: Letter, petition: Petition, now: datetime
) -> None:
    reviewed = review(campaign).digest
    letter.closing = "Bye,"
    letter.save()

    with pytest.raises(ReviewOutdated):
        publish(campaign=campaign, at=now, reviewed=reviewed)

    assert publish(campaign=campaign, at=now, reviewed=review(campaign).digest).new == 1


def test_scheduled_petition_is_public_from_its_moment_on(
    campaign: Campaign, petition: Petition, now: datetime
) -> None:
    tomorrow = now + timedelta(days=1)

    publish(campaign=campaign, at=now, live_at=tomorrow)

    petition.refresh_from_db()
    assert petition.state(now) == "scheduled"
    assert petition.state(tomorrow) == "open"
    assert not Petition.objects.public(at=now).exists()
    assert Petition.objects.open(at=tomorrow).exists()


def test_only_chosen_petitions_are_published(
    campaign: Campaign, petition: Petition, second: Petition, now: datetime
) -> None:
    publish(campaign=campaign, at=now, petitions=[second])

    assert list(Petition.objects.public(at=now)) == [second]


def test_closed_petition_keeps_its_text(
    campaign: Campaign, letter: Letter, petition: Petition, second: Petition, now: datetime
) -> None:
    publish(campaign=campaign, at=now)
    close(petition=petition, actor=None, at=now)
    letter.closing = "Bye,"
    letter.save()

    publish(campaign=campaign, at=now)

    assert petition.versions.count() == 1
    assert second.versions.count() == 2


def test_database_refuses_to_rewrite_a_version(campaign: Campaign, petition: Petition, now: datetime) -> None:
    publish(campaign=campaign, at=now)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Version.objects.update(statement="Never said.")


def test_queries_do_not_grow_with_petitions(
    campaign: Campaign, letter: Letter, petition: Petition, now: datetime, django_assert_max_num_queries: Any
) -> None:
    from tests.petitions.conftest import add_petition

    for number in range(20):
        add_petition(letter, place=f"City{number}", name=f"Mayor Number{number}")

    with django_assert_max_num_queries(25):
        publish(campaign=campaign, at=now)

    assert Version.objects.count() == 21
