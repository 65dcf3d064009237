"""How a story is told, word by word, with the probability of each choice."""
