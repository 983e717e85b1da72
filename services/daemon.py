"""One daemon: `python -m services.daemon embed`. Wiring and runner, nothing else."""

import sys

import anyio

from services.kit.errors import SettingsError
from services.kit.lifetime import run_process, until_told_to_stop
from services.kit.log import set_up_logging
from services.kit.ready import database_ready
from services.kit.runner import Runner
from services.kit.settings import Settings, load_settings
from services.kit.stage import Stage
from services.stages import stage_named
from services.tools import Tools
from services.wiring import dsn_of, open_tools


async def serve(stage: Stage[Tools], settings: Settings) -> None:
    """Run a stage until the process is told to stop."""
    async with open_tools(settings, stage.name) as tools, anyio.create_task_group() as tasks:
        runner = Runner(dsn_of(settings), stage, tools, settings.queue)

        async def stop_when_told() -> None:
            await until_told_to_stop()
            runner.stop()
            starting.cancel()

        tasks.start_soon(stop_when_told)
        with anyio.CancelScope() as starting:
            await database_ready(dsn_of(settings))
        await runner.run()
        tasks.cancel_scope.cancel()


def main(arguments: list[str]) -> int:
    """Run the daemon named on the command line; 2 for wrong use, 1 when it cannot serve."""
    try:
        stage = stage_named(arguments[0] if arguments else "")
        settings = load_settings()
    except (KeyError, SettingsError) as error:
        print(error.args[0], file=sys.stderr)  # noqa: T201 - before logging is set up
        return 2
    set_up_logging(settings.log_level, settings.log_format, stage.name)
    return run_process(serve, stage, settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
