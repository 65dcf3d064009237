"""Homework: set chapters, collect, grade in a sandbox, and give reasons.

Students have ``check``, in a notebook (`student_check`) as on the command line;
instructors ``llmbook homework``.
"""
