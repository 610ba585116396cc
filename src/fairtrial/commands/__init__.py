"""Trials of programs of the user's own: run, read and timed as `docs/command-arms.md` says."""
