"""Public addresses of campaigns and petitions."""

from django.urls import path

from petitions import campaign_views, finder_views, share_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("campaigns/<slug:slug>/", campaign_views.campaign, name="campaign"),
    path("campaigns/<slug:slug>/find/", finder_views.find, name="find"),
    path("campaigns/<slug:slug>/nominate/", finder_views.nominate, name="nominate"),
    path("campaigns/<slug:slug>/nominated/", finder_views.nominated, name="nominated"),
    path("petitions/<slug:slug>/", views.petition, name="petition"),
    path("petitions/<slug:slug>/count.json", views.count, name="count"),
    path("petitions/<slug:slug>/versions/", views.versions, name="versions"),
    path("petitions/<slug:slug>/share-<slug:digest>.png", share_views.image, name="share-image"),
    path("s/<slug:code>", share_views.short_address, name="short-address"),
    path("s/<slug:code>/", share_views.short_address, name="short-address-slash"),
    path("organizations/<int:pk>/accent-<slug:digest>.css", views.accent, name="accent"),
    path("organizations/<int:pk>/logo-<slug:digest>", views.logo, name="logo"),
]
