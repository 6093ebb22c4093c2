"""The admin site that staff work in."""

from django.contrib import admin


class StaffSite(admin.AdminSite):
    site_title = "Undersigned"
    site_header = "Undersigned"
    index_title = "Campaigns"
