"""What image restoration and scene classification share: devices, training, artefacts, tables."""
