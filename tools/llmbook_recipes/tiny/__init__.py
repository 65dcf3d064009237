"""``make tiny``: the shipped model trained, measured and written down."""
