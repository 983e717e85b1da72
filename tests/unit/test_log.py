"""Where lines of the log go."""

import sys
from io import StringIO

import pytest

from services.kit.log import StandardError


def test_standard_error__is_what_it_is_when_a_line_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    former, later, written = StringIO(), StringIO(), StandardError()
    monkeypatch.setattr(sys, "stderr", former)
    written.write("one\n")
    monkeypatch.setattr(sys, "stderr", later)
    former.close()
    written.write("two\n")
    written.flush()
    assert later.getvalue() == "two\n"
