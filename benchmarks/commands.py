"""What the commands of this folder share: progress, options, and the command as anybody could give it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.environments import ROOT

OUTPUT = ROOT / "docs" / "evidence" / "performance.json"

_PLACES = ("--environment", "--cache", "--output")


def say(words: str) -> None:
    """Progress, for whoever waits."""
    print(words, file=sys.stderr, flush=True)


def at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=OUTPUT, help="JSON file that gets the figures")


def command(program: str, arguments: Sequence[str]) -> str:
    """The command without places of this machine, which do not change what is measured.

    >>> command("benchmarks/run", ["--row", "cnn-1", "--output", "x.json", "--cache=y"])
    'benchmarks/run --row cnn-1'
    """
    kept, place_follows = [program], False
    for word in arguments:
        if not place_follows and not word.startswith(_PLACES):
            kept.append(word)
        place_follows = word in _PLACES
    return " ".join(kept)
