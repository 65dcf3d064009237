"""The book's models, one file an idea. No training code lives here."""
