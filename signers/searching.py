"""Finding signatures by name, e-mail address and place, with indexes: it stays quick with millions of rows."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from petitions.models import Petition
from toolkit.email_addresses import mailbox_key

Row = TypeVar("Row", bound=Model)

# What is found lies anywhere in the table, so each row more is a page more to be read.
MOST_FOUND = 200
MOST_PLACES = 200
LONGEST = 320  # an e-mail address


def signatures_matching(term: str) -> Q:
    """A condition on Signature; every part of it is an equality or a prefix, never a search inside words.

    “Okafor”, “Ada Okafor” and “Okafor, Ada” find names; an address finds its mailbox however it is written
    (`J.Doe+x@gmail.com` finds `jdoe@gmail.com`); a city finds the signatures of its petitions, a code the postal codes.
    """
    return any_of([*ways_to_sign(term), *_places(term)])


def some_signatures(signatures: QuerySet[Row], term: str) -> QuerySet[Row]:
    """Those that match, in their order; where there are more than `MOST_FOUND`, so many of them.

    Of a place these are the newest, of a name any: no index has both the names and the newest. A query for each way in
    which the term can be meant.
    """
    if not tidy(term):
        return signatures
    found = [_some(signatures.order_by(), way) for way in ways_to_sign(term)]
    found += [_some(signatures.order_by("-id"), way) for way in _places(term)]
    return _newest(signatures, found)


def some_supporters(supporters: QuerySet[Row], term: str) -> QuerySet[Row]:
    """The same for Supporter: names and addresses."""
    if not tidy(term):
        return supporters
    return _newest(supporters, [_some(supporters.order_by(), way) for way in ways_to_support(term)])


def _some(rows: QuerySet[Row], way: Q) -> list[int]:
    return list(rows.filter(way).values_list("pk", flat=True)[:MOST_FOUND])


def _newest(rows: QuerySet[Row], found: Iterable[list[int]]) -> QuerySet[Row]:
    return rows.filter(pk__in=sorted(set().union(*found), reverse=True)[:MOST_FOUND])


def ways_to_sign(term: str) -> list[Q]:
    """What the term can mean, each a condition that one index serves; nothing where it says nothing."""
    term = tidy(term)
    if not term:
        return []
    if "@" in term:
        return [Q(supporter__mailbox__startswith=mailbox_key(term))]
    ways = _names(term)
    if any(character.isdigit() for character in term):
        ways.append(begins("postal_code", term))
    return ways


def _places(term: str) -> list[Q]:
    """The petitions of a place."""
    term = tidy(term)
    if not term or "@" in term:
        return []
    petitions = Petition.objects.filter(target__place__name__istartswith=term).values_list("pk", flat=True)
    here = list(petitions[:MOST_PLACES])
    return [Q(petition__in=here)] if here else []


def ways_to_support(term: str) -> list[Q]:
    term = tidy(term)
    if not term:
        return []
    return [Q(mailbox__startswith=mailbox_key(term))] if "@" in term else _names(term)


def tidy(term: str) -> str:
    """Without what no name has; of a very long text, the beginning."""
    return " ".join(term[:LONGEST].replace("\0", "").split())


def _names(term: str) -> list[Q]:
    """One word begins a first or last name; of several, some begin the first name and the rest the last."""
    words = term.replace(",", " , ").split()
    if "," in words:
        comma = words.index(",")
        last, first = " ".join(words[:comma]), " ".join(word for word in words[comma:] if word != ",")
        return [begins("last_name", last) & begins("first_name", first)]
    ways = [begins("last_name", term), begins("first_name", term)]
    for split in range(1, min(len(words), 5)):
        one, other = " ".join(words[:split]), " ".join(words[split:])
        ways.append(begins("first_name", one) & begins("last_name", other))
        ways.append(begins("last_name", one) & begins("first_name", other))
    return ways


def any_of(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions, Q())


def begins(field: str, prefix: str) -> Q:
    """Whatever its case. SQLite folds the case of a to z only, so other letters are tried both ways."""
    if not prefix:
        return Q()
    spellings = {prefix} if prefix.isascii() else {prefix, prefix.lower(), prefix.upper(), prefix.title()}
    return any_of(Q(**{f"{field}__istartswith": spelling}) for spelling in sorted(spellings))
