"""How a network learns, to the same result after a kill."""
