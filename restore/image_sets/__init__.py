"""Named image sets: known, found, fetched, kept apart."""
