"""What makes the book: notebooks as files, their runs, the pages, the command."""
