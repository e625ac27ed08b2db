"""Image files to pixels and back, with all their metadata."""
