"""Students' code run in a sandbox, checks run beside it, and what both make of it.

``worker`` runs a student's code and ``judge`` the checks, each in a ``sandbox`` room;
``rooms`` brings them together for one submission, ``batch`` for many, ``cluster`` on
many machines, and ``grade`` for a course. Nothing is imported here: what runs inside
the sandbox loads no more than it needs.
"""
