"""Quality layers of products: clouds, shadows, defective pixels."""
