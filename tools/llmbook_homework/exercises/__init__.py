"""The exercises of a chapter: task, answer, check, and the code that they need."""
