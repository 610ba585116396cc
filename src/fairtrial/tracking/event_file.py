"""TensorBoard's event files, byte by byte: a few lines of code instead of a dependency.

A file is a row of records (TFRecord: length, checksum, content, checksum), each a protocol buffer `Event`. Field
numbers are those of TensorFlow's event.proto and summary.proto and of the hparams plugin's plugin_data.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

_POLYNOMIAL = 0x82F63B78  # CRC-32C (Castagnoli), bits reversed
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
SUCCESS, FAILURE = 1, 2
"""How the hparams plugin says that a run ended."""


def header(*, wall_time: float) -> bytes:
    """The record that every event file begins with."""
    return _record(_event(wall_time, _bytes(3, b"brain.Event:2")))


def scalars(values: Mapping[str, float], *, step: int, wall_time: float) -> bytes:
    """One record that holds figures of one step by name."""
    summary = b"".join(
        _bytes(1, _bytes(1, name.encode()) + _tag(2, _FLOAT) + struct.pack("<f", _single(value)))
        for name, value in values.items()
    )
    return _record(_event(wall_time, _tag(2, _VARINT) + _varint(step), _bytes(5, summary)))


def began(settings: Mapping[str, str | float | bool], *, group: str, wall_time: float) -> bytes:
    """What the hparams plugin shows: the run's settings, and which runs belong together as one group."""
    entries = b"".join(
        _bytes(1, _bytes(1, name.encode()) + _bytes(2, _value(value))) for name, value in settings.items()
    )
    info = entries + _bytes(4, group.encode()) + _double(5, wall_time)
    return _hparams("_hparams_/session_start_info", _bytes(3, info), wall_time)


def ended(status: int, *, wall_time: float) -> bytes:
    """That the run has ended, with SUCCESS or FAILURE."""
    info = _tag(1, _VARINT) + _varint(status) + _double(2, wall_time)
    return _hparams("_hparams_/session_end_info", _bytes(4, info), wall_time)


def _hparams(tag: str, content: bytes, wall_time: float) -> bytes:
    version = _tag(1, _VARINT) + _varint(0)
    metadata = _bytes(1, _bytes(1, b"hparams") + _bytes(2, version + content))
    empty = _tag(1, _VARINT) + _varint(1) + _bytes(2, _bytes(2, _tag(1, _VARINT) + _varint(0)))
    value = _bytes(1, tag.encode()) + _bytes(8, empty) + _bytes(9, metadata)
    return _record(_event(wall_time, _bytes(5, _bytes(1, value))))


def _event(wall_time: float, *fields: bytes) -> bytes:
    return _double(1, wall_time) + b"".join(fields)


def _value(value: str | float | bool) -> bytes:
    """A google.protobuf.Value: a truth, a number or a text."""
    if isinstance(value, bool):
        return _tag(4, _VARINT) + _varint(value)
    if isinstance(value, str):
        return _bytes(3, value.encode())
    return _double(2, value)


def _single(value: float) -> float:
    """What a float of 32 bits holds of it; beyond its range it is infinite."""
    return value if abs(value) <= 3.4028234e38 or value != value else float("inf") * (1 if value > 0 else -1)


def _tag(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _bytes(field: int, content: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(content)) + content


def _double(field: int, value: float) -> bytes:
    return _tag(field, _DOUBLE) + struct.pack("<d", value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _record(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + _checksum(length) + content + _checksum(content)


def _table_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(map(_table_entry, range(256)))


def _checksum(content: bytes) -> bytes:
    """CRC-32C, masked as TFRecord wants it: turned and shifted, so that a checksum of a checksum is none."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
