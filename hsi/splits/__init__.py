"""Splits of the labelled pixels into training and test pixels, and their leakage."""
