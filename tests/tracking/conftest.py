"""The fixtures of the command line: trials that end at once, in an empty folder."""

from tests.cli.conftest import fairtrial, make_arm, put, store, study  # noqa: F401
