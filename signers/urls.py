"""Addresses of signing. Those with a token are in sent mail and stay put."""

from django.urls import path

from signers import link_views, views

urlpatterns = [
    path("petitions/<slug:slug>/sign/", views.sign, name="sign"),
    path("petitions/<slug:slug>/signed/<slug:code>/", views.signed, name="signed"),
    path("confirm/<str:token>/", link_views.confirm, name="confirm"),
    path("not-me/<str:token>/", link_views.not_me, name="not-me"),
]
