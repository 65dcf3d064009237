"""To and from learning platforms: lists of students, submissions, and scores."""
