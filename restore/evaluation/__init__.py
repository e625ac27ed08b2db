"""Scores by the published protocol, and what is made of them."""
