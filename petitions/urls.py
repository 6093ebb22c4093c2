"""Public addresses of campaigns and petitions."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
