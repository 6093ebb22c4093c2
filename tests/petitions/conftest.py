"""A small campaign as staff would write it, unpublished. Everything in it is invented."""

import datetime

import pytest

from campaigns.models import Campaign, Organization, Place, Source, Target
from petitions.models import Letter, Petition

NOW = datetime.datetime(2026, 5, 1, 12, 0, tzinfo=datetime.UTC)


@pytest.fixture
def now() -> datetime.datetime:
    return NOW


@pytest.fixture
def campaign(db: None) -> Campaign:
    organization = Organization.objects.create(
        name="Readers’ Common", parent="from Lamp & Page", accent="#7a1f3d"
    )
    campaign = Campaign.objects.create(organization=organization, slug="open-sundays", title="Open Sundays")
    Source.objects.create(
        campaign=campaign,
        key="ferry-2026",
        authors=["Ann Ferry", "Bo Quill"],
        title="What “open” means",
        publication="The Rivermouth Courier",
        date=datetime.date(2026, 1, 27),
        url="https://courier.example/open",
    )
    Source.objects.create(campaign=campaign, key="hours", title="Opening hours")
    return campaign


@pytest.fixture
def letter(campaign: Campaign) -> Letter:
    return Letter.objects.create(
        campaign=campaign,
        kind="demand",
        headline="Open {{ place.name }}’s library on Sundays",
        lead_in="The petition to {{ target.office }} {{ target.last_name }} reads:",
        statement="Open the library on **Sundays**.[^hours]",
        call_to_action="Tell {{ target.office }} {{ target.last_name }}: open up.",
        body="Many ask.[^ferry-2026]\n\n{{ call_to_action }}\n\n{{ local }}\n\n* one\n* **two**[^hours]\n",
        closing="Thank you,",
        signed_by="Ira Example",
        signed_role="Campaigner",
    )


def add_petition(letter: Letter, *, place: str, name: str, **fields: object) -> Petition:
    found, _ = Place.objects.get_or_create(name=place, region="Westmark", country="")
    target = Target.objects.create(campaign=letter.campaign, name=name, place=found)
    return Petition.objects.create(
        letter=letter, target=target, slug=f"{letter.kind}-{place.lower()}", **fields
    )


@pytest.fixture
def petition(letter: Letter) -> Petition:
    return add_petition(letter, place="Rivermouth", name="Ada Okafor")


@pytest.fixture
def second(letter: Letter, petition: Petition) -> Petition:
    return add_petition(letter, place="Hillford", name="Jan van der Berg")
