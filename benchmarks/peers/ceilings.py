"""What this machine can do at most: matrix products and copies, by one library.

    python -m benchmarks.peers.ceilings products --library torch|jax
    python -m benchmarks.peers.ceilings copies --core 0       # starts when its standard input says so

Needs numpy and the library it is asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

PRODUCT_SIZE = 3072
COPY_BYTES = 2**28
SECONDS = 2.0
"""Each figure is the best that was seen in so long."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("products", "copies"))
    parser.add_argument("--library", choices=("torch", "jax"))
    parser.add_argument("--core", type=int)
    given = parser.parse_args()
    if given.what == "copies":
        print(json.dumps(copied_bytes_a_second(given.core)))
    else:
        products = torch_product if given.library == "torch" else jax_product
        print(json.dumps({kind: flops_a_second(products(kind)) for kind in ("float32", "bfloat16")}))


def flops_a_second(multiply: Callable[[], Any]) -> float:
    """Floating-point operations a second in the fastest product of two large square matrices."""
    multiply()
    fastest, until = float("inf"), perf_counter() + SECONDS
    while perf_counter() < until:
        begin = perf_counter()
        multiply()
        fastest = min(fastest, perf_counter() - begin)
    return 2 * PRODUCT_SIZE**3 / fastest


def torch_product(kind: str) -> Callable[[], Any]:
    import torch

    from benchmarks.peers.torch_peer import cores

    torch.set_num_threads(cores())
    left, right = (torch.randn(PRODUCT_SIZE, PRODUCT_SIZE).to(getattr(torch, kind)) for _ in range(2))
    return lambda: left @ right


def jax_product(kind: str) -> Callable[[], Any]:
    import jax  # pyright: ignore[reportMissingImports]

    keys = jax.random.split(jax.random.key(0), 2)
    left, right = (jax.random.normal(key, (PRODUCT_SIZE, PRODUCT_SIZE)).astype(kind) for key in keys)
    product = jax.jit(lambda one, other: one @ other)
    return lambda: product(left, right).block_until_ready()


def copied_bytes_a_second(core: int | None) -> float:
    """Bytes read plus bytes written a second by copies beyond any cache, over all of the time.

    Waits for a line on standard input, so that one process per core can begin together.
    """
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    source, target = np.ones(COPY_BYTES, np.uint8), np.zeros(COPY_BYTES, np.uint8)
    print("ready", flush=True)
    sys.stdin.readline()
    begin, copies = perf_counter(), 0
    while perf_counter() - begin < SECONDS:
        np.copyto(target, source)
        copies += 1
    return 2 * COPY_BYTES * copies / (perf_counter() - begin)


if __name__ == "__main__":
    main()
