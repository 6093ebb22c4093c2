"""The forms of the ask, one module for each part of the campaign’s form and for what staff do to petitions."""
