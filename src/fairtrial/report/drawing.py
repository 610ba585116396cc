"""Charts as SVG, PDF and PNG, drawn without a browser and without a network: the only module that draws."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import altair as alt
import vl_convert

from fairtrial.report.figure_rows import drawable

_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with the caption that says what to see; drawn when it is asked for."""

    name: str
    caption: str
    draw: Callable[[], Any]
    """Makes the chart, an `altair` one."""

    @property
    def chart(self) -> Any:
        return self.draw()

    def svg(self) -> str:
        spec = _drawable(self.chart.to_dict(validate=False))
        drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE, allowed_base_urls=[])
        # For readers who hear it, and for whoever finds the file without its text.
        said = f'role="img"><title>{escape(drawable(self.caption))}</title>'
        return re.sub(r"(<svg\b[^>]*)>", lambda found: f"{found[1]} {said}", _renumbered(drawn), count=1)

    def pdf(self) -> bytes:
        return pdf(self.svg())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """SVG, and PNG for where a notebook that is not trusted yet must not show SVG."""
        drawn = self.svg()
        png = smaller(vl_convert.svg_to_png(drawn))
        return {
            "text/plain": self.caption,
            "image/svg+xml": drawn,
            "image/png": b64encode(png).decode("ascii"),
        }


def _renumbered(svg: str) -> str:
    """The same drawing with its clips named after itself and counted from 0.

    The renderer counts on through a process's life; and where several drawings stand in one document, a name
    means the first that has it: a bar would be clipped by another drawing's frame.
    """
    names = dict.fromkeys(re.findall(r'<clipPath id="(clip\d+)"', svg))

    def named(prefix: str) -> str:
        numbers = {name: f"{prefix}{number}" for number, name in enumerate(names)}

        def tag(found: re.Match[str]) -> str:
            return re.sub(r"\bclip\d+\b", lambda name: numbers.get(name[0], name[0]), found[0])

        return re.sub(r"<[^<>]*>", tag, svg)

    return named(f"clip-{hashlib.sha256(named('clip').encode()).hexdigest()[:12]}-")


def _drawable(spec: Any) -> Any:
    """The same specification without characters that would end the renderer, and with it this process."""
    match spec:
        case str():
            return drawable(spec)
        case list():
            return [_drawable(one) for one in spec]
        case dict():
            return {name: _drawable(one) for name, one in spec.items()}
        case _:
            return spec


def pdf(svg: str) -> bytes:
    return vl_convert.svg_to_pdf(svg)


def smaller(png: bytes) -> bytes:
    """The same picture with its pixels packed tightly: a quarter of what the renderer writes in a hurry."""
    found: list[tuple[bytes, bytes]] = []
    place = 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        found.append((png[place + 4 : place + 8], png[place + 8 : place + 8 + length]))
        place += 12 + length
    pixels = zlib.decompress(b"".join(body for kind, body in found if kind == b"IDAT"))
    head = [one for one in found if one[0] not in (b"IDAT", b"IEND")]
    chunks = [*head, (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return png[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
