"""The admin site that staff work in."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path

from staff.signing_in import SignInForm

# The order of work; what is not named here comes after.
ORDER = ["campaigns", "petitions", "mailings", "signers", "fraud", "staff"]


class StaffSite(admin.AdminSite):
    site_title = "Undersigned"
    site_header = "Undersigned"
    index_title = "Overview"
    login_form = SignInForm
    empty_value_display = "–"
    # Forms and lists need the width; the head of each page leads to the main lists.
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        return sorted(
            apps, key=lambda app: ORDER.index(app["app_label"]) if app["app_label"] in ORDER else len(ORDER)
        )

    def get_urls(self) -> list[Any]:
        """With the page that switches parts of the site off."""
        own = path("site-state/", self.admin_view(self.site_state), name="site-state")
        return [own, *super().get_urls()]

    def site_state(self, request: HttpRequest) -> HttpResponse:
        from staff.switching_off import site_state_page  # models are not ready when this site is made

        return site_state_page(request, self)
