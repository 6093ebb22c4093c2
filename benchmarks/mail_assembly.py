"""Personal copies of a mailing written a second and core, beside a template and a message object for every copy."""

from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.mailings import NAMES, NOTES, WORDS, make_campaign, now, seconds
from benchmarks.throwaway import database

COPIES, ROUNDS, PLAIN = 2_000, 7, 100
TARGET, STRETCH = 30, 90
ENOUGH = 1_000  # copies a second and core


def main() -> list[Figure]:
    with database():
        return write_copies(make_campaign())


def write_copies(campaign: Any) -> list[Figure]:
    from mailings.messages import Writer
    from mailings.models import Recipient
    from mailings.rendering import Page, compiled, edition_of
    from mailings.starting_from import from_letter
    from petitions.models import Petition

    mailing = from_letter(campaign.letters.get())
    mailing.pk, mailing.created_at = 1, now()
    petition = Petition.objects.select_related("letter", "target__place", "current_version").first()
    edition = edition_of(compiled(mailing), petition)
    edition.pk = 1
    letter = Page(compiled(mailing), petition).context()
    names = NAMES.split()
    recipients = [Recipient(pk=number, mailing=mailing, edition=edition) for number in range(1, COPIES + 1)]
    writer = Writer(edition, mailing)
    size = len(writer.message(recipients[0], to="a@example.org", first_name="Ada", at=now()).content)

    def write() -> None:
        at = now()
        for recipient in recipients:
            name = names[recipient.pk % len(names)]
            writer.message(recipient, to=f"{recipient.pk}@example.org", first_name=name, at=at)

    def compose_them() -> None:
        for number in range(PLAIN):
            composed(letter, names[number % len(names)], number)

    write()
    compose_them()
    rates = [(COPIES / seconds(write), PLAIN / seconds(compose_them)) for _ in range(ROUNDS)]
    beside = f"{WORDS} words, {NOTES} notes, {size / 1024:.0f} KB a copy, with signed links; one core"
    return [
        Figure.of(
            "mails assembled : by template and message object",
            [fast / plain for fast, plain in rates],
            target=TARGET,
            stretch=STRETCH,
            beside=beside,
        ),
        Figure.of("mails assembled", [fast for fast, _plain in rates], unit="/s", target=ENOUGH),
    ]


def composed(letter: dict[str, Any], name: str, number: int) -> bytes:
    """The same copy without marks: both templates rendered, and a message object written out, for every reader."""
    from django.core.mail import EmailMultiAlternatives
    from django.template.loader import render_to_string

    from toolkit.merge_fields import filled_later

    link = f"https://petitions.example/unsubscribe/{number}/"
    texts = {part: filled_later(letter[part], name) for part in ("letter_html", "letter_text")}
    context = {**letter, **texts, "unsubscribe_url": link}
    message = EmailMultiAlternatives(
        f"{name}, one more thing",
        render_to_string("emails/mailing.txt", context),
        "desk@readers.example",
        [f"{number}@example.org"],
        headers={"List-Unsubscribe": f"<{link}>", "Message-ID": f"<{number}@petitions.example>"},
    )
    message.attach_alternative(render_to_string("emails/mailing.html", context), "text/html")
    return message.message().as_bytes()


if __name__ == "__main__":
    finish(main())
