"""The cause: who campaigns, for what, on which sources, toward whom, and where."""

from campaigns.models.causes import Campaign, Organization, Source
from campaigns.models.places import Nomination, NominationMark, Place, PostalCode
from campaigns.models.targets import Target

__all__ = [
    "Campaign",
    "Nomination",
    "NominationMark",
    "Organization",
    "Place",
    "PostalCode",
    "Source",
    "Target",
]
