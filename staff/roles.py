"""The four roles of staff, as groups whose permissions follow from this table after every migration."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps as installed_apps

EDITOR = "editor"
PUBLISHER = "publisher"
SIGNATURE_MANAGER = "signature manager"
OWNER = "owner"

WRITE = ("view", "add", "change")
ALL = ("view", "add", "change", "delete")
READ = ("view",)

CAMPAIGN_WORK: dict[str, Iterable[str]] = {
    "campaigns.organization": WRITE,
    "campaigns.campaign": ALL,
    "campaigns.source": ALL,
    "campaigns.place": WRITE,
    "campaigns.target": ALL,
    "petitions.letter": ALL,
    "petitions.petition": ALL,
    "petitions.version": READ,
    "mailings.mailing": ALL,
}
SIGNERS: dict[str, Iterable[str]] = {
    "signers.supporter": READ,
    "signers.signature": (*READ, "remove", "export"),
    "signers.consent": READ,
    "signers.submission": (*READ, "delete"),
    "signers.outgoingmail": (*READ, "resend"),
    "signers.sharednetwork": ALL,
    "fraud.burst": READ,
    "fraud.rule": ("view", "change"),
    "fraud.alloweddomain": ALL,
}

# Model label to the verbs a role may do; “publish”, “remove” and the like are custom permissions of the model.
ROLES: dict[str, dict[str, Iterable[str]]] = {
    # Writes; sees numbers, never who signed.
    EDITOR: CAMPAIGN_WORK,
    # What an editor does, and puts it before the public.
    PUBLISHER: {
        **CAMPAIGN_WORK,
        "petitions.petition": (*ALL, "publish"),
        "mailings.mailing": (*ALL, "send"),
        "staff.auditentry": READ,
    },
    # Sees, exports, removes and restores signatures; changes no text.
    SIGNATURE_MANAGER: {
        "campaigns.organization": READ,
        "campaigns.campaign": READ,
        "petitions.petition": READ,
        "petitions.version": READ,
        "mailings.mailing": READ,
        "staff.auditentry": READ,
        **SIGNERS,
    },
    # Everything, and who may do what.
    OWNER: {
        **CAMPAIGN_WORK,
        **SIGNERS,
        "petitions.petition": (*ALL, "publish"),
        "mailings.mailing": (*ALL, "send", "approve"),
        "campaigns.organization": ALL,
        "staff.auditentry": READ,
        "staff.user": ALL,
        "staff.sitestate": ("view", "change"),
        "auth.group": READ,
    },
}


def grant_permissions(**_: Any) -> None:
    """Makes the groups and sets exactly the permissions of `ROLES`. Idempotent; receives `post_migrate`."""
    Group = installed_apps.get_model("auth", "Group")
    Permission = installed_apps.get_model("auth", "Permission")
    by_name = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for role, grants in ROLES.items():
        group, _created = Group.objects.get_or_create(name=role)
        wanted = [
            by_name[name]
            for label, verbs in grants.items()
            for verb in verbs
            if (name := permission_name(label, verb)) in by_name
        ]
        group.permissions.set(wanted)


def permission_name(label: str, verb: str) -> str:
    """`("petitions.petition", "publish")` to `"petitions.publish_petition"`."""
    app, model = label.split(".")
    return f"{app}.{verb}_{model}"
