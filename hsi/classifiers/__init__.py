"""One interface, everything behind it, and training them."""
