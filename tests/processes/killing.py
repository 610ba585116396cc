"""Ends a command as a power cut would, or as somebody who means only the command."""

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


def kill_command(process: subprocess.Popen[str]) -> None:
    """kill -9 of the command alone: its workers must see to their own end."""
    process.kill()
    process.communicate()
