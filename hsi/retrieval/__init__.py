"""Cross-modal retrieval: from a pixel's spectrum to patches of its class, and back."""
