"""`python -m fairtrial`."""

from __future__ import annotations

from fairtrial.cli.app import main

main()
