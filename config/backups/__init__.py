"""Backups: making one while everything runs, proving it, and bringing it back without those who have left since."""
