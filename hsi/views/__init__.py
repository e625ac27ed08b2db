"""Scenes and their maps made small, to look at in a browser."""
