"""How good a language model is: bits, intervals, its stories, its heads."""
