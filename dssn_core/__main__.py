"""The command line of DSSN Explorer."""

import io
import os
import re
import sys

from .allocator import keep_freed_memory
from .commands import attack, certificates, evaluating, figures, installation, making
from .commands.options import Command, Parser

COMMANDS: dict[str, Command] = {
    **certificates.COMMANDS,
    **attack.COMMANDS,
    **making.COMMANDS,
    **evaluating.COMMANDS,
    **figures.COMMANDS,
    **installation.COMMANDS,
}


def all_commands() -> Parser:
    parser = Parser(prog="python -m dssn_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command.add_options(commands.add_parser(name, help=command.help, description=command.help))
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 refused with a message, 130 interrupted.

    Wrong usage ends with 2, `verify` and `self-check` also with what they found.
    """
    if sys.stderr is None:  # where it was closed, too, there is no place for progress and warnings
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (until the process ends)
    parser = all_commands()
    options = parser.parse_args(arguments)
    keep_freed_memory()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a letter is no reason to stop
        sys.stdout.reconfigure(errors="replace")
    try:
        code = COMMANDS[options.command].run(options)
        if sys.stdout is not None:  # as where it was closed
            sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads has seen enough, as `| head` does; Python's own flush is to meet no pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, FloatingPointError, OSError) as error:
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not re.search("allocate memory|not enough memory", str(error)):
            raise  # torch has no error of its own for it
        print(f"{parser.prog} {options.command}: there is not enough memory for this", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
