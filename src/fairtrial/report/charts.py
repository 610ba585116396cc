"""A chart: the same figures as a static drawing and as a Vega-Lite specification with its data.

The drawing stands in the page from the start; where there is JavaScript, the chart takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Columns = Mapping[str, list[Any]]
Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows of a chart: columns of equal length, and values that all of its rows share.

    Charts that show the same `columns` object share it in the page.
    """

    columns: Columns
    shared: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Toggle:
    """Something a reader may hide: `key` is `field:value` of the rows concerned."""

    key: str
    label: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`label` tells a reader who does not see it what is drawn, `caption` any reader what to look for.

    `lead` is the one sentence that the chart is there for; empty where it makes no statement. A `wide` one takes the
    width of the page, and on a narrow screen is moved sideways in its frame.
    """

    title: str
    label: str
    caption: str
    drawing: str
    spec: Spec
    data: Mapping[str, tuple[Part, ...]]
    toggles: tuple[Toggle, ...] = ()
    lead: str = ""
    wide: bool = False
