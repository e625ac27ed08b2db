"""Threads that work ahead of time, or side by side."""
