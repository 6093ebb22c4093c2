"""Wires the staff app: our admin site, and roles that follow every migration."""

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    name = "staff"
    default = True

    def ready(self) -> None:
        from staff.roles import grant_permissions

        # An app's permissions are made when its turn comes after a migration; in the last one's all of ours exist.
        last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
        post_migrate.connect(grant_permissions, sender=last, dispatch_uid="staff.roles")


class AdminConfig(DjangoAdminConfig):
    default = False
    default_site = "staff.site.StaffSite"
