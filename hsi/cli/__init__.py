"""The commands of `hsi`, one module per group."""
