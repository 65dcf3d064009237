"""N-grams and the neural language model (chapters 00 and 06)."""
