"""Torch modules of window networks, dense and shared evaluation."""
