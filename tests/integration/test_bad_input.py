# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong in real life, each through a real playbook run over ``local`` or ``replay``."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import threading
import time
from html.parser import HTMLParser

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from tests.lab.playbooks import BIN, ROOT, environment, play

NASTY = "{{ lookup('pipe','id') }}<script>document.title='XSS'</script>\x1b[31m$(id)`id`'\"\u202e,=cmd"


@pytest.fixture
def machine(tmp_path):
    """A PATH with a testparm, smbd and smb.conf of our own; ``run`` records the collector's answer under it."""
    for tool in ("testparm", "smbd"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}: apt-get install samba")

    class Machine:
        conf = tmp_path / "smb.conf"
        bin = tmp_path / "bin"

        def tool(self, name: str, body: str) -> None:
            path = self.bin / name
            path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8", errors="surrogateescape")
            path.chmod(0o755)

        def audit(self, shell=("/bin/sh",), change=lambda text: text, **options):
            """Run the collector here, play its answer back through a whole audit, and return how that went."""
            script = catalogue.collector("n0")
            if "seconds" in options:
                script = script.replace(b"bw_seconds=20", f"bw_seconds={options['seconds']}".encode())
            script = script.replace(b'PATH="$PATH:', f'PATH="{self.bin}:$PATH:'.encode(), 1)
            done = subprocess.run([*shell, "-s"], input=script, capture_output=True, check=True)
            recording = tmp_path / "host.txt"
            recording.write_bytes(change(done.stdout).replace(b"n0", b"@NONCE@"))
            host = {"ansible_connection": "replay", "breakwater_recording": str(recording)}
            return play("audit", {"host": host}, tmp_path, *options.get("arguments", ()))

    machine = Machine()
    machine.bin.mkdir()
    machine.conf.write_text("[global]\nworkgroup = W\n[s]\npath = /tmp\n", encoding="utf-8")
    machine.tool(
        "smbd",
        f'[ "$1" = -V ] && exec /usr/sbin/smbd -V\n/usr/sbin/smbd -b | sed "s|CONFIGFILE: .*|CONFIGFILE: {machine.conf}|"',
    )
    machine.tool("ps", "echo '1 init'")
    return machine


@pytest.mark.parametrize("shell", [("dash",), ("bash",), ("busybox", "ash")], ids=" ".join)
def test_shells(machine, shell):
    if shutil.which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}: apt-get install {shell[0]}")
    played = machine.audit(shell)
    assert played.host("host")["labels"] == ["recorded"]
    assert ("samba-server-signing", "") in played.verdicts("host")


def test_only_busybox(machine, tmp_path):
    """No GNU tool at all: the applets of busybox, and Samba."""
    if shutil.which("busybox") is None:
        pytest.skip("needs busybox: apt-get install busybox")
    tools = tmp_path / "applets"
    tools.mkdir()
    subprocess.run(["busybox", "--install", "-s", str(tools)], check=True)
    for name in ("testparm",):
        (tools / name).symlink_to(shutil.which(name))
    script = catalogue.collector("n0").replace(b'PATH="$PATH:', f'PATH="{machine.bin}:{tools}"; : "'.encode(), 1)
    done = subprocess.run([str(tools / "sh"), "-s"], input=script, capture_output=True, check=True)
    recording = tmp_path / "bb.txt"
    recording.write_bytes(done.stdout.replace(b"n0", b"@NONCE@"))
    played = play("audit", {"bb": {"ansible_connection": "replay", "breakwater_recording": str(recording)}}, tmp_path)
    assert played.verdicts("bb")[("samba-server-signing", "")] == "fail"
    assert played.host("bb")["facts"]["samba.workgroup"][""]["configured"] == "W"


def test_broken_configuration(machine):
    machine.conf.write_text("[global]\nserver min protocol = SMB1\n", encoding="utf-8")
    played = machine.audit()
    verdicts = played.verdicts("host")
    assert verdicts[("samba-testparm-clean", "")] == "fail"
    assert verdicts[("samba-server-min-protocol", "")] == "unknown"
    assert "smb.conf:2: server min protocol: 'SMB1' is none of" in json.dumps(played.host("host"))
    assert played.code == 2


def test_include_loop(machine, tmp_path):
    machine.conf.write_text(f"[global]\ninclude = {tmp_path}/a.conf\n", encoding="utf-8")
    (tmp_path / "a.conf").write_text(f"include = {machine.conf}\n", encoding="utf-8")
    played = machine.audit()
    assert "include loop" in json.dumps(played.host("host"))
    assert played.verdicts("host")[("samba-server-signing", "")] == "unknown"


def test_hanging_testparm(machine):
    machine.tool("testparm", "exec sleep 100")
    start = time.monotonic()
    played = machine.audit(seconds=2)
    assert time.monotonic() - start < 40
    facts = played.host("host")["facts"]
    assert "no answer in time" in facts["samba.testparm_warnings"][""]["unreadable"]
    assert played.verdicts("host")[("samba-server-signing", "")] == "fail"  # our own reader still knows


def test_two_readers_that_disagree(machine):
    machine.conf.write_text("[global]\nserver signing = mandatory\n", encoding="utf-8")
    machine.tool("testparm", 'exec /usr/bin/testparm "$@" | sed "s/server signing = .*/server signing = No/"')
    played = machine.audit()
    fact = played.host("host")["facts"]["samba.server_signing"][""]
    assert "testparm says 'disabled'" in fact["unreadable"] and "'mandatory'" in fact["unreadable"]
    assert played.verdicts("host")[("samba-server-signing", "")] == "unknown"


def test_stopped_server_is_judged_by_its_configuration(machine):
    played = machine.audit()
    server = [item for item in played.host("host")["implementations"] if item["role"] == "server"]
    assert server[0]["name"] == "samba" and not server[0].get("running")


def test_no_smb_at_all(tmp_path):
    answer = '\n@@breakwater @NONCE@ begin@@\n{"schema":"breakwater/collected/1","uid":"0","shell":"sh","records":[' + (
        '{"id":"host.os","command":"os","out":"ID=debian\\nVERSION_ID=12","err":"","rc":0},{"id":"host.ss","command":"ss","out":"","err":"","rc":0},'
        '{"id":"host.processes","command":"ps","out":"1 init","err":"","rc":0},'
        '{"id":"host.packages","command":"dpkg","out":"","err":"","rc":0}]}\n@@breakwater @NONCE@ end@@\n'
    )
    recording = tmp_path / "r.txt"
    recording.write_text(answer, encoding="utf-8")
    played = play("audit", {"h": {"ansible_connection": "replay", "breakwater_recording": str(recording)}}, tmp_path)
    assert played.code == 0, played.output
    assert played.run["verdict"] == "compliant"
    assert "no SMB server" in played.output or "Nothing to do on: h" in played.output


class Tags(HTMLParser):
    """Which elements a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.scripts += tag == "script"


def test_hostile_names_are_data_everywhere(machine, tmp_path):
    body = f"[global]\nserver string = {NASTY}\n[a{NASTY.replace(']', '')}]\npath = /tmp\ncomment = {NASTY}\n"
    body += "guest ok = yes\n[nul\x00x]\npath=/tmp\nguest ok=yes\n"
    machine.conf.write_bytes(body.encode() + b"[bad\xff\xfe]\npath=/tmp\nguest ok = yes\n")
    played = machine.audit()
    assert "Report:" in played.output, played.output
    assert "uid=" not in played.output
    assert "\x1b[31m$" not in played.output and "\u202e" not in played.output
    reports = played.results / "latest" / "reports"
    page = (reports / "index.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert tags.scripts == 1
    assert "&lt;script&gt;" in page
    import xml.etree.ElementTree as tree

    suites = tree.parse(reports / "junit.xml").getroot()
    assert len(suites[0]) == int(suites[0].get("tests"))
    shares = json.loads((reports / "report.json").read_text(encoding="utf-8"))["hosts"][0]["facts"]["samba.share"]
    assert any("bad\\xff\\xfe" in name for name in shares)
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs chromium: apt-get install chromium")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    done = subprocess.run(
        [browser, *flags, f"--user-data-dir={tmp_path}/c", "--dump-dom", f"file://{reports}/index.html"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "<title>XSS" not in done.stdout
    assert "1 of 1 hosts" in done.stdout  # our own script did run


def test_five_megabyte_configuration(machine):
    shares = "".join(f"[s{number}]\npath = /tmp\ncomment = {'x' * 1650}\n" for number in range(3000))
    machine.conf.write_text("[global]\n" + shares, encoding="utf-8")
    played = machine.audit()
    assert len(played.host("host")["facts"]["samba.share"]) == 3000
    assert played.verdicts("host")[("samba-guest-ok", "")] == "pass"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[: len(text) // 2], "cut off"),
        (lambda text: b"", "did not run"),
        (lambda text: text.replace(b'"records":[', b'"records":[[[', 1), "cannot be read"),
    ],
)
def test_garbled_answers(machine, change, words):
    played = machine.audit(change=change)
    assert words in played.output
    assert played.run["verdict"] == "incomplete"
    assert played.code == 2


def test_banner_around_the_answer(machine):
    played = machine.audit(change=lambda text: b"*** Welcome, {{ user }} ***\n" + text + b"\nlogout\n")
    assert played.run["verdict"] == "noncompliant"


def local(**extra):
    return {"here": {"ansible_connection": "local", **extra}}


def test_unreachable_host_is_recorded_and_the_others_are_read(tmp_path):
    hosts = {**local(), "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}}
    played = play("audit", hosts, tmp_path, "-e", "ansible_ssh_retries=0")
    assert played.code == 2
    assert played.run["verdict"] == "incomplete"
    assert "gone: NOT READ: Cannot connect" in played.output
    assert played.host("here")["findings"] is not None
    allowed = play("audit", hosts, tmp_path, "-e", "breakwater_max_unreachable=1", "-e", "breakwater_fail_on=none")
    assert allowed.code == 0, allowed.output


def test_sudo_refused(tmp_path):
    if shutil.which("sudo") is None:
        pytest.skip("needs sudo: apt-get install sudo")
    if os.geteuid() != 0:
        pytest.skip("needs root, to become nobody who may not become anybody")
    user = pwd.getpwnam("nobody").pw_name
    wrapper = tmp_path / "as-nobody"
    wrapper.write_text(
        f'#!/bin/sh\nexec setpriv --reuid={pwd.getpwnam(user).pw_uid} --clear-groups sudo "$@"\n', encoding="ascii"
    )
    wrapper.chmod(0o755)
    tmp_path.chmod(0o755)
    played = play(
        "audit", local(ansible_become=True, ansible_become_exe=str(wrapper), ansible_become_user="daemon"), tmp_path
    )
    assert played.run["verdict"] == "incomplete"
    assert "NOT READ: Cannot become the privileged user" in played.output, played.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-e", "breakwater_profile=strickt"], "did you mean 'strict'?"),
        (["-e", "breakwater_exceptions=/nonexistent.yml"], "Cannot read the exceptions file (/nonexistent.yml)"),
        (["-e", "breakwater_hosts=nosuch"], "Nothing to audit (pattern 'nosuch')"),
        (["-e", "breakwater_history=mysql://u:hunter2@h/d"], "a URL of kind 'mysql'"),
        (["-e", "breakwater_results=/proc/nope"], "Cannot write the results (/proc/nope"),
        (["-e", "breakwater_fail_on=lethal"], "value of fail_on must be one of"),
    ],
)
def test_wrong_options_say_so(tmp_path, arguments, words):
    played = play("audit", local(), tmp_path, *arguments)
    assert played.code != 0
    assert words in " ".join(played.output.split())
    assert "hunter2@h" not in played.output.replace(" ".join(arguments), "")


def test_misspelt_variable_is_named(tmp_path):
    played = play("audit", local(), tmp_path, "-e", "breakwater_exeptions=x")
    assert "breakwater_exeptions is not one of Breakwater's" in " ".join(played.output.split())
    doctor = play("doctor", local(), tmp_path, "-e", "breakwater_exeptions=x")
    assert doctor.code == 2
    assert "rename it to breakwater_exceptions" in doctor.output
    assert play("doctor", local(), tmp_path).code == 0


def test_empty_inventory_is_no_success(tmp_path):
    played = play("audit", {}, tmp_path)
    assert played.code != 0
    assert "Nothing to audit" in " ".join(played.output.split())


def test_check_mode(tmp_path):
    played = play("audit", local(), tmp_path, "--check")
    assert played.run["verdict"] in ("compliant", "noncompliant")
    assert played.host("here")["facts"]


def test_full_disk_on_the_controller(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small file system")
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": local()}}), encoding="utf-8")
    small = tmp_path / "small"
    small.mkdir()
    command = f"mount -t tmpfs -o size=24k tmpfs {small} && exec {BIN}/ansible-playbook breakwater.smb.audit -i {inventory} -e breakwater_results={small}/r"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", command],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert "No space left on device; free space" in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stdout + done.stderr


def test_two_runs_at_once_on_one_history(tmp_path):
    played = []
    threads = [threading.Thread(target=lambda: played.append(play("audit", local(), tmp_path))) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs = [path for path in (tmp_path / "results").iterdir() if path.is_dir() and not path.is_symlink()]
    assert len(runs) == 2
    assert {json.loads((run / "run.json").read_text(encoding="utf-8"))["verdict"] for run in runs} <= {
        "compliant",
        "noncompliant",
    }


def test_interrupted_run_keeps_what_it_has_and_report_finishes_it(tmp_path):
    slow = {"ansible_connection": "local", "ansible_shell_executable": str(tmp_path / "slow")}
    (tmp_path / "slow").write_text("#!/bin/sh\nsleep 60\n", encoding="ascii")
    (tmp_path / "slow").chmod(0o755)
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {**local(), "slow": slow}}}), encoding="utf-8")
    results = tmp_path / "results"
    command = [
        str(BIN / "ansible-playbook"),
        "breakwater.smb.audit",
        "-i",
        str(inventory),
        "-e",
        f"breakwater_results={results}",
    ]
    process = subprocess.Popen(
        command,
        env=environment(),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(results.glob("2*/hosts/here.json")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    run = next(results.glob("2*"))
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["verdict"] == "incomplete"
    assert json.loads((run / "hosts" / "here.json").read_text(encoding="utf-8"))["facts"]
    played = play("report", "localhost,", tmp_path)
    assert played.run["verdict"] == "incomplete" and played.run["ended"]
    assert "slow: NOT READ: no answer was recorded" in played.output
    rendered = play("report", "localhost,", tmp_path, "-e", '{"breakwater_formats": ["junit"]}')
    assert rendered.code == 0 and "junit:" in rendered.output
    wrong = play("report", "localhost,", tmp_path, "-e", '{"breakwater_formats": ["pdf"]}')
    assert "There is no such report format: 'pdf'" in " ".join(wrong.output.split())
    assert "Cannot approve" in " ".join(
        play("approve", "localhost,", tmp_path, "-e", "breakwater_run=latest").output.split()
    )


def test_recordings_carry_no_trait_of_the_machine_that_made_them():
    hostname = pathlib.Path("/etc/hostname").read_text(encoding="utf-8").strip()
    for path in (ROOT / "demo" / "recordings").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert text.count("@NONCE@") == 2
        assert f'"{hostname}"' not in text
        assert str(ROOT) not in text and "breakwater-fleet" not in text


def test_the_time_bound_of_a_host(tmp_path):
    (tmp_path / "slow").write_text("#!/bin/sh\nsleep 30\n", encoding="ascii")
    (tmp_path / "slow").chmod(0o755)
    slow = {"ansible_connection": "local", "ansible_shell_executable": str(tmp_path / "slow"), "breakwater_timeout": 2}
    played = play("audit", {"slow": slow}, tmp_path)
    assert "slow: NOT READ: The host gave no answer: the time bound of the task is over" in played.output
    assert played.run["verdict"] == "incomplete" and played.run["ended"]
