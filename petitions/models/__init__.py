"""The ask: letters, the petitions made of them, what was published, and what grows around a petition."""

from petitions.models.asks import Petition, PetitionQuerySet, Version
from petitions.models.counts import CampaignTally, DayTally, Tally
from petitions.models.letters import Kind, Letter
from petitions.models.sharing import FormerAddress, ShareImage, ShortAddress
from petitions.models.stands import Stand
from petitions.models.target_lists import TargetList

__all__ = [
    "CampaignTally",
    "DayTally",
    "FormerAddress",
    "Kind",
    "Letter",
    "Petition",
    "PetitionQuerySet",
    "ShareImage",
    "ShortAddress",
    "Stand",
    "Tally",
    "TargetList",
    "Version",
]
