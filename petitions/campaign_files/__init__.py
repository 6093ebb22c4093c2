"""Campaign files: one campaign as a text that people read and write. docs/campaign-file.md describes the format."""

from petitions.campaign_files.loading import Loaded, load
from petitions.campaign_files.reading import read
from petitions.campaign_files.tables import BrokenFile, CampaignFile
from petitions.campaign_files.writing import write
from petitions.publishing import Problem

__all__ = ["BrokenFile", "CampaignFile", "Loaded", "Problem", "load", "read", "write"]
