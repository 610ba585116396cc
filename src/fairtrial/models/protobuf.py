"""The metadata of an ONNX file, read without running anything: a few fields of a Protocol Buffers message."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from fairtrial.errors import FairtrialError

LARGEST_FILE = 2**31
LARGEST_PROPERTY = 2**24
"""Of all properties together."""
_METADATA, _KEY, _VALUE = 14, 1, 2
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_MOST_FIELDS = 10_000
_MOST_OF_A_PROPERTY = 100


def metadata(path: Path) -> dict[str, str]:
    """ModelProto.metadata_props as a mapping. Raises FairtrialError for a file that is no such message."""
    found: dict[str, str] = {}
    room = LARGEST_PROPERTY
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ValueError("it is larger than 2 GiB")
        with path.open("rb") as file:
            for _ in range(_MOST_FIELDS):
                if file.tell() >= size:
                    return found
                field, kind = divmod(_varint(file), 8)
                if kind == _LENGTH:
                    length = _varint(file)
                    if file.tell() + length > size:
                        raise ValueError("it is cut short")
                    if field == _METADATA:
                        room -= length
                        key, value = _pair(_read(file, length, most=room + length))
                        found[key] = value
                    else:
                        file.seek(length, 1)
                elif kind == _VARINT:
                    _varint(file)
                elif kind in (_EIGHT, _FOUR):
                    _read(file, 8 if kind == _EIGHT else 4)
                else:
                    raise ValueError("a field is of no known kind")
            raise ValueError("it has too many fields")
    except (OSError, ValueError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FairtrialError(f"{path}: it is no ONNX file ({reason[:100]})") from None


def _pair(content: bytes) -> tuple[str, str]:
    texts: dict[int, str] = {}
    at = 0
    for _ in range(_MOST_OF_A_PROPERTY):
        if at >= len(content):
            return texts.get(_KEY, ""), texts.get(_VALUE, "")
        field, kind = divmod(content[at], 8)
        length, at = _varint_in(content, at + 1)
        if kind != _LENGTH or at + length > len(content):
            raise ValueError("a property of it is damaged")
        texts[field] = content[at : at + length].decode()
        at += length
    raise ValueError("a property of it has too many fields")


def _read(file: BinaryIO, length: int, *, most: int = LARGEST_PROPERTY) -> bytes:
    if length > most:
        raise ValueError("a property of it is too large")
    content = file.read(length)
    if len(content) != length:
        raise ValueError("it is cut short")
    return content


def _varint(file: BinaryIO) -> int:
    found = 0
    for shift in range(0, 70, 7):
        (byte,) = _read(file, 1)
        found |= (byte & 127) << shift
        if byte < 128:
            return found
    raise ValueError("a number in it has no end")


def _varint_in(content: bytes, at: int) -> tuple[int, int]:
    found = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise ValueError("it is cut short")
        byte = content[at]
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, at
    raise ValueError("a number in it has no end")
