"""``make ladder``: every rung built and measured, and the races run."""
