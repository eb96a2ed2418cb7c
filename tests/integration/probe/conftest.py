# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network of their own for the tests of a file."""

from __future__ import annotations

import pytest

from tests.lab.probe import space


@pytest.fixture(scope="module")
def lab():
    space.require()
    with space.space() as made:
        yield made
