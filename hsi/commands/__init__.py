"""Commands of `hsi`, by what they work on, and the arguments they share."""
