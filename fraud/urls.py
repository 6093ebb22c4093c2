"""Addresses that the sign form's scripts fetch from."""

from django.urls import path

from fraud import views

urlpatterns = [path("proof-of-work.json", views.proof_of_work, name="proof-of-work")]
