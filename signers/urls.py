"""Addresses of signing and of people's own pages. Those with a token are in sent mail and stay put."""

from django.urls import path

from signers import link_views, own_page_views, views

urlpatterns = [
    path("petitions/<slug:slug>/sign/", views.sign, name="sign"),
    path("petitions/<slug:slug>/signed/<slug:code>/", views.signed, name="signed"),
    path("confirm/<str:token>/", link_views.confirm, name="confirm"),
    path("not-me/<str:token>/", link_views.not_me, name="not-me"),
    path("me/", own_page_views.ask, name="own-page-link"),
    path("me/asked/", own_page_views.asked, name="own-page-asked"),
    path("me/<str:token>/", own_page_views.page, name="own-page"),
    path("me/<str:token>/data.json", own_page_views.as_json, name="own-data-json"),
    path("me/<str:token>/data.csv", own_page_views.as_csv, name="own-data-csv"),
    path("new-address/<str:token>/", own_page_views.new_address, name="new-address"),
]
