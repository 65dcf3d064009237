"""Word vectors: counts, PPMI, skip-gram, GloVe, neighbours (chapter 02)."""
