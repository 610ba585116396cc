"""Places that go wrong on demand: small disks, failing disks, folders that cannot be written.

What a machine permits differs. Each place says which way it was made, and where none is left, why not.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_CLONE_NEWNS, _MS_REC, _MS_PRIVATE = 0x20000, 0x4000, 1 << 18


class NotHere(Exception):
    """This machine does not permit it; the message says what would be needed."""


def mount_for_ourselves() -> bool:
    """From here on mounts of this process and its children are theirs alone; whether that is permitted."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.unshare(_CLONE_NEWNS) == 0 and libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None) == 0


def _call(*words: str | Path) -> bool:
    if shutil.which(str(words[0])) is None:
        return False
    return subprocess.run([str(word) for word in words], capture_output=True, check=False).returncode == 0


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Generator[None]:
    """A disk in memory of that size, mounted at the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if not _call("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder):
        raise NotHere("a small disk needs the right to mount one (root)")
    try:
        yield
    finally:
        _call("umount", "--lazy", folder)


def fill(folder: Path) -> Path:
    """A file that takes all the room that is left."""
    spare = folder / "spare"
    with suppress(OSError), spare.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**16))
    with suppress(OSError), spare.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 512)
    return spare


@contextmanager
def failing_disk(image: Path, folder: Path) -> Generator[None]:
    """An ext4 disk in a file, mounted at the folder: `fail` makes it do what the kernel does when a disk fails."""
    folder.mkdir(parents=True, exist_ok=True)
    made = False
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(32 * 2**20)
        made = True
    if made and not _call("mkfs.ext4", "-q", "-F", image):
        raise NotHere("a failing disk needs mkfs.ext4")
    if not _call("mount", "-o", "loop", image, folder):
        raise NotHere("a failing disk needs the right to mount a file as one (root, loop devices)")
    try:
        yield
    finally:
        if not _call("umount", folder):
            _call("umount", "--lazy", folder)


def fail(folder: Path) -> None:
    """As after an error of the disk: read-only at once, and what was not on the disk yet never gets there."""
    if not _call("mount", "-o", "remount,abort", folder):
        raise NotHere("this kernel cannot be told to give up an ext4 disk (remount,abort)")


@contextmanager
def read_only(folder: Path) -> Generator[str]:
    """Nothing can be written in the folder meanwhile; says how that was done. Nothing in it may be open."""
    if _call("mount", "--bind", folder, folder):
        try:
            if not _call("mount", "-o", "remount,ro,bind", folder):
                raise NotHere("this system does not mount folders read-only")
            yield "mounted read-only"
        finally:
            _call("umount", folder)
    elif os.geteuid() != 0:
        kept = {path: path.stat().st_mode for path in (folder, *folder.iterdir())}
        try:
            for path in kept:
                path.chmod(kept[path] & ~0o222)
            yield "permissions taken away"
        finally:
            for path, mode in kept.items():
                path.chmod(mode)
    else:
        raise NotHere("root writes whatever permissions say, and may not mount here")
