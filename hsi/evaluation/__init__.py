"""Scores, tests, tables, studies."""
