"""Hyperspectral scenes: read, reduce, split without leakage, train, classify whole, score."""
