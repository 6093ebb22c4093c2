"""Tools that know nothing of petitions: text, notes and safe HTML."""
