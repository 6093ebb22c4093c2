"""Addresses of what mailings lead to. Those with a token are in sent mail and stay put."""

from django.conf import settings
from django.urls import path

from mailings import views

urlpatterns = [
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("dear/<str:token>/", views.arrive, name="sign-link"),
    path("petitions/<slug:slug>/you/", views.reader_page, name="reader-page"),
    path("petitions/<slug:slug>/you/sign/", views.reader_sign, name="reader-sign"),
    path("petitions/<slug:slug>/you/not-me/", views.reader_leaves, name="reader-leaves"),
    path("petitions/<slug:slug>/thanks/<slug:code>/", views.thanks, name="reader-thanks"),
]

if settings.EMAIL_PROVIDER:
    from mailings import provider_reports  # and with it django-anymail, which most sites can do without

    urlpatterns.append(path("mail-reports/<slug:provider>/", provider_reports.receive, name="mail-reports"))
