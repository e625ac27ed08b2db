"""Several files as one scene: bands of one place, or scenes of one sensor."""
