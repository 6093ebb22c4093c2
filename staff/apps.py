"""Wires the staff app: our admin site, and roles that follow every migration."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    name = "staff"
    default = True

    def ready(self) -> None:
        from staff.roles import grant_permissions

        # Permissions exist only after an app has migrated, so the roles are brought up to date then.
        post_migrate.connect(grant_permissions, dispatch_uid="staff.roles")


class AdminConfig(DjangoAdminConfig):
    default = False
    default_site = "staff.site.StaffSite"
