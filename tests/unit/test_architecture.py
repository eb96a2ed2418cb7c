# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the house, kept by reading the code."""

from __future__ import annotations

import ast
import contextlib
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ROOT / "plugins" / "plugin_utils"
SOURCES = sorted((ROOT / "plugins").rglob("*.py"))
# What each room may import beside the standard library and _model.
LIBRARIES = {
    "_model": set(),
    "_remote": set(),
    "_implementations": set(),
    "_assess": {"yaml"},
    "_firewall": set(),
    "_store": set(),
    "_patch": set(),
    "_plan": set(),
    "_probe": set(),
    "_report": {"jinja2"},
    "_ssh": {"paramiko", "cryptography"},  # the one comes with the other
}
MAX_CODE = 400


def room_of(path: pathlib.Path) -> str:
    return path.relative_to(ROOMS).parts[0]


def imports(path: pathlib.Path):
    """Yield (absolute name, level) of every import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, 0) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level


def target_room(path: pathlib.Path, module: str, level: int) -> str | None:
    """Return the room that a relative import leads to."""
    folder = path.parent
    for _step in range(level - 1):
        folder = folder.parent
    target = folder.joinpath(*module.split(".")) if module else folder
    return target.relative_to(ROOMS).parts[0] if target != ROOMS else None


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if p.is_relative_to(ROOMS) and room_of(p) in LIBRARIES],
    ids=lambda p: str(p.relative_to(ROOMS)),
)
def test_rooms_import_only_the_model_and_their_libraries(path):
    room = room_of(path)
    for module, level in imports(path):
        if level:
            assert target_room(path, module, level) in (room, "_model"), f"imports {module}"
        else:
            top = module.partition(".")[0]
            assert top in sys.stdlib_module_names or top in LIBRARIES[room], f"imports {module}"


WIRE = ROOT / "plugins" / "module_utils" / "_smb"


@pytest.mark.parametrize("path", sorted(WIRE.glob("*.py")), ids=lambda p: p.name)
def test_what_is_shipped_to_vantage_hosts_needs_the_standard_library_alone(path):
    for module, level in imports(path):
        assert level <= 1, f"imports {module}"
        if not level:
            assert module.partition(".")[0] in sys.stdlib_module_names, f"imports {module}"


def test_only_its_loop_touches_the_network():
    for path in WIRE.glob("*.py"):
        if path.stem not in ("sockets", "polling"):
            assert not {"socket", "select", "selectors", "ssl", "asyncio"} & {
                module for module, _level in imports(path)
            }, path


def test_only_commands_and_the_module_itself_know_what_is_shipped():
    for path in SOURCES:
        allowed = path.is_relative_to(WIRE) or path.is_relative_to(ROOMS / "_commands") or path.stem == "probe_info"
        assert allowed or not [module for module, _level in imports(path) if "module_utils._smb" in module], path


def test_implementations_do_not_know_each_other():
    for path in (ROOMS / "_implementations").rglob("*.py"):
        own = path.relative_to(ROOMS / "_implementations").parts[0]
        for module, level in imports(path):
            if level == 2:
                assert module.partition(".")[0] in ("", own), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_size_header_and_annotations(path):
    text = path.read_text(encoding="utf-8")
    code = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(code) <= MAX_CODE, f"{len(code)} lines: is this really two files?"
    assert "GPL-3.0-or-later" in "\n".join(text.splitlines()[:6])
    assert path.stem not in ("utils", "helpers", "common")


def test_actions_are_thin():
    for path in (ROOT / "plugins" / "action").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 90, path


def test_nothing_outside_the_tarball_is_read_at_run_time():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.match(r"^(\.\./)*(tests|demo|bench|tools|docs)/", node.value), (path, node.value)


def test_no_path_or_host_of_one_machine_is_in_the_repository():
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    here = re.compile("/" + "work/|/" + r"opt/bw|\.pyenv/versions/\d|/" + "root/bw")
    for name in filter(None, names):
        path = ROOT / name
        if path.is_file() and path.suffix not in (".png", ".gz"):
            assert not here.search(path.read_text(encoding="utf-8", errors="replace")), name


def constants(path: pathlib.Path) -> dict[str, object]:
    """Return the literals that a file assigns, by name, without importing it."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            with contextlib.suppress(ValueError):
                if isinstance(target, ast.Name):
                    found[target.id] = ast.literal_eval(node.value)
    return found


def test_documentation_of_modules_matches_their_arguments():
    plugins = ROOT / "plugins"
    fragments = constants(plugins / "doc_fragments" / "options.py")
    for name in ("audit", "run", "report", "doctor", "probe_info"):
        documented = yaml.safe_load(constants(plugins / "modules" / f"{name}.py")["DOCUMENTATION"])
        options = dict(documented["options"])
        for fragment in documented["extends_documentation_fragment"]:
            options.update(yaml.safe_load(fragments[fragment.rpartition(".")[2].upper()]).get("options", {}))
        arguments = constants(plugins / ("modules" if name == "probe_info" else "action") / f"{name}.py")["ARGUMENTS"]
        assert set(options) == set(arguments), name
        for option, spec in arguments.items():
            assert options[option].get("type", "str") == spec.get("type", "str"), (name, option)
            assert options[option].get("default") == spec.get("default"), (name, option)
            assert options[option].get("choices") == spec.get("choices"), (name, option)


@pytest.mark.parametrize("tool", ["compile.py", "coverage.py", "schemas.py"])
def test_generated_files_are_not_stale(tool):
    environment = {"PYTHONPATH": str(ROOT / ".build" / "collections"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / tool), "--check"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_tools_leave_behind_is_not_packed():
    """galaxy builds from the directory, not from git: everything that git ignores at the top must be left out too."""
    import yaml

    ignored = set(yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"])
    always = {"__pycache__", "*.pyc", "tests/output", "demo/state"}  # by galaxy itself, or with their parent
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    names = {line.strip("/") for line in lines if line and not line.startswith("#")}
    assert names - always <= ignored


def test_readme_has_what_galaxy_asks_for():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for title in (
        "Requirements",
        "Installation",
        "Use cases",
        "Testing",
        "Support",
        "Release notes",
        "License",
    ):
        assert f"\n## {title}\n" in text, title
    assert not [link for link in re.findall(r"\]\(([^)]*)\)", text) if not link.startswith("https://")]
    base = "https://github.com/breakwater-smb/breakwater.smb/blob/main/"
    for link in re.findall(re.escape(base) + r"([^)\s]+)", text):
        assert (ROOT / link).is_file(), link


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_links_of_the_documentation_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_every_variable_is_documented():
    from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import variables

    text = (ROOT / "docs" / "variables.md").read_text(encoding="utf-8")
    read = set()
    for path in [*(ROOT / "playbooks").glob("*.yml"), *(ROOT / "roles").rglob("tasks/*.yml")]:
        read |= set(re.findall(r"\b(breakwater_[a-z_]+) \|", path.read_text(encoding="utf-8")))
    assert read, "the pattern finds nothing"
    for name in read:
        assert f"`{name}`" in text, name
    assert not list(variables.unknown_variables(tuple(sorted(read))))
