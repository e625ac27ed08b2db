"""What probabilities are worth: temperature, sets of stated coverage, and how far both hold."""
