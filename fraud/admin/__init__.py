"""Clusters, rules and lists in the admin."""

from fraud.admin import clusters, lists, rules

__all__ = ["clusters", "lists", "rules"]
