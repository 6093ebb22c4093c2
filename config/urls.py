"""Every address of the site; the public ones stay put because links in sent mail depend on them."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("mailings.urls")),
    path("", include("fraud.urls")),
    path("", include("signers.urls")),
    path("", include("petitions.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"
