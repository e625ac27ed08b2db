"""Scores of maps, tests of their differences, tables, and studies of settings."""
