"""Templates of pages: everything is escaped but what the package wrote itself."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2


def content_hash(text: str) -> str:
    """What a page's policy calls a script or a style by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def markup(text: str) -> Any:
    """Text that stands in a page as it is."""
    from markupsafe import Markup

    return Markup(text)


def coded(text: str) -> Any:
    """A sentence, escaped; what stands between backticks in it looks like code.

    >>> str(coded("`fit` <b>"))
    '<code>fit</code> &lt;b&gt;'
    """
    return markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text)))


@cache
def environment() -> jinja2.Environment:
    """The package's templates; a name that a template misses is an error."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.PackageLoader("fairtrial.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["drawn"] = markup
    found.filters["coded"] = coded
    return found


def source(name: str) -> str:
    """The text of a template or a style as it stands in the package."""
    loader = environment().loader
    assert loader is not None
    return loader.get_source(environment(), name)[0]
