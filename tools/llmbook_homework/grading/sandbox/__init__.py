"""Code of others, run where it can read and change nothing but its own scratch.

``worker`` runs a student's code and ``checker`` the checks, each in a ``room``: a
``fork_server`` in ``bubblewrap``, within ``limits``. They talk by ``rpc``, in what
``codec`` lets through. Nothing is imported here: what runs inside loads no more than it
needs.
"""
