"""A mailing as people will read it, before it leaves: with real readers, with invented ones, and as a test copy."""

from dataclasses import dataclass, replace
from datetime import datetime

from mailings.audience import Audience, Person
from mailings.checking import reached
from mailings.messages import Writer
from mailings.models import Edition, Mailing, Recipient
from mailings.rendering import compiled, edition_of
from petitions.models import Petition
from toolkit.emails import RawMail, deliver, open_connection

# For those who may not see who our supporters are, and for what the list happens to lack.
INVENTED = {
    "short": ("Connie", "a short name"),
    "long": ("Maximiliane-Alexandra Konstantinopoulou", "a long name"),
    "none": ("", "no first name"),
    "rtl": ("زينب", "a name from right to left"),
}
TEST_MARK = "[Test] "
# A test copy is sent while somebody waits; a server that says nothing is given up after so many seconds.
PATIENCE = 5
READER_EXAMPLE = "reader@example.org"


@dataclass(frozen=True)
class PreviewReader:
    """Somebody whose copy can be looked at. `key` stands in addresses; nobody's links in it do anything."""

    key: str
    first_name: str
    label: str
    note: str
    petition: Petition | None


@dataclass(frozen=True)
class Copy:
    """One reader's copy, and its whole mail as it would be handed over."""

    subject: str
    html: str
    text: str
    mail: RawMail

    @property
    def headers(self) -> str:
        return self.mail.content.partition(b"\r\n\r\n")[0].decode("ascii", "replace").replace("\r\n", "\n")

    @property
    def kilobytes(self) -> int:
        return round(len(self.mail.content) / 1024)


def editions_of(mailing: Mailing, audience: Audience) -> list[Petition | None]:
    """The petitions a copy can lead to; None is the campaign page."""
    if mailing.is_frozen:
        stored = Edition.objects.filter(mailing=mailing).select_related(
            "petition__letter", "petition__target__place"
        )
        return [edition.petition for edition in stored.defer("html", "text").order_by("pk")]
    return reached(mailing, audience)


def invented(petitions: list[Petition | None], chosen: str = "") -> list[PreviewReader]:
    """Readers nobody is, all of the petition that was `chosen` by its key ("0": the campaign page)."""
    by_key = {str(petition.pk if petition else 0): petition for petition in petitions}
    petition = by_key.get(chosen, petitions[0] if petitions else None)
    return [
        PreviewReader(key, first_name, first_name or "Somebody", why, petition)
        for key, (first_name, why) in INVENTED.items()
    ]


def real(mailing: Mailing, audience: Audience) -> dict[str, list[PreviewReader]]:
    """People who get it, by what is worth a look. A handful of queries."""
    if mailing.is_frozen:
        copies = sample_of_copies(mailing, 8)
        return {
            "Of those who get it": [
                shown_as(Person(copy.supporter, copy.edition.petition)) for copy in copies if copy.supporter
            ]
        }
    groups = {
        "From all over the list": audience.sample(5),
        "The longest names": audience.longest_names(3),
        "No first name": audience.with_gaps(3),
        "From right to left": audience.right_to_left(3),
    }
    return {label: [shown_as(person) for person in people] for label, people in groups.items() if people}


def person(mailing: Mailing, audience: Audience, supporter_id: int) -> PreviewReader | None:
    """Somebody who gets it, by key."""
    if not mailing.is_frozen:
        found = audience.person(supporter_id)
        return shown_as(found) if found else None
    copy = (
        Recipient.objects.filter(mailing=mailing, supporter=supporter_id)
        .select_related("supporter__place", "edition__petition")
        .defer("edition__html", "edition__text")
        .first()
    )
    return shown_as(Person(copy.supporter, copy.edition.petition)) if copy and copy.supporter else None


def shown_as(person: Person) -> PreviewReader:
    supporter = person.supporter
    where = str(supporter.place) if supporter.place else "city not known"
    name = person.name or "No name"
    return PreviewReader(f"s{supporter.pk}", supporter.first_name, name, where, person.petition)


def sample_of_copies(mailing: Mailing, most: int) -> list[Recipient]:
    """Some copies of a frozen mailing, spread over it, whose readers are still known. Two queries."""
    copies = Recipient.objects.filter(mailing=mailing, supporter__isnull=False)
    ends = [copies.order_by(order).values_list("pk", flat=True).first() for order in ("pk", "-pk")]
    if ends[0] is None or ends[1] is None:
        return []
    first, last = ends[0], ends[1]
    spread = {first + (last - first) * number // most for number in range(most + 1)}
    return list(
        copies.filter(pk__in=spread)
        .select_related("supporter__place", "edition__petition__letter", "edition__petition__target__place")
        .defer("edition__html", "edition__text")
        .order_by("pk")[:most]
    )


def copy_for(
    mailing: Mailing, reader: PreviewReader, *, subject: str = "", at: datetime, to: str = READER_EXAMPLE
) -> Copy:
    """The copy of a reader, written by what writes them all; its links belong to nobody and do nothing."""
    recipient = Recipient(pk=0, mailing=mailing, subject=subject)
    writer = Writer(edition_for(mailing, reader.petition), mailing)
    mail = writer.message(recipient, to=to, first_name=reader.first_name, at=at)
    parts = mail.as_message()
    page, text = (str(part).replace("\r\n", "\n") for part in (parts.alternatives[0][0], parts.body))
    return Copy(str(parts.subject), page, text, mail)


def edition_for(mailing: Mailing, petition: Petition | None) -> Edition:
    """As it was frozen, or as it would be now."""
    stored = Edition.objects.filter(mailing=mailing, petition=petition).first() if mailing.is_frozen else None
    return stored or edition_of(compiled(mailing), petition)


def send_test(mailing: Mailing, reader: PreviewReader, *, subject: str = "", to: str, at: datetime) -> None:
    """Sends one copy to staff, at once. Raises a `DeliveryError` of `toolkit.emails`, or ValidationError for `to`."""
    marked = marked_as_test(mailing, reader)
    recipient = Recipient(pk=0, mailing=mailing, subject=subject)
    mail = Writer(marked, mailing).message(recipient, to=to, first_name=reader.first_name, at=at)
    server = open_connection()
    if hasattr(server, "timeout"):
        server.timeout = PATIENCE
    try:
        deliver(mail, server, before_handover=lambda: None)
    finally:
        server.close()


def marked_as_test(mailing: Mailing, reader: PreviewReader) -> Edition:
    edition = edition_for(mailing, reader.petition)
    edition.subject = TEST_MARK + edition.subject
    edition.other_subject = TEST_MARK + edition.other_subject if edition.other_subject else ""
    return edition


def as_test_reader(reader: PreviewReader, first_name: str) -> PreviewReader:
    return replace(reader, first_name=first_name)
