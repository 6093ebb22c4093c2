"""Giving drafts the other letter of their campaign, all of them or none."""

import pytest

from petitions.changing_kind import CannotChangeKind, change_kind, review_kind
from petitions.models import Letter, Petition
from staff.models import AuditEntry
from tests.factories import NOW, make_letter, make_petition, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def demand() -> Letter:
    return make_letter()


@pytest.fixture
def thanks(demand: Letter) -> Letter:
    return make_letter(campaign=demand.campaign, kind="thank-you")


def change(*petitions: Petition, kind: str = "thank-you") -> int:
    return change_kind(petitions=petitions, kind=kind, actor=None, at=NOW)


def kinds(*petitions: Petition) -> list[str]:
    return [Petition.objects.get(pk=petition.pk).letter.kind for petition in petitions]


def test_drafts_get_the_other_letter_and_it_is_recorded(demand, thanks):
    drafts = [make_petition(letter=demand, live=False) for _ in range(3)]
    actor = make_staff()

    changed = change_kind(petitions=drafts, kind="thank-you", actor=actor, at=NOW)

    assert changed == 3
    assert kinds(*drafts) == ["thank-you"] * 3
    entries = AuditEntry.objects.filter(actor=actor, action="changed to Thank-you", at=NOW)
    assert {entry.subject_id for entry in entries} == {draft.pk for draft in drafts}


def test_what_has_the_kind_already_stays_as_it_is(demand, thanks):
    draft, other = make_petition(letter=demand, live=False), make_petition(letter=thanks, live=False)

    assert change(draft, other) == 1
    assert AuditEntry.objects.count() == 1


def test_a_group_changes_like_a_target(demand, thanks):
    group = Petition.objects.create(letter=demand, addressee="mayors of the river", slug="group")

    change(group)

    assert kinds(group) == ["thank-you"]


def test_a_published_text_never_changes_under_its_signers_names(demand, thanks):
    draft, published = make_petition(letter=demand, live=False), make_petition(letter=demand)

    with pytest.raises(CannotChangeKind, match="Take a stand"):
        change(draft, published)

    assert kinds(draft, published) == ["demand", "demand"]


def test_what_was_taken_off_the_site_was_published_too(demand, thanks):
    published = make_petition(letter=demand)
    Petition.objects.filter(pk=published.pk).update(live_at=None)

    with pytest.raises(CannotChangeKind, match="has been published"):
        change(published)


def test_without_a_letter_of_the_kind_nothing_changes(demand):
    draft = make_petition(letter=demand, live=False)

    with pytest.raises(CannotChangeKind, match="no thank-you letter yet"):
        change(draft)


def test_a_target_that_has_such_a_petition_keeps_the_rest_from_changing_too(demand, thanks):
    draft, twice = (make_petition(letter=demand, live=False) for _ in range(2))
    Petition.objects.create(letter=thanks, target=twice.target, slug="thanks")

    with pytest.raises(CannotChangeKind, match="already has a thank-you petition"):
        change(draft, twice)

    assert kinds(draft, twice) == ["demand", "demand"]


def test_the_review_tells_each_petition_what_would_become_of_it(demand, thanks):
    draft, twice = (make_petition(letter=demand, live=False) for _ in range(2))
    Petition.objects.create(letter=thanks, target=twice.target, slug="thanks")
    published, same = make_petition(letter=demand), make_petition(letter=thanks, live=False)

    found = review_kind([draft, twice, published, same], kind="thank-you")

    assert (found.changing, found.published, found.same) == ([draft], [published], [same])
    assert found.refused == [(twice, "This target already has a thank-you petition.")]


def test_many_change_in_few_statements(demand, thanks, django_assert_max_num_queries):
    drafts = [make_petition(letter=demand, live=False) for _ in range(30)]

    with django_assert_max_num_queries(12):
        change(*drafts)
