"""Targets in bulk: a list from a spreadsheet, read, compared with a campaign, corrected and applied."""
