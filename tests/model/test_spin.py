"""The gate's protocol in a model checker: every order of every step of a few clients, and the mistakes it must find."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

MODEL = Path(__file__).with_name("gate.pml")
NEEDED = ("spin", "cc")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
HOW_TO_GET_THEM = f"Not found: {', '.join(MISSING)}. `apt-get install spin gcc` brings them."
LIMIT_S = 100
DEPTH = 300_000
"""Steps of the longest path; the search tells when it was too short."""
PLAIN = {"CAPACITY": "1", "UPPER": "2", "MIDDLE": "0", "LOWER": "2", "FAULTS": "1"}
"""What is searched where a test says nothing else: clients of each class, and how many of them die or are cancelled."""
SAFETY = ("-DSAFETY",)
PROGRESS = ("-DNP", "-DNFAIR=3")
FAIR = ("-l", "-f")
"""Looks for a loop in which nobody is let in, though everybody who can take a step takes one at some time."""
ONLY_STUCK = ("-A",)
"""Passes over broken assertions, to find who waits for ever."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=HOW_TO_GET_THEM)]


@dataclass(frozen=True)
class Verdict:
    """What the checker printed at its end."""

    output: str

    @property
    def errors(self) -> int:
        found = re.search(r"errors: (\d+)", self.output)
        assert found, self.output
        return int(found[1])

    @property
    def exhaustive(self) -> bool:
        """Tell whether no path was cut short."""
        return "max search depth too small" not in self.output and "not completed" not in self.output

    @property
    def broken(self) -> str:
        """Give the first complaint."""
        return next((line for line in self.output.splitlines() if line.startswith("pan:")), "")


def checked(folder: Path, parameters: str, search: tuple[str, ...] = SAFETY, options: tuple[str, ...] = ()) -> Verdict:
    """Search every state of the model with these parameters."""
    given = dict(parameter.partition("=")[::2] for parameter in parameters.split())
    defined = [f"-D{name}={value}" if value else f"-D{name}" for name, value in (PLAIN | given).items()]
    said(folder, "spin", "-a", *defined, str(MODEL))
    said(folder, "cc", "-O0", "-w", "-DVECTORSZ=2048", *search, "-o", "pan", "pan.c")
    return Verdict(said(folder, "./pan", f"-m{DEPTH}", *options))


def said(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.parametrize(
    "parameters",
    [
        "FAULTS=1",
        "FAULTS=1 LOWER=1 REARM",
        "FAULTS=0 UPPER=3 LOWER=1 REARM",
        "FAULTS=1 UPPER=1 MIDDLE=1 LOWER=1",
        "FAULTS=1 UPPER=1 LOWER=1 REARM CAPACITY=2",
        "FAULTS=0 UPPER=2 LOWER=1 CAPACITY=2",
    ],
)
def test_protocol__keeps_its_promises_in_every_order_of_steps(tmp_path: Path, parameters: str) -> None:
    verdict = checked(tmp_path, parameters)
    assert verdict.errors == 0, verdict.broken
    assert verdict.exhaustive, verdict.output


# A wait that is begun again for ever, each time in the instant in which a lower class looks up, is no slice of seconds.
@pytest.mark.parametrize("parameters", ["FAULTS=1 UPPER=1 LOWER=1 REARM FEW=3", "FAULTS=0 UPPER=1 LOWER=2"])
def test_protocol__always_comes_to_let_somebody_in(tmp_path: Path, parameters: str) -> None:
    verdict = checked(tmp_path, parameters, PROGRESS, FAIR)
    assert verdict.errors == 0, verdict.broken
    assert verdict.exhaustive, verdict.output


@pytest.mark.parametrize(
    ("mutation", "broken"),
    [
        ("NO_SECOND_LOOK", "owed"),  # somebody of a lower class is let in while one above waits
        ("THREE_MUTEXES", "owed"),
        ("EARLY_RUNG", "owed"),
        ("REARM NO_MARK", "owed"),  # who waits cannot be seen between two slices of the wait
        ("REARM NO_STEP_BACK", "before"),  # one overtakes another of its class
        ("BODY_OUTLIVES", "serving"),  # two use the model
        ("LEAK", "owner"),  # a lock is left behind
    ],
)
def test_mutation__is_found(tmp_path: Path, mutation: str, broken: str) -> None:
    verdict = checked(tmp_path, mutation)
    assert verdict.errors > 0
    assert broken in verdict.broken


def test_leak__is_found_by_who_waits_for_ever(tmp_path: Path) -> None:
    verdict = checked(tmp_path, "LEAK", SAFETY, ONLY_STUCK)
    assert verdict.errors > 0
    assert "invalid end state" in verdict.broken
