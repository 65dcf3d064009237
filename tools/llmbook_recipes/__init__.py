"""What takes hours and is stored: the model `tiny`, the ladder, runs over seeds."""
