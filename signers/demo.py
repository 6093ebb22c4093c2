"""The sample campaign, brought to life: published weeks ago, signed by invented people, with staff to log in as."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from campaigns.models import Campaign
from petitions import campaign_files
from petitions.models import Petition
from petitions.publishing import publish
from petitions.taking_a_stand import take_a_stand
from signers import counting
from signers.demo_names import PEOPLE
from signers.models import Consent, CountChange, Signature, Subscription, Supporter
from signers.signing import REFERRAL_ALPHABET, REFERRAL_LENGTH
from signers.wordings import updates_wording
from staff import roles
from staff.models import User
from toolkit.email_addresses import mailbox_key

SAMPLE = Path(apps.get_app_config("petitions").path) / "samples" / "open-sundays.toml"
SLUG = "open-sundays"
LIVE_FOR = timedelta(days=21)
# How many have signed, by the petition's slug.
SIGNED = {
    "open-sundays-rivermouth": 1204,
    "open-sundays-oosterwiek": 187,
    "open-sundays-upper-thistlewick": 341,
    "open-sundays-marsa-lawz": 286,
    "open-sundays-lindenfors": 94,
    "open-sundays-thank-you": 412,
    "open-sundays-farrowmere": 268,
    "open-sundays-farrowmere-thank-you": 121,
}
# One mayor has done what was asked meanwhile.
ACTED = "open-sundays-farrowmere"
ACTED_AGO = timedelta(days=6)
ACTED_REASON = (
    "The city council voted for Sunday hours from next month on, as the mayor had proposed: "
    "from one to six, with higher pay and a free weekday for the librarians who choose them."
)
SUPPORTERS = 2000
DOMAINS = ("example.org", "mail.example.org", "post.example", "letters.example")
STAFF = {
    "owner": roles.OWNER,
    "publisher": roles.PUBLISHER,
    "editor": roles.EDITOR,
    "signatures": roles.SIGNATURE_MANAGER,
}
AT_ONCE = 500  # rows an insert


@transaction.atomic
def load_demo(*, password: str, at: datetime) -> bool:
    """Whether the sample campaign was loaded now; False, and nothing is changed, where it is there already.

    Raises `campaign_files.BrokenFile` where its addresses are taken by something else.
    """
    if Campaign.objects.filter(slug=SLUG).exists():
        return False
    loaded = campaign_files.load(campaign_files.read(SAMPLE.read_bytes()), at=at - LIVE_FOR)
    publish(campaign=loaded.campaign, at=at - LIVE_FOR)
    acted = at - ACTED_AGO
    take_a_stand(
        petition=Petition.objects.get(slug=ACTED),
        taken_on=timezone.localdate(acted),
        reason=ACTED_REASON,
        actor=None,
        at=acted,
    )
    add_signatures(loaded.campaign, at=at)
    counting.add_up(at=at)
    # Added up in a moment, they would all have signed today.
    petitions = Petition.objects.filter(letter__campaign=loaded.campaign)
    counting.count_days(list(petitions.values_list("pk", flat=True)))
    add_staff(password)
    return True


def add_signatures(campaign: Campaign, *, at: datetime) -> None:
    """Confirmed signatures of invented supporters, spread over the time in which the petitions were open."""
    # The same people everywhere; nothing here is a secret.
    chance = random.Random(SLUG)  # noqa: S311
    petitions = {
        petition.slug: petition
        for petition in Petition.objects.filter(letter__campaign=campaign).select_related(
            "letter__campaign__organization", "current_version", "target"
        )
    }
    supporters = list(invented_supporters(chance))
    signatures = [
        signature(petitions[slug], supporter, chance, at=at)
        for slug, number in SIGNED.items()
        for supporter in chance.sample(supporters, number)
    ]
    signatures.sort(key=lambda made: made.signed_at)
    Supporter.objects.bulk_create(people_behind(signatures), batch_size=AT_ONCE)
    Signature.objects.bulk_create(signatures, batch_size=AT_ONCE)
    Consent.objects.bulk_create([consent(campaign, made) for made in signatures], batch_size=AT_ONCE)
    Subscription.objects.bulk_create(subscriptions(campaign, signatures), batch_size=AT_ONCE)
    add_earlier_supporters(campaign, [person for person in supporters if person.pk is None], chance, at=at)
    CountChange.objects.bulk_create([CountChange.of(made, 1) for made in signatures], batch_size=AT_ONCE)


def people_behind(signatures: list[Signature]) -> list[Supporter]:
    """Everybody who signed, known since their first signature."""
    people: dict[str, Supporter] = {}
    for made in signatures:
        supporter = people.setdefault(made.supporter.mailbox, made.supporter)
        if supporter.confirmed_at is None:
            supporter.created_at, supporter.confirmed_at = made.signed_at, made.confirmed_at
        if made.petition.target is not None:
            supporter.place_id = made.petition.target.place_id
    return list(people.values())


def subscriptions(campaign: Campaign, signatures: list[Signature]) -> list[Subscription]:
    """Of everybody whose latest answer was yes, since they gave it."""
    latest: dict[int, Signature] = {}
    for made in sorted(signatures, key=lambda made: made.confirmed_at or made.signed_at):
        latest[made.supporter.pk] = made
    return [
        Subscription(
            supporter_id=supporter,
            organization_id=campaign.organization_id,
            since=made.confirmed_at or made.signed_at,
        )
        for supporter, made in latest.items()
        if made.updates
    ]


def add_earlier_supporters(
    campaign: Campaign, people: list[Supporter], chance: random.Random, *, at: datetime
) -> None:
    """Those who have signed none of these petitions: known, and asked about updates, since one that is long over."""
    cities = list(
        Petition.objects.filter(letter__campaign=campaign, target__isnull=False)
        .order_by("pk")
        .values_list("target__place", flat=True)
    )
    wording = updates_wording(campaign.organization)
    for person in people:
        person.created_at = person.confirmed_at = at - 2 * LIVE_FOR - LIVE_FOR * chance.random()
        person.place_id = chance.choice(cities)
    Supporter.objects.bulk_create(people, batch_size=AT_ONCE)
    consents = [
        Consent(
            supporter=person,
            organization_id=campaign.organization_id,
            purpose=Consent.Purpose.UPDATES,
            granted=chance.random() < 0.7,
            wording=wording,
            at=person.created_at,
            source=Consent.Source.SIGN_FORM,
        )
        for person in people
    ]
    Consent.objects.bulk_create(consents, batch_size=AT_ONCE)
    Subscription.objects.bulk_create(
        [
            Subscription(supporter=made.supporter, organization_id=made.organization_id, since=made.at)
            for made in consents
            if made.granted
        ],
        batch_size=AT_ONCE,
    )


def invented_supporters(chance: random.Random) -> Iterator[Supporter]:
    """People of many scripts, each with a mailbox that can never exist."""
    for number in range(1, SUPPORTERS + 1):
        first_names, last_names = chance.choice(PEOPLE)
        first_name, last_name = chance.choice(first_names), chance.choice(last_names)
        name = slugify(f"{first_name} {last_name}") or "reader"
        email = f"{name}.{number}@{chance.choice(DOMAINS)}"
        yield Supporter(first_name=first_name, last_name=last_name, email=email, mailbox=mailbox_key(email))


def signature(petition: Petition, supporter: Supporter, chance: random.Random, *, at: datetime) -> Signature:
    """Many sign in the first days, the others whenever."""
    share = chance.betavariate(1, 4) if chance.random() < 0.6 else chance.random()
    begins, ends = petition.live_at or at, petition.closed_at or at
    signed_at = begins + (ends - begins) * share
    confirmed_at = min(at, signed_at + timedelta(seconds=chance.randint(40, 4000)))
    return Signature(
        petition=petition,
        supporter=supporter,
        version=petition.current_version,
        signed_at=signed_at,
        first_name=supporter.first_name,
        last_name=supporter.last_name,
        email=supporter.email,
        updates=chance.random() < 0.7,
        wording=updates_wording(petition.campaign.organization),
        referral_code="".join(chance.choices(REFERRAL_ALPHABET, k=REFERRAL_LENGTH)),
        confirmed_at=confirmed_at,
        accepted_at=confirmed_at,
    )


def consent(campaign: Campaign, made: Signature) -> Consent:
    return Consent(
        supporter=made.supporter,
        organization_id=campaign.organization_id,
        purpose=Consent.Purpose.UPDATES,
        granted=made.updates,
        wording=made.wording,
        at=made.confirmed_at or made.signed_at,
        source=Consent.Source.SIGN_FORM,
    )


def add_staff(password: str, accounts: Mapping[str, str] = STAFF) -> None:
    """One account for each role; an account of that name that is there already stays what it is."""
    hashed = make_password(password)
    for username, role in accounts.items():
        user, created = User.objects.get_or_create(
            username=username, defaults={"password": hashed, "is_staff": True}
        )
        if created:
            user.groups.add(Group.objects.get(name=role))
