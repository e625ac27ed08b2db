"""What is done to a clean image: exact in NumPy, batched in torch."""
