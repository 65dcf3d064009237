"""Submissions graded: students' code in a sandbox, checks beside it, and the results.

``grader`` grades one submission, ``batch`` many, ``cluster`` on many machines, and
``grade`` those of a course.
"""
