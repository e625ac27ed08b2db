"""ENVI: a header and its data file."""
