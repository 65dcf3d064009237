"""MLPs, an autograd engine, optimisers, normalisation (chapters 03 to 05)."""
