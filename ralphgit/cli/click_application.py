"""Build help, usage errors and completion with click, from the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ralphgit.cli.command_spec import Command, Param
from ralphgit.cli.command_table import COMMANDS, GLOBAL, GROUPS
from ralphgit.cli.fast_argv import Line, stands_alone, verb
from ralphgit.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


#: Each command's help is to fit on a screen of 24 lines, below the line that asked for it; so the
#: column of options must not become wide.
_SCREEN, _COLUMN = 23, 24


class _Group(click.Group):
    """The program: its commands under the headings of the table."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for group in GROUPS:
            rows = [(c.name, c.help) for c in COMMANDS.values() if c.group == group]
            if rows:
                with formatter.section(group.capitalize()):
                    formatter.write_dl(rows)


class _Command(click.Command):
    """A command, with what there is to choose from below its options."""

    def __init__(self, command: Command, **values: Any) -> None:
        super().__init__(command.name, **values)
        self._table = command.params

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Make the parameters once they are asked for: the program's help shows none of them."""
        if not self.params:
            self.params = [_parameter(one) for one in self._table]
            self.params += [_parameter(one, hidden=True) for one in GLOBAL]
        return super().get_params(ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give each option that stands without its value the one that it then has."""
        words, position = list[str](), 0
        options = {flag: one for one in (*self._table, *GLOBAL) for flag in one.flags}
        while position < len(args):
            param = options.get(args[position])
            if args[position] == "--":
                break
            if param is not None and param.alone:
                taken, value = stands_alone(args, position, param)
                words.append(f"{args[position]}={value}")
            else:
                taken = 1 if param is None or param.kind == "flag" else 2
                words += args[position : position + taken]
            position += taken
        return super().parse_args(ctx, [*words, *args[position:]])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from ralphgit.cli.command_call import surroundings

        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        records = [one.get_help_record(ctx) for one in options]
        with formatter.section("Options"):
            formatter.write_dl([one for one in records if one is not None], col_max=_COLUMN)
        for param in self._table:
            if param.listed is None:
                continue
            folder = surroundings(ctx.find_root().params.get("directory") or "").directory
            found = [
                (one.name, f"{one.help} ({one.package})" if one.package else one.help)
                for one in param.listed(folder)
            ]
            described = ctx.make_formatter()
            with described.indentation():
                described.write_dl(found)
            text = described.getvalue()
            # Where there is no room for what each of them is, the names do.
            fits = (formatter.getvalue() + text).count("\n") + 2 <= _SCREEN
            with formatter.section(f"{param.metavar.capitalize()}s"):
                if fits:
                    formatter.write(text)
                else:
                    formatter.write_text(", ".join(name for name, _ in found))


class _Option(click.Option):
    """An option; that a number is not negative goes without saying."""

    def get_help_extra(self, ctx: click.Context) -> Any:
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


def program(name: str = "ralphgit") -> click.Group:
    """Build the whole command line for click."""
    group = _Group(
        name=name,
        help="A git-native record store for coding agents that work in parallel.",
        params=[*map(_parameter, GLOBAL), _version()],
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
    )
    for command in COMMANDS.values():
        group.add_command(_command(command))
    return group


def _version() -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            from ralphgit import __version__

            click.echo(f"ralphgit {__version__}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=show,
        help="Show the version and exit.",
    )  # fmt: skip


def _command(command: Command) -> click.Command:
    many = [param.name for param in command.params if param.kind == "many"]

    def found(**values: Any) -> Line:
        outer = click.get_current_context().parent
        given = {name: value for name, value in values.items() if _given(value)}
        given |= {name: [*given[name]] for name in many if name in given}
        merged = {**(outer.params if outer else {}), **given}
        return Line(command.name, {n: v for n, v in merged.items() if _given(v)})

    return _Command(
        command,
        callback=found,
        help=command.help + (f"\n\n{command.detail}" if command.detail else ""),
        short_help=command.help,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _given(value: object) -> bool:
    """Whether a value was on the line; 0 and "" can be."""
    return not (value is None or value is False or value == ())


def _parameter(param: Param, *, hidden: bool = False) -> click.Parameter:
    choice = click.Choice(param.choices) if param.choices else None
    if not param.flags:
        return click.Argument(
            [param.name], required=param.kind not in ("optional", "any"), metavar=param.metavar,
            nargs=-1 if param.kind in ("rest", "any") else 1, type=choice,
            shell_complete=_completing(param),
        )  # fmt: skip
    kinds: dict[str, dict[str, Any]] = {
        "flag": {"is_flag": True},
        "int": {"type": click.IntRange(min=0)},
        "many": {"multiple": True},
        "text": {},
    }
    extra = kinds[param.kind]
    if choice is not None:
        extra = {**extra, "type": choice}
    metavar, told = param.metavar or None, param.help
    if choice is not None:
        metavar = f"[{'|'.join(param.choices)}]"
        if len(f"{param.flags[-1]} {metavar}") > _COLUMN:
            metavar, told = param.name.upper(), f"{told[:-1]}: {_listing(param.choices)}."
    return _Option(
        [param.name, *param.flags], help=told, required=param.required, hidden=hidden,
        metavar=metavar,
        shell_complete=_completing(param), **extra,
    )  # fmt: skip


def _listing(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if words[1:] else words[0]


def _completing(param: Param) -> Callable[..., list[CompletionItem[str]]] | None:
    """Return what offers words for a parameter that is not a choice; None leaves it to click."""
    if param.kind == "flag" or param.choices:
        return None

    def offer(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem[str]]:
        from click.shell_completion import CompletionItem

        from ralphgit.cli import completion_values
        from ralphgit.cli.command_call import surroundings

        if kind := completion_values.is_file(param):
            return [CompletionItem(begun, type=kind)]
        around = surroundings(ctx.find_root().params.get("directory"))
        found = completion_values.words(around, ctx.info_name or "", param, ctx.params)
        return [
            CompletionItem(word.value, help=word.help or None)
            for word in found
            if word.value.startswith(begun)
        ]

    return offer


def _sentence(error: click.UsageError) -> str:
    """click's message on one line, with such suggestions alone as look like the word."""
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        alike = [word for word in error.possibilities or () if _alike(name, word)]
        error = click.NoSuchOption(name, possibilities=alike, ctx=error.ctx)
    return error.format_message().replace("\n\t", " ")


def _alike(one: str, other: str) -> bool:
    from difflib import SequenceMatcher

    # As close as `difflib.get_close_matches` asks for; click counts the dashes, too.
    return SequenceMatcher(None, one.lstrip("-"), other.lstrip("-")).ratio() >= 0.6


def read(words: Sequence[str], name: str) -> Line | int:
    """Read the command line with click; returns the exit code if it was shown help instead.

    Raises: UsageError with click's message.
    """
    try:
        result = program(name).main(list(words), prog_name=name, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return 2
    except click.UsageError as error:
        known = verb(words) in COMMANDS
        command = f"{name} {verb(words)}" if known else name
        raise UsageError(_sentence(error), hint=f"{command} --help") from None
    except click.Abort:
        raise KeyboardInterrupt from None
    return result if isinstance(result, Line) else int(result or 0)
