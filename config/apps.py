"""Makes the wiring an app, so that its command `work` and its checks are found."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
