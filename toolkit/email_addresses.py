"""E-mail addresses: cleaning what was typed, the key that tells mailboxes apart, and the hint for a typo."""

import re
import unicodedata
from functools import lru_cache

import idna
from django.core.exceptions import ValidationError
from email_validator import EmailNotValidError, validate_email

from toolkit import mail_providers

MAX_LENGTH = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
_LONGEST_MISTYPED = 60  # of a domain; no common one is half as long
# Most addresses on the hot path: what is before the @ needs no further look, and domains come again and again.
_ORDINARY = re.compile(
    r"(?=.{1,64}@)([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", re.ASCII
)


def clean(text: str) -> str:
    """The address without surrounding spaces, its domain in small letters (Unicode where it was typed so).

    What is before the @ stays as typed: it is where mail goes. Nothing is looked up in the network.
    Raises `ValidationError` with a message that says what to do.
    """
    if ordinary := _ORDINARY.fullmatch(text):
        domain = _ordinary_domain(ordinary[2])
        if domain is not None and len(ordinary[1]) + 1 + len(domain) <= MAX_LENGTH:
            return f"{ordinary[1]}@{domain}"
    if len(text) > 4 * MAX_LENGTH:
        raise _invalid("This e-mail address is too long. Check that only one address was entered.")
    address = text.strip()
    if not address:
        raise ValidationError("Enter your e-mail address.", code="required")
    if address.count("@") != 1:
        raise _invalid("Enter one e-mail address with one @, such as name@example.org.")
    if any(character.isspace() or unicodedata.category(character)[0] == "C" for character in address):
        raise _invalid("Remove the spaces or hidden characters from your e-mail address.")
    local, _, domain = address.partition("@")
    if not local or not domain:
        raise _invalid("Something is missing before or after the @. An address looks like name@example.org.")
    if not local.isascii():
        raise _invalid("Before the @ use only letters from a to z, digits and signs.")
    try:
        found = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except (EmailNotValidError, UnicodeError, ValueError):
        if "." not in domain:
            raise _invalid(
                "The part after the @ looks incomplete. An address looks like name@example.org."
            ) from None
        raise _invalid("Check your e-mail address. It should look like name@example.org.") from None
    if len(local) > 64 or max(len(found.normalized), len(found.ascii_email or "")) > MAX_LENGTH:
        raise _invalid("This e-mail address is too long. Check that only one address was entered.")
    return found.normalized


@lru_cache(maxsize=1024)
def _ordinary_domain(domain: str) -> str | None:
    """The domain as `clean` returns it, or None where it has to say what is wrong."""
    try:
        found = validate_email(
            f"name@{domain}", check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except (EmailNotValidError, UnicodeError, ValueError):
        return None
    return found.domain if found.domain == found.ascii_domain else None


def mailbox_key(address: str) -> str:
    """The same text for every way of writing one mailbox, for finding duplicates; mail is never sent to it.

    Takes any text and never raises.
    """
    local, _, domain = _plain(address).strip().rpartition("@")
    local, domain = local.casefold(), _ascii_domain(domain)
    domain = mail_providers.SAME_MAILBOX.get(domain, domain)
    if domain in mail_providers.WITHOUT_TAGS:
        local = local.partition("+")[0] or local
    if domain in mail_providers.WITHOUT_DOTS:
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def sendable(address: str) -> str:
    """The address as SMTP takes it, with its domain in ASCII (IDNA 2008, which tells straße.de from strasse.de)."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}"


def suggest(address: str) -> str | None:
    """The address its writer probably meant, or None. Only ever a hint: never a reason to refuse."""
    local, _, domain = address.strip().rpartition("@")
    meant = suggest_domain(domain) if local else None
    return f"{local}@{meant}" if meant else None


def suggest_domain(domain: str) -> str | None:
    """The common mail domain this one is probably a typo of; None for known domains and for anything else."""
    # Looked at before it is remembered: somebody may send megabytes, again and again.
    return None if len(domain) > _LONGEST_MISTYPED else _suggested_domain(domain)


@lru_cache(maxsize=1024)
def _suggested_domain(domain: str) -> str | None:
    typed = domain.strip().strip(".").lower()
    if not typed.isascii() or typed in mail_providers.KNOWN:
        return None
    name, _, ending = typed.rpartition(".")
    meant_ending = mail_providers.MISTYPED_ENDINGS.get(ending, ending)
    corrected = f"{name}.{meant_ending}"
    if corrected in mail_providers.KNOWN:
        return corrected
    return (
        mail_providers.ONLY_HERE.get(typed.partition(".")[0])
        or _nearest(corrected if name else typed)
        or (
            corrected
            if name and ending != meant_ending and ending not in mail_providers.REAL_ENDINGS
            else None
        )
    )


def _nearest(typed: str) -> str | None:
    candidates = [
        (distance, order, domain)
        for order, domain in enumerate(mail_providers.COMMON)
        if (distance := _typo_distance(typed, domain)) is not None
    ]
    return min(candidates)[2] if candidates else None


def _typo_distance(typed: str, domain: str) -> int | None:
    """Number of slips between the two, or None when they are too far apart to be the same.

    Short names stand close to too many other real ones, so they have to be exact.
    """
    name, _, ending = domain.partition(".")
    if "." not in typed:
        return 1 if typed == domain.replace(".", "") else None
    typed_name, _, typed_ending = typed.partition(".")
    allowed = 0 if len(name) < 5 else 1 if len(name) < 7 else 2
    in_name = _distance(typed_name, name, allowed)
    # Two-letter endings are countries, and each is one slip from another.
    in_ending = _distance(typed_ending, ending, 1 if len(ending) > 2 else 0)
    if in_name > allowed or in_ending > 1 or (in_ending and len(ending) == 2):
        return None
    return in_name + in_ending


def _distance(one: str, other: str, limit: int) -> int:
    """Damerau-Levenshtein (optimal string alignment): slips of one letter, and two neighbors swapped."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        before_that, before, row = before, row, [i]
        for j, right in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, before_that[j - 2] + 1)
            row.append(cost)
    return row[-1]


@lru_cache(maxsize=1024)
def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower().rstrip(".")
    try:
        return idna.encode(domain, uts46=True).decode().lower().rstrip(".")
    except (idna.IDNAError, UnicodeError, ValueError):
        return domain


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _invalid(message: str) -> ValidationError:
    return ValidationError(message, code="invalid_email")
