"""Define two calm themes and the layout."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="ralphgit-dark", dark=True,
    background="#14161a", surface="#14161a", panel="#20242b", foreground="#d3d7de",
    primary="#6ea8fe", secondary="#8b93a3", accent="#6ea8fe",
    success="#7cc48d", warning="#d9b45f", error="#e5787f",
    variables={"muted": "#868d99", "faint": "#3a3f48"},
)  # fmt: skip
LIGHT = Theme(
    name="ralphgit-light", dark=False,
    background="#fcfcfa", surface="#fcfcfa", panel="#ecece7", foreground="#23262b",
    primary="#2b65c4", secondary="#6b7078", accent="#2b65c4",
    success="#23743b", warning="#8a5a00", error="#b3303c",
    variables={"muted": "#6b7078", "faint": "#d0d0ca"},
)  # fmt: skip

CSS = """
View {
    background: $background;
    scrollbar-background: $background; scrollbar-background-hover: $background;
    scrollbar-color: $faint; scrollbar-color-hover: $muted; scrollbar-color-active: $primary;
}
View *, Dialog * {
    scrollbar-background: $background; scrollbar-background-hover: $background;
    scrollbar-background-active: $background;
    scrollbar-color: $faint; scrollbar-color-hover: $muted; scrollbar-color-active: $primary;
}

#head { height: 1; padding: 0 1; }
#head > #project { width: 1fr; height: 1; }
#head > #doing { width: auto; height: 1; color: $muted; }
#trouble { display: none; height: auto; max-height: 5; padding: 0 1;
           background: $error 22%; color: $foreground; }
#trouble.shown { display: block; }
#search { display: none; height: 1; margin: 0 1; border: none; padding: 0 1; background: $panel; }
#search.shown { display: block; }

#columns { height: 3fr; padding: 0 1; scrollbar-size-horizontal: 1; }
#below { height: 2fr; min-height: 10; padding: 0 1; }
#left { width: 2fr; min-width: 30; margin-right: 1; }
#context { width: 3fr; }

Rows, .panel {
    border-top: solid $faint; border-title-color: $muted; border-title-style: none;
}
Rows:focus, .panel:focus-within, .panel:focus {
    border-top: solid $primary; border-title-color: $primary; border-title-style: bold;
}
#columns Rows { height: 100%; margin-right: 1; }
#columns Rows.folded { display: none; }
#inbox { height: 1fr; }
#workers { height: 1fr; }
Dialog Rows, Dialog Rows:focus { border-top: none; }

#details { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
#details > Static { height: auto; }
#log { height: 1fr; display: none; background: $background; scrollbar-size-vertical: 1; }
#context.log #log { display: block; }
#context.log #details { display: none; }
#said { display: none; height: auto; max-height: 6; }
#said.shown { display: block; }
#answer { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
#answer.shown { display: block; }

View.zoomed #columns, View.zoomed #left { display: none; }
Toast { background: $panel; max-width: 80; }
"""
