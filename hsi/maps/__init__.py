"""A whole scene to a map, block by block, resumable."""
