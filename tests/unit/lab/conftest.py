# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking simulated hosts: many expressions in one execution, because every execution starts PowerShell."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

Answers = dict[str, str]
Ask = Callable[..., Answers]

_ONE = """try {{ $values = @(& {{ {script} }}) ; '{name}=' + [string]::Join('|', [string[]]@($values | ForEach-Object {{ "$_" }})) }}
catch {{ '{name}=!' + $_.CategoryInfo.Category + ' ' + $_.Exception.GetType().Name + ' ' + $_.FullyQualifiedErrorId }}"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Return a function that runs named expressions on a host and gives what each put out, joined by ``|``.

    An error is ``!Category ExceptionType Identifier``. The host keeps its state for the module.
    """
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    folder = tmp_path_factory.mktemp("hosts")

    def asked(host: str, expressions: Mapping[str, str], user: str = "admin") -> Answers:
        lines = ["$ErrorActionPreference = 'Stop'"]
        lines += [_ONE.format(name=name, script=script) for name, script in expressions.items()]
        result = SimulatedHost(host, folder / host).run(Exec("psrp", "\n".join(lines), b"", user))
        answers = dict(line.split("=", 1) for line in result.stdout.decode().splitlines() if "=" in line)
        assert answers.keys() == expressions.keys(), (result.stdout, result.stderr)
        return answers

    return asked
