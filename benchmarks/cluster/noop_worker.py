"""A worker that trains nothing: it answers every order at once with made-up figures of the usual size."""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks.growing.stores import outcome
from fairtrial.data import catalog
from fairtrial.trial import Ready
from fairtrial.wire import Order, decode_order, encode_event


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int)
    parser.add_argument("--core", type=int)
    parser.parse_args()
    labels = catalog.load("mnist").test_labels
    facts = {"machine": "none", "processor": "none", "process": str(os.getpid())}
    print(encode_event(Ready()), flush=True)
    for line in sys.stdin:
        order = decode_order(line)
        assert isinstance(order, Order)
        print(encode_event(outcome(order.trial, labels, facts)), flush=True)


if __name__ == "__main__":
    main()
