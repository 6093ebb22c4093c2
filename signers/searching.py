"""Finding signatures by name, e-mail address and place, with indexes: it stays quick with millions of rows."""

from functools import reduce
from operator import or_

from django.db.models import Q

from petitions.models import Petition
from toolkit.email_addresses import mailbox_key

MOST_PLACES = 200
LONGEST = 320  # an e-mail address


def signatures_matching(term: str) -> Q:
    """A condition on Signature; every part of it is an equality or a prefix, never a search inside words.

    “Okafor”, “Ada Okafor” and “Okafor, Ada” find names; an address finds its mailbox however it is written
    (`J.Doe+x@gmail.com` finds `jdoe@gmail.com`); a city finds the signatures of its petitions, a code the postal codes.
    """
    term = tidy(term)
    if not term:
        return Q()
    if "@" in term:
        return Q(supporter__mailbox__startswith=mailbox_key(term))
    found = names_matching(term)
    if any(character.isdigit() for character in term):
        found |= Q(postal_code__istartswith=term)
    petitions = Petition.objects.filter(target__place__name__istartswith=term).values_list("pk", flat=True)
    here = list(petitions[:MOST_PLACES])
    return found | Q(petition__in=here) if here else found


def supporters_matching(term: str) -> Q:
    """The same for Supporter: names and addresses."""
    term = tidy(term)
    if not term:
        return Q()
    if "@" in term:
        return Q(mailbox__startswith=mailbox_key(term))
    return names_matching(term)


def tidy(term: str) -> str:
    """Without what no name has; of a very long text, the beginning."""
    return " ".join(term[:LONGEST].replace("\0", "").split())


def names_matching(term: str) -> Q:
    """One word begins a first or last name; of several, some begin the first name and the rest the last."""
    words = term.replace(",", " , ").split()
    if "," in words:
        comma = words.index(",")
        last, first = " ".join(words[:comma]), " ".join(word for word in words[comma:] if word != ",")
        return begins("last_name", last) & begins("first_name", first)
    found = begins("last_name", term) | begins("first_name", term)
    for split in range(1, min(len(words), 5)):
        one, other = " ".join(words[:split]), " ".join(words[split:])
        found |= begins("first_name", one) & begins("last_name", other)
        found |= begins("last_name", one) & begins("first_name", other)
    return found


def begins(field: str, prefix: str) -> Q:
    """Whatever its case. SQLite folds the case of a to z only, so other letters are tried both ways."""
    if not prefix:
        return Q()
    spellings = {prefix} if prefix.isascii() else {prefix, prefix.lower(), prefix.upper(), prefix.title()}
    return reduce(or_, (Q(**{f"{field}__istartswith": spelling}) for spelling in sorted(spellings)))
