"""Makes the wiring an app, so that its command `work` and its checks are found."""

from django.apps import AppConfig

from config import error_reports


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        error_reports.start()
