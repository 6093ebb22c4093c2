"""Mailings: an audience of a million counted and frozen. How fast copies are written is in `mail_assembly`."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.throwaway import database

WORDS, NOTES, CITIES = 600, 9, 100
PEOPLE = {"PostgreSQL": 1_000_000, "SQLite": 100_000}
# Seconds for a million people, and for a hundred thousand on SQLite.
COUNTED_IN, FROZEN_IN = 2.0, 60.0
SYLLABLES = "ba den fo gri hal ist jo kel lum mer nor ost pra quil ros sen tor und ver wick yar zin"
NAMES = "Ada Bo Carla Dev Élif Femi Goro Hána Ines Jan Kofi Lena Milo Nour Olga Pía Quinn Rosa Sami Tove"


def main() -> list[Figure]:
    with database() as vendor:
        campaign = make_campaign()
        people = PEOPLE[vendor]
        seed(campaign, people)
        return choose_audiences(campaign, vendor, people)


# --- Audiences -----------------------------------------------------------------------------------------------


def choose_audiences(campaign: Any, vendor: str, people: int) -> list[Figure]:
    """How long each audience takes."""
    from mailings.audience import audience_of
    from mailings.models import Mailing

    print(f"{people:,} supporters in {CITIES} cities, one mailing a week before; {vendor}")
    earlier = make_mailing(campaign, asks_to_sign=False, audience=Mailing.Audience.EVERYBODY)
    start(earlier, now() - timedelta(days=7))
    write_lists(now() - timedelta(days=7))
    send_everything(earlier)
    figures = []
    petition = campaign.letters.get().petitions.first()
    for audience, fields in (
        (Mailing.Audience.NOT_SIGNED, {}),
        (Mailing.Audience.CAMPAIGN, {"asks_to_sign": False}),
        (Mailing.Audience.SIGNED, {"of_petition": petition, "asks_to_sign": False}),
        (Mailing.Audience.EVERYBODY, {"others": "campaign-page"}),
    ):
        mailing = make_mailing(campaign, audience=audience, **fields)
        times = [seconds(audience_of(mailing, at=now()).size) for _ in range(3)]
        size = audience_of(mailing, at=now()).size()
        sampled = seconds(audience_of(mailing, at=now()).sample)
        figures.append(
            Figure.of(
                f"audience “{Mailing.Audience(audience).label}” counted",
                times,
                unit="s",
                target=COUNTED_IN,
                at_most=True,
                beside=f"{size:,} people of {people:,}, {vendor}; a sample in {sampled:.2f} s",
            )
        )
    mailing = make_mailing(campaign, audience=Mailing.Audience.EVERYBODY, others="campaign-page")
    pressed = seconds(lambda: start(mailing, now()))
    taken = pressed + seconds(lambda: write_lists(now()))
    copies, editions = mailing.recipients.count(), mailing.editions.count()
    frozen = Figure.of(
        f"{copies:,} copies in {editions} editions frozen",
        [taken],
        unit="s",
        target=FROZEN_IN,
        at_most=True,
        beside=f"{vendor}; staff wait {pressed:.1f} s of it",
    )
    return [*figures, frozen]


def make_mailing(campaign: Any, **fields: Any) -> Any:
    from mailings.models import Mailing

    return Mailing.objects.create(
        campaign=campaign,
        title="News",
        subject="News from {{ organization.name }}",
        body="Dear {{ supporter.first_name|friend }},\n\nthe doors stay shut.",
        created_at=now(),
        **fields,
    )


def start(mailing: Any, at: Any) -> None:
    from mailings import starting
    from staff.models import User

    actor = User.objects.get_or_create(username="ada")[0]
    starting.start(mailing=mailing, actor=actor, at=at)


def write_lists(at: Any) -> None:
    """As the worker does for long ones."""
    from mailings.freezing import write_due

    while write_due(at=at):
        pass


def send_everything(mailing: Any) -> None:
    """As if every copy had left a minute after it was due."""
    from django.db import connection, transaction

    from mailings.models import Mailing

    sent = mailing.starts_at + timedelta(minutes=1)
    with transaction.atomic(), connection.cursor() as cursor:
        unlimited(cursor)
        mailing.recipients.update(handed_over_at=sent, sent_at=sent)
        Mailing.objects.filter(pk=mailing.pk).update(finished_at=sent)
    analyze()


# --- What is in the database ---------------------------------------------------------------------------------


def seed(campaign: Any, people: int) -> None:
    """So many supporters: most want updates, a third has signed in their own city, some mailboxes are dead."""
    from django.db import connection, transaction

    from petitions.models import Petition

    petitions = list(Petition.objects.order_by("pk").values_list("pk", "current_version", "target__place"))
    first_petition, first_version, first_place = petitions[0]
    moment = connection.ops.adapt_datetimefield_value(now() - timedelta(days=90))
    numbers = {
        "postgresql": f"SELECT generate_series(1, {people}) AS n",
        "sqlite": f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {people}) SELECT n FROM s",
    }[connection.vendor]
    no, yes = ("false", "true") if connection.vendor == "postgresql" else ("0", "1")
    names = NAMES.split()
    name = "CASE n % 20 " + " ".join(f"WHEN {i} THEN '{names[i]}'" for i in range(20)) + " END"
    city = f"(CAST(n AS bigint) * 7919) % {CITIES}"
    statements = [
        f"""INSERT INTO signers_supporter
            (mailbox, email, first_name, last_name, created_at, confirmed_at, place_id, stopped_at, stopped,
             soft_bounces)
            SELECT 'p' || n || '@example.org', 'p' || n || '@example.org', {name}, 'Reed', '{moment}', '{moment}',
                CASE WHEN n % 10 < 8 THEN {first_place} + {city} END,
                CASE WHEN n % 97 = 0 THEN '{moment}' END, CASE WHEN n % 97 = 0 THEN 'bounced' ELSE '' END, 0
            FROM ({numbers}) numbers""",
        f"""INSERT INTO signers_subscription (supporter_id, organization_id, since)
            SELECT id, {campaign.organization_id}, '{moment}' FROM signers_supporter WHERE id % 20 <> 7""",
        f"""INSERT INTO signers_signature
            (petition_id, supporter_id, version_id, signed_at, first_name, last_name, email, postal_code, country,
             comment, is_local, updates, wording, referral, referral_code, evidence, confirmed_at, accepted_at, removal)
            SELECT {first_petition} + (place_id - {first_place}), id, {first_version} + (place_id - {first_place}),
                '{moment}', first_name, last_name, email, '', '', '', {no}, {yes}, '', '', 'r' || id, '[]', '{moment}',
                '{moment}', ''
            FROM signers_supporter WHERE place_id IS NOT NULL AND id % 3 = 0""",
    ]
    if connection.vendor == "postgresql":
        statements = [text.replace(f"'{moment}'", f"'{moment}'::timestamptz") for text in statements]
    with transaction.atomic(), connection.cursor() as cursor:
        unlimited(cursor)
        for statement in statements:
            cursor.execute(statement)
    analyze()


def unlimited(cursor: Any) -> None:
    from django.db import connection

    if connection.vendor == "postgresql":
        cursor.execute("SET LOCAL statement_timeout = 0")


def analyze() -> None:
    """As autovacuum does after so many new rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def make_campaign() -> Any:
    from campaigns.models import Campaign, Organization, Place, Source, Target
    from petitions.models import Letter, Petition
    from petitions.publishing import publish

    chance = random.Random(7)
    organization = Organization.objects.create(
        name="Readers’ Common", postal_address="1 Lantern Row", approval_above=10_000_000
    )
    campaign = Campaign.objects.create(organization=organization, slug="open-sundays", title="Open Sundays")
    Source.objects.bulk_create(
        Source(
            campaign=campaign,
            key=f"source-{note}",
            title=f"The {words(chance, 6)}",
            publication="The Lantern",
        )
        for note in range(NOTES)
    )
    paragraphs = [f"{words(chance, WORDS // NOTES)}.[^source-{note}]" for note in range(NOTES)]
    letter = Letter.objects.create(
        campaign=campaign,
        headline="Open the library of {{ place.name }}",
        lead_in="The petition to {{ target.name }} reads:",
        statement="Open the library on Sundays.",
        call_to_action="Sign",
        greeting="Dear {{ supporter.first_name|friend }},",
        body="\n\n".join(["Many ask for it.", *paragraphs, "{{ call_to_action }}"]),
    )
    for number in range(CITIES):
        place = Place.objects.create(name=f"Rivermouth {number}")
        target = Target.objects.create(campaign=campaign, place=place, name="Ada Okafor")
        Petition.objects.create(letter=letter, target=target, slug=f"rivermouth-{number}")
    publish(campaign=campaign, at=now() - timedelta(days=100))
    return campaign


def words(chance: random.Random, number: int) -> str:
    return " ".join("".join(chance.choices(SYLLABLES.split(), k=2)) for _ in range(number))


def now() -> Any:
    from django.utils import timezone

    return timezone.now()


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    finish(main())
