"""Who and what most stories begin with."""

from collections.abc import Callable

import pytest

from petitions.models import Petition
from tests import factories, people
from tests.people import Person


@pytest.fixture
def petition(db: None) -> Petition:
    return factories.make_petition()


@pytest.fixture
def connie() -> Person:
    return Person()


@pytest.fixture
def work(db: None) -> Callable[..., None]:
    """`work(at=…)` is the worker doing everything that is due at that moment (now)."""
    return people.work


@pytest.fixture
def signed(connie: Person, petition: Petition, work: Callable[..., None]) -> Person:
    """Connie, who has signed and not yet opened her mail."""
    connie.signs(petition)
    work()
    return connie


@pytest.fixture
def confirmed(signed: Person, work: Callable[..., None]) -> Person:
    """Connie, whose signature counts."""
    signed.confirms()
    work()
    return signed
