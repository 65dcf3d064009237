"""RNN, LSTM and GRU, and what is built on them (chapter 07)."""
