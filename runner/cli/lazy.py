"""A group of commands that imports a command's module only when that command is called, so that all answer at once."""

import importlib
from collections.abc import Mapping

import rich_click as click


class LazyGroup(click.RichGroup):
    """`commands_in` names each command's module, the command's name in it, and what the help page says of it."""

    def __init__(self, *, commands_in: Mapping[str, tuple[str, str, str]], **about: object) -> None:
        super().__init__(**about)  # type: ignore[arg-type]
        self._commands_in = commands_in

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self._commands_in)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """A stand-in that knows the command's summary, for the help page and completion."""
        if cmd_name not in self._commands_in:
            return None
        return click.RichCommand(name=cmd_name, help=self._commands_in[cmd_name][2])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command itself, to be run."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and name in self._commands_in:
            module, attribute, _ = self._commands_in[name]
            command = getattr(importlib.import_module(module), attribute)
        return name, command, rest
