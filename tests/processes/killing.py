"""Ends a command as a power cut would."""

from __future__ import annotations

import contextlib
import subprocess

import psutil


def kill_tree(process: subprocess.Popen[str]) -> None:
    """kill -9 of the command and all its workers, which are in process groups of their own."""
    with contextlib.suppress(psutil.NoSuchProcess):
        command = psutil.Process(process.pid)
        for each in (command, *command.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    process.communicate()
