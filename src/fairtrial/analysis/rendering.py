"""How answers show themselves in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairtrial.analysis.values import Answer


class Rendered:
    """Whatever holds answers and renders as HTML, as Markdown and as plain text."""

    __slots__ = ()

    def _answers(self) -> tuple[Answer, ...]:
        raise NotImplementedError

    def __repr__(self) -> str:
        """What was answered, a line each: whoever prints answers wants to read them, not their two hundred fields."""
        lines = [f"{one.question}: {one.sentence}" for one in self._answers()]
        return "\n".join(lines) or "no questions are asked"

    def _repr_html_(self) -> str:
        from fairtrial.analysis.html import answers_html

        return answers_html(self._answers())

    def _repr_markdown_(self) -> str:
        from fairtrial.analysis.markdown import answers_markdown

        return answers_markdown(self._answers())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """All of them at once: without it Jupyter would add the whole data as plain text."""
        return {
            "text/plain": repr(self),
            "text/html": self._repr_html_(),
            "text/markdown": self._repr_markdown_(),
        }
