"""Which pixels train and test, and how much leaks."""
