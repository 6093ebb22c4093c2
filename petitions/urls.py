"""Public addresses of campaigns and petitions."""

from django.urls import path

from petitions import views

urlpatterns = [
    path("", views.home, name="home"),
    path("campaigns/<slug:slug>/", views.campaign, name="campaign"),
    path("petitions/<slug:slug>/", views.petition, name="petition"),
    path("petitions/<slug:slug>/count.json", views.count, name="count"),
    path("petitions/<slug:slug>/versions/", views.versions, name="versions"),
    path("organizations/<int:pk>/accent-<slug:digest>.css", views.accent, name="accent"),
    path("organizations/<int:pk>/logo-<slug:digest>", views.logo, name="logo"),
]
