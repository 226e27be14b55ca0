"""Draw a list of thousands of rows: only those that can be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

#: Draws an entry in lines of a width; as many as it is asked for.
Draw = Callable[[Any, int, int], Sequence[Content]]


class Entry(NamedTuple):
    """One row: what it is found again by, and what it is drawn from."""

    key: str
    item: object


class Rows(ScrollView, can_focus=True, inherit_bindings=False):
    """Entries below each other, one of them under the cursor.

    The cursor stays on its entry when the entries change, and on its place when that is gone.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--row", "rows--cursor", "rows--hover"}
    DEFAULT_CSS = """
    Rows { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    Rows > .rows--hover { background: $foreground 6%; }
    Rows.last > .rows--cursor { background: $foreground 12%; }
    Rows:focus > .rows--cursor { background: $primary 38%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-1000000)", "First", show=False),
        Binding("end", "move(1000000)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    class Moved(Message):
        """The cursor is on another entry, or on none."""

        def __init__(self, rows: Rows) -> None:
            super().__init__()
            self.rows = rows

    class Chosen(Moved):
        """Enter, or a double click."""

    def __init__(self, draw: Draw, *, id: str, empty: str = "", tall: int = 1) -> None:
        """`empty` is shown if there is no entry; `tall`: the lines of an entry."""
        super().__init__(id=id)
        self._draw, self._empty, self._tall = draw, empty, tall
        self._entries: tuple[Entry, ...] = ()
        self._cursor = 0
        self._hover = -1

    # -- what is shown -------------------------------------------------------------

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        return self._entries[self._cursor] if self._entries else None

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self._entries

    def fill(self, entries: Sequence[Entry], *, tall: int = 0) -> None:
        """Show these from now on; `tall` is as before where it is 0."""
        new, tall = tuple(entries), tall or self._tall
        if (new, tall) == (self._entries, self._tall):
            return
        before = self.entry
        self._entries, self._tall = new, tall
        found = next((n for n, one in enumerate(new) if before and one.key == before.key), None)
        self._cursor = min(self._cursor, max(0, len(new) - 1)) if found is None else found
        self._hover = -1
        self.virtual_size = Size(0, len(new) * tall)
        self.refresh()
        if self.entry != before:
            self.post_message(self.Moved(self))
            self._show_cursor()

    def head(self, title: Content) -> None:
        """Set the title above the entries."""
        if title.markup != self.border_title:
            self.border_title = title

    def go_to(self, key: str) -> bool:
        """Put the cursor on an entry, if it is there."""
        found = next((n for n, one in enumerate(self._entries) if one.key == key), None)
        if found is not None:
            self._go(found)
        return found is not None

    def _go(self, index: int) -> None:
        index = max(0, min(index, len(self._entries) - 1))
        if self._entries and index != self._cursor:
            self._cursor = index
            self.refresh()
            self.post_message(self.Moved(self))
        self._show_cursor()

    def _show_cursor(self) -> None:
        where = Region(0, self._cursor * self._tall, 1, self._tall)
        self.scroll_to_region(where, animate=False, force=True, immediate=True)

    # -- drawing -------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index, part = divmod(y + self.scroll_offset.y, self._tall)
        if index >= len(self._entries):
            content = Content(self._empty if y == 0 and not self._entries else "")
            content = content.stylize("$muted")
            style = self.get_visual_style("rows--row")
        else:
            content = self._draw(self._entries[index].item, width, self._tall)[part]
            name = "rows--hover" if index == self._hover else "rows--row"
            style = self.get_visual_style("rows--cursor" if index == self._cursor else name)
        if width < 1:
            return Strip.blank(0)
        content = content.truncate(width, ellipsis=True)
        strips = Visual.to_strips(self, content, width, 1, style, pad=True)
        return strips[0] if strips else Strip.blank(width, style.rich_style)

    # -- keys and mouse ------------------------------------------------------------

    def action_move(self, by: int) -> None:
        self._go(self._cursor + by)

    def action_page(self, direction: int) -> None:
        self._go(self._cursor + direction * max(1, self.size.height // self._tall - 1))

    def action_choose(self) -> None:
        if self._entries:
            self.post_message(self.Chosen(self))

    def on_focus(self) -> None:
        self.post_message(self.Moved(self))

    def on_click(self, event: events.Click) -> None:
        index = self._index_at(event)
        if index < 0:
            return
        self._go(index)
        if event.chain == 2:
            self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if (index := self._index_at(event)) != self._hover:
            self._hover = index
            self.refresh()

    def on_leave(self) -> None:
        self._hover = -1
        self.refresh()

    def _index_at(self, event: events.MouseEvent) -> int:
        offset = event.get_content_offset(self)
        if offset is None:
            return -1
        index = (offset.y + self.scroll_offset.y) // self._tall
        return index if index < len(self._entries) else -1
