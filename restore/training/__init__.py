"""Patches, losses and schedules that make weights."""
