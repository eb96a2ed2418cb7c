# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTML report in a real browser: hostile text stays text, nothing is fetched, the controls work."""

from __future__ import annotations

import dataclasses
import http.server
import pathlib
import re
import shutil
import subprocess
import threading
import time

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation, SectionError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import AppliedException, Finding
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import (
    DataVersions,
    Drift,
    Fleet,
    HostRecord,
    Run,
    Scope,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Blocked, Change, Remediation
from ansible_collections.breakwater.smb.plugins.plugin_utils._report.host_change import touched
from ansible_collections.breakwater.smb.plugins.plugin_utils._report.report import Ranked, Report, render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STOP = "document.documentElement.setAttribute('data-owned','1')"


def payloads(port: int) -> list[str]:
    """Texts that run a script or fetch something wherever a page forgets to escape them."""
    url = f"http://127.0.0.1:{port}"
    return [
        f"<script>{STOP}</script>",
        f"</script><script>{STOP}</script>",
        f"</style><script>{STOP}</script><style>",
        f"<img src={url}/img onerror={STOP}>",
        f"\"><svg onload={STOP}><a href='",
        f"' onmouseover='{STOP}' autofocus onfocus='{STOP}' x='",
        f"</details></table><iframe srcdoc='<script>parent.{STOP}</script>'></iframe>",
        f"<link rel=stylesheet href={url}/css><meta http-equiv=refresh content='0;url={url}/meta'>",
        f"<style>@import '{url}/import'; body{{background:url({url}/background)}}</style>",
        f"<!--><object data={url}/object></object><base href={url}/>",
        "{{ 7*191 }}{% for x in range(9) %}{{ x }}{% endfor %}",
        "javascript:alert(1)",
        "&lt;script&gt;&#x3c;script&#x3e;",
        "\ud800\x00\x1b]8;;http://x\x07\u202etxt.exe",
    ]


def hostile(text: str) -> HostRecord:
    """Return a record that carries ``text`` wherever a host or a user can write."""
    facts = FactSet()
    listener = {"proto": text, "address": text, "port": text, "state": text, "process": text, "pid": text}
    facts.put("host.listener", Fact(effective=listener), text)
    facts.put("samba.share", Fact(configured={"path": text, "kind": text, "comment": text}), text)
    facts.put("samba.share", Fact(unreadable=text), f"{text}2")
    facts.put("samba.guest_ok", Fact(configured=[text]), text)
    facts.put("samba.share_path_mode", Fact(effective={"mode": text}), text)
    facts.put("usage.session", Fact(effective={"user": text, "machine": text}), text)
    facts.put("client.mount", Fact(effective={"source": text, "vers": text}), text)
    waiver = AppliedException("waiver", text, text, text, text, 3)
    found = Finding(
        text, text, "high", text, "fail", text, text, origin=Origin("local", text), cause=text, why=text, remedy=text
    )
    record = HostRecord(text, text, text, text, [Implementation(text, text, "server")], facts, labels=(text,))
    record.findings = [
        found,
        dataclasses.replace(found, exception=waiver, rules=(text,)),
        dataclasses.replace(found, verdict="pass"),
    ]
    record.errors = [SectionError(text, text)]
    change = Change(text, text, text, [text], text, text, Origin("include", text), state="done", restart="reboot")
    held = Blocked(text, "in-use", text, text, users=(text,) * 4)
    record.remediation = Remediation(text, False, (change,), (held,), text, (text,), True, (text,), f"{text}!", 3)
    return record


def page(records: list[HostRecord], path: pathlib.Path) -> pathlib.Path:
    """Write the report of these records."""
    hosts = {record.host: record for record in records}
    run = Run("r", "s", "remediate", "t", "a", records[0].host, Scope(records[0].host, tuple(hosts)), DataVersions("x"))
    run = dataclasses.replace(run, reasons=tuple(hosts)[:20])
    drift = [
        Drift(host, "fact", "changed", host, host, {"configured": host}, {"unreadable": host})
        for host in list(hosts)[:20]
    ]
    ranking = [Ranked(host, None, 50, {"fail": 1, "pass": 1}, touched(record)) for host, record in hosts.items()]
    report = Report(run, Fleet("r", records[0].host, False, drift), ranking, hosts.__getitem__)
    with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        for _format, _path, chunks in render(report, ("html",)):
            stream.writelines(chunks)
    return path


@pytest.fixture
def browse(tmp_path):
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium")

    def dump(path: pathlib.Path) -> str:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom"]
        command = [CHROMIUM, *arguments, f"--user-data-dir={tmp_path}/profile", f"file://{path}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    return dump


@pytest.fixture
def listener():
    """A server on the loopback that notes every request."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Nothing is printed."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, seen
    server.shutdown()
    server.server_close()


def test_hostile_text_runs_nothing_and_fetches_nothing(browse, listener, tmp_path):
    port, seen = listener
    texts = payloads(port)
    dom = browse(page([hostile(text) for text in texts], tmp_path / "index.html"))
    assert "data-owned=" not in dom.split("<head", 1)[0]
    assert f"{len(texts)} of {len(texts)} hosts" in dom, "our own script did not run"
    assert dom.count("<script") == 1
    for tag in ("<iframe", "<img", "<object", "<base", "<link"):
        assert tag not in dom
    assert "1337" not in dom
    time.sleep(0.2)
    assert seen == []


def test_the_guard_of_this_test_works(browse, listener, tmp_path):
    """The same payloads in a page that does not escape them are noticed."""
    port, seen = listener
    path = tmp_path / "naked.html"
    path.write_text(payloads(port)[3], encoding="utf-8")
    assert "data-owned" in browse(path).split(">", 1)[0]
    assert seen == ["/img"]


def test_search_and_filter(browse, tmp_path):
    names = ["alpha", "beta", "gamma"]
    records = [dataclasses.replace(hostile("plain"), host=name) for name in names]
    records[1].remediation = None
    records[2].remediation = dataclasses.replace(records[2].remediation, blocked=())
    path = page(records, tmp_path / "index.html")
    text = path.read_text(encoding="utf-8")
    # The page's policy lets no foreign script run, so this copy goes without it.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    steps = """<script>
    var search = document.getElementById("search"), shown = [];
    function note() { shown.push(document.getElementById("matches").textContent); }
    search.value = "beta"; search.dispatchEvent(new Event("input")); note();
    search.value = ""; search.dispatchEvent(new Event("input")); note();
    document.querySelector("button[data-find]").click(); note();
    document.getElementById("fold").click();
    shown.push(document.querySelectorAll("details.host[open]").length);
    var state = document.getElementById("state");
    search.value = "";
    ["held", "failed", "unknown"].forEach(function (name) {
      state.value = name; state.dispatchEvent(new Event("change")); search.dispatchEvent(new Event("input")); note();
    });
    document.title = shown.join("|");
    </script>"""
    path.write_text(text.replace("</body>", steps + "</body>"), encoding="utf-8")
    assert "<title>1 of 3 hosts|3 of 3 hosts|3 of 3 hosts|3|1 of 3 hosts|2 of 3 hosts|0 of 3 hosts</title>" in browse(
        path
    )


def test_five_hundred_hosts_stay_usable(browse, tmp_path):
    records = [dataclasses.replace(hostile("plain"), host=f"web{number:03d}") for number in range(500)]
    began = time.monotonic()
    path = page(records, tmp_path / "index.html")
    assert time.monotonic() - began < 20
    assert path.stat().st_size < 10_000_000
    assert "500 of 500 hosts" in browse(path)
