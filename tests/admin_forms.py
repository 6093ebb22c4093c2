"""What a browser sends from the campaign's form, for tests that save it."""

from typing import Any

from django.test import Client

from campaigns.models import Campaign
from staff.models import User

LETTER = {
    "kind": "demand",
    "headline": "Open {{ place.name }}’s library on Sundays",
    "lead_in": "The petition to {{ target.office }} {{ target.last_name }} reads:",
    "statement": "Open the library on Sundays.[^hours-2026]",
    "button": "Sign the petition",
    "greeting": "Dear {{ supporter.first_name|friend }},",
    "body": "Many ask for it.[^hours-2026]\n\n{{ call_to_action }}",
    "call_to_action": "Tell {{ target.office }} {{ target.last_name }}: open up.",
    "closing": "Thank you,",
    "signed_by": "Wren Cole",
    "signed_role": "Campaigner",
    "thanks": "",
    "share_title": "",
    "share_text": "",
}
SOURCE = {
    "key": "hours-2026",
    "authors": "Ada Lind\nBo Ek",
    "title": "Opening Hours",
    "publication": "The Lantern",
    "date": "2026-02-03",
    "url": "https://lantern.example/hours",
    "archived_url": "",
}
TARGET = {
    "kind": "demand",
    "office": "Mayor",
    "name": "Ada Okafor",
    "place_name": "Rivermouth",
    "place_region": "Westmark",
    "place_country": "",
    "headline": "",
    "local": "",
    "slug": "",
    "goal": "",
    "salutation": "",
    "last_name": "",
    "email": "",
    "postal_prefixes": "",
}


def part(prefix: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A formset; rows with an `id` are those that are stored already and have to come first."""
    stored = sum("id" in row for row in rows)
    data = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": stored}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def campaign_form(
    *,
    organization: Any,
    sources: list[dict[str, Any]] | None = None,
    letters: list[dict[str, Any]] | None = None,
    targets: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A whole, good form, unless told otherwise."""
    return {
        "organization": organization.pk if hasattr(organization, "pk") else organization,
        "title": "Open Sundays",
        "slug": "",
        "summary": "Libraries on Sundays.",
        "language": "en",
        "confirmation": "required",
        "count_floor": "0",
        "total_of": "people",
        **part("sources", [SOURCE] if sources is None else sources),
        **part("letters", [LETTER] if letters is None else letters),
        **part("targets", [TARGET] if targets is None else targets),
        "_continue": "Save and stay here",
        **fields,
    }


def stored_campaign_form(campaign: Campaign, **fields: Any) -> dict[str, Any]:
    """The form of a stored campaign, as it would be sent back unchanged."""
    letters = [
        {"id": letter.pk, "campaign": campaign.pk, **{name: getattr(letter, name) for name in LETTER}}
        for letter in campaign.letters.all()
    ]
    sources = [
        {
            "id": source.pk,
            "campaign": campaign.pk,
            **{name: getattr(source, name) or "" for name in SOURCE},
            "authors": "\n".join(source.authors),
        }
        for source in campaign.sources.all()
    ]
    targets = []
    for target in campaign.targets.select_related("place"):
        petition = target.petitions.get()
        row = {name: getattr(target, name) for name in ("office", "name", "salutation", "last_name", "email")}
        row |= {"kind": petition.letter.kind, "slug": petition.slug, "goal": petition.goal or ""}
        row |= {
            "headline": petition.headline,
            "local": petition.local,
            "postal_prefixes": target.place.postal_prefixes,
        }
        row |= {f"place_{name}": getattr(target.place, name) for name in ("name", "region", "country")}
        targets.append({"id": target.pk, "campaign": campaign.pk, **row})
    return campaign_form(
        organization=campaign.organization,
        **{"sources": sources, "letters": letters, "targets": targets}
        | {"title": campaign.title, "slug": campaign.slug, "summary": campaign.summary}
        | fields,
    )


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
