"""Text drawn from a model: temperature, top-k, nucleus, the cache."""
