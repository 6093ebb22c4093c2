"""Rows for tests, as they stand after publishing and signing, made without either."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from campaigns.models import Campaign, Organization, Place, Target
from mailings.models import TAKE_BACK, Edition, Mailing, Recipient
from mailings.rendering import compiled, edition_of
from petitions.models import Letter, Petition, Tally, Version
from signers.models import Consent, OutgoingMail, Signature, Submission, Subscription, Supporter
from signers.signing import SignInput, new_referral_code
from staff.models import User
from toolkit.email_addresses import mailbox_key

NOW = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
_numbers = count(1)


def number_anew() -> None:
    """Before each test, so that its rows are called the same whatever ran before it."""
    global _numbers
    _numbers = count(1)


def make_staff(**fields: Any) -> User:
    return User.objects.create_user(
        username=fields.pop("username", f"staff-{next(_numbers)}"), is_staff=True, **fields
    )


def make_organization(**fields: Any) -> Organization:
    return Organization.objects.create(
        **{
            "name": f"Readers’ Common {next(_numbers)}",
            "parent": "from Lamp & Page",
            "postal_address": "1 Lantern Row\nRivermouth",
            "privacy_url": "https://readers.example/privacy",
        }
        | fields
    )


def make_campaign(**fields: Any) -> Campaign:
    number = next(_numbers)
    organization = fields.pop("organization", None) or make_organization()
    return Campaign.objects.create(
        organization=organization, **{"slug": f"open-sundays-{number}", "title": "Open Sundays"} | fields
    )


def make_letter(**fields: Any) -> Letter:
    campaign = fields.pop("campaign", None) or make_campaign()
    return Letter.objects.create(
        campaign=campaign,
        **{
            "kind": "demand",
            "headline": "Open {{ place.name }}’s library on Sundays",
            "lead_in": "The petition to {{ target.office }} {{ target.last_name }} reads:",
            "statement": "Open the library on Sundays.",
            "call_to_action": "Tell your mayor: open up.",
            "body": "Many ask for it.",
        }
        | fields,
    )


def make_place(**fields: Any) -> Place:
    return Place.objects.create(**{"name": f"Rivermouth {next(_numbers)}", "region": "Westmark"} | fields)


def make_petition(
    *,
    live: bool = True,
    letter: Letter | None = None,
    place: Place | None = None,
    at: datetime = NOW,
    **fields: Any,
) -> Petition:
    """To one target. `live` adds what publishing does: a version, a tally and the moment it went live, which is `at`.

    `confirmation` and `organization` go to its campaign.
    """
    of_campaign = {name: fields.pop(name) for name in ("confirmation", "organization") if name in fields}
    letter = letter or make_letter(campaign=make_campaign(**of_campaign))
    number = next(_numbers)
    target = Target.objects.create(
        campaign=letter.campaign, name=f"Ada Okafor {number}", last_name="Okafor", place=place or make_place()
    )
    petition = Petition.objects.create(letter=letter, target=target, **{"slug": f"library-{number}"} | fields)
    if live:
        make_version(petition, at=at)
    return petition


def make_version(petition: Petition, *, at: datetime = NOW, **fields: Any) -> Version:
    """The next version of a petition, which is live with it."""
    number = petition.versions.count() + 1
    version = Version.objects.create(
        petition=petition,
        number=number,
        published_at=at,
        **{
            "digest": f"{petition.pk}-{number}",
            "kind": petition.letter.kind,
            "addressee": petition.addressed_to,
            "place_name": petition.target.place.name if petition.target else "",
            "headline": "Open Rivermouth’s library on Sundays",
            "lead_in_html": "The petition to Mayor Okafor reads:",
            "statement_html": "<p>Open the library on Sundays.</p>",
            "statement": "Open the library on Sundays.",
            "letter_html": "<p>Many ask for it.</p>",
            "letter_text": "Many ask for it.",
            "call_to_action": "Tell your mayor: open up.",
            "button": "Sign the petition",
            "share_title": "Open Rivermouth’s library on Sundays",
            "share_text": "Open the library on Sundays.",
        }
        | fields,
    )
    petition.current_version = version
    petition.live_at = petition.live_at or at
    petition.save(update_fields=["current_version", "live_at"])
    Tally.objects.get_or_create(petition=petition)
    return version


def make_supporter(email: str = "", **fields: Any) -> Supporter:
    email = email or f"connie.{next(_numbers)}@example.org"
    return Supporter.objects.create(
        email=email,
        mailbox=mailbox_key(email),
        **{"first_name": "Connie", "last_name": "Reed", "created_at": NOW} | fields,
    )


def make_signature(
    petition: Petition | None = None,
    *,
    email: str = "",
    confirmed: bool = False,
    accepted: bool = False,
    at: datetime = NOW,
    **fields: Any,
) -> Signature:
    """Pending, unless `confirmed` or `accepted` (counts, not yet confirmed). The tally includes what counts."""
    petition = petition or make_petition(at=at)
    supporter = fields.pop("supporter", None) or make_supporter(email, confirmed_at=at if confirmed else None)
    signature = Signature.objects.create(
        petition=petition,
        supporter=supporter,
        **{
            "version": petition.current_version,
            "signed_at": at,
            "first_name": "Connie",
            "last_name": "Reed",
            "email": email or supporter.email,
            "wording": "May we write to you? Yes / No",
            "referral_code": new_referral_code(),
            "confirmed_at": at if confirmed else None,
            "accepted_at": at if confirmed or accepted else None,
        }
        | fields,
    )
    if signature.is_counted:
        tally, _made = Tally.objects.get_or_create(petition=petition)
        tally.count += 1
        tally.local += signature.is_local
        tally.save()
    return signature


def make_sign_input(**fields: Any) -> SignInput:
    return SignInput(
        **{
            "first_name": "Connie",
            "last_name": "Reed",
            "email": "connie@example.org",
            "updates": False,
            "wording": "May we write to you? Yes / No",
        }
        | fields
    )


def make_submission(petition: Petition, **fields: Any) -> Submission:
    """What a visitor of the petition typed."""
    return Submission.objects.create(
        **{
            "petition_id": petition.pk,
            "version_id": petition.current_version_id,
            "received_at": NOW,
            "first_name": "Connie",
            "last_name": "Reed",
            "email": "connie@example.org",
            "updates": False,
            "wording": "May we write to you? Yes / No",
            "referral_code": new_referral_code(),
        }
        | fields
    )


def make_mail(signature: Signature | None = None, **fields: Any) -> OutgoingMail:
    """Waiting, and due."""
    signature = signature or make_signature()
    message = fields.get("message", OutgoingMail.Message.CONFIRM)
    return OutgoingMail.objects.create(
        signature=signature,
        supporter=signature.supporter,
        **{
            "event": f"{message}:{signature.pk}:{signature.mails.count() + 1}",
            "message": message,
            "to": signature.email,
            "created_at": NOW,
            "due_at": NOW,
            # What was sent was handed over before.
            "handed_over_at": fields.get("sent_at"),
        }
        | fields,
    )


def make_subscription(supporter: Supporter, organization: Organization) -> Subscription:
    """That the supporter said yes to updates, with the consent that says so."""
    Consent.objects.create(
        supporter=supporter,
        organization=organization,
        purpose=Consent.Purpose.UPDATES,
        granted=True,
        wording="May we write to you? Yes / No",
        at=NOW,
        source=Consent.Source.SIGN_FORM,
    )
    return Subscription.objects.create(supporter=supporter, organization=organization, since=NOW)


def make_subscriber(organization: Organization, *, place: Place | None = None, **fields: Any) -> Supporter:
    """A supporter who lives at the place and said yes to updates of the organization."""
    supporter = make_supporter(confirmed_at=NOW, place=place, **fields)
    make_subscription(supporter, organization)
    return supporter


def make_mailing(campaign: Campaign | None = None, *, at: datetime = NOW, **fields: Any) -> Mailing:
    """A draft. With `starts_at` it was started ten minutes before that."""
    if starts_at := fields.get("starts_at"):
        fields.setdefault("started_at", starts_at - TAKE_BACK)
        fields.setdefault("listed_at", fields["started_at"])
    return Mailing.objects.create(
        campaign=campaign or make_campaign(),
        **{
            "title": "News for everybody",
            "subject": "{{ supporter.first_name|friend }}, one more thing",
            "preview_text": "It takes a minute.",
            "body": "Dear {{ supporter.first_name|friend }},\n\nthe doors stay shut.\n\n{{ call_to_action }}",
            "created_at": at,
        }
        | fields,
    )


def make_edition(mailing: Mailing, petition: Petition | None = None, **fields: Any) -> Edition:
    """As starting the mailing renders it."""
    edition = edition_of(compiled(mailing), petition)
    for name, value in fields.items():
        setattr(edition, name, value)
    edition.save()
    return edition


def make_recipient(edition: Edition | None = None, **fields: Any) -> Recipient:
    """A copy that is due, of a mailing under way, to a new supporter who said yes to updates."""
    if edition is None:
        petition = make_petition()
        edition = make_edition(make_mailing(petition.campaign, starts_at=NOW), petition)
    mailing = edition.mailing
    if "supporter" not in fields:
        fields["supporter"] = make_supporter(confirmed_at=NOW)
        make_subscription(fields["supporter"], mailing.campaign.organization)
    return Recipient.objects.create(
        mailing=mailing, edition=edition, **{"due_at": mailing.starts_at or NOW} | fields
    )
