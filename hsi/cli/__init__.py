"""The commands of `hsi`, a module a group."""
