"""The exact words a choice is asked in; they are kept with every consent."""

from campaigns.models import Organization

UPDATES_ANSWERS = (("yes", "Yes, keep me informed"), ("no", "No, thank you"))


def updates_question(organization: Organization) -> str:
    return f"May {organization.name} send you updates by e-mail?"


def updates_wording(organization: Organization) -> str:
    """The question with its two answers, as shown."""
    return f"{updates_question(organization)} {' / '.join(label for _value, label in UPDATES_ANSWERS)}"


def no_more_updates_wording(organization: Organization) -> str:
    """What stands beside the box of somebody who withdraws a signature."""
    return f"Also send me no more updates from {organization.name}."
