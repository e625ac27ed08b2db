"""Denoise a cube: its noise, its subspace, its eigen-images, and artefacts of sensors."""
