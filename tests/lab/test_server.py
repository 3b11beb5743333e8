"""The lab's server without a browser: who may use it, what it answers, how it starts and stops."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from convlens.cli.lab import lab
from convlens.errors import ArtifactError, ConfigurationError, OutputError
from convlens.lab import guard, server, vendor
from convlens.lab.app import create_app
from convlens.lab.export import export
from convlens.lab.guard import LOOPBACK, POLICY, Access
from convlens.lab.requests import read_json
from convlens.lab.site import CATALOGUE, STATIC, Site, media_type, site

from .models import saved
from .serving import running

HERE = "localhost:8750"
PAGE = Site({"index.html": b"<!doctype html>", "app.js": b"1", "api/lab.json": b"{}"})
TOKEN = "a-long-secret"


class Answer:
    """What an application answered."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


def ask(
    path: str = "/",
    *,
    access: Access = Access(),  # noqa: B008 - frozen
    host: str = HERE,
    method: str = "GET",
    body: tuple[bytes, ...] = (b"",),
    **headers: str,
) -> Answer:
    """Send one request to the application, without a socket."""
    app = create_app(PAGE, access, routes=[Route("/api/echo", _echo, methods=["POST"])])
    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    path, _, query = path.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "root_path": "", "server": ("127.0.0.1", 8750), "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip
    parts = [{"type": "http.request", "body": part, "more_body": part is not body[-1]} for part in body]
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    # in a thread of its own: in this one, the browser of other tests may have a loop that runs
    thread = threading.Thread(target=lambda: asyncio.run(app(scope, receive, send)))
    thread.start()
    thread.join()
    return Answer(sent)


async def _echo(request: Request) -> JSONResponse:
    return JSONResponse(await read_json(request))


def test_files_come_with_their_type_and_are_sent_once() -> None:
    page = ask("/")
    assert (page.status, page.body) == (200, b"<!doctype html>")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert ask("/app.js").headers["content-type"] == "text/javascript; charset=utf-8"
    again = ask("/", if_none_match=page.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert ask("/app.js", if_none_match=page.headers["etag"]).status == 200


@pytest.mark.parametrize("path", ["/nothing.js", "/../pyproject.toml", "/%2e%2e/x", "/api/none"])
def test_nothing_else_is_there(path: str) -> None:
    answer = ask(path)
    assert answer.status == 404
    assert "nothing at" in answer.error


def test_every_answer_is_safe_even_a_refusal() -> None:
    for answer in (ask("/"), ask("/none"), ask(host="evil.example")):
        assert answer.headers["content-security-policy"] == f"{POLICY}; frame-ancestors 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


@pytest.mark.parametrize("host", ["localhost:8750", "127.0.0.1:8750", "[::1]:8750", "LOCALHOST", "localhost.:1"])
def test_this_machine_is_known_by_its_own_names(host: str) -> None:
    assert ask(host=host).status == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8750", "192.168.0.7:8750", "localhost.evil.example", "127.0.0.1.nip.io"]
)
def test_a_name_that_was_rebound_to_this_machine_is_refused(host: str) -> None:
    answer = ask(host=host)
    assert answer.status == 403
    assert "is not called" in answer.error


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "https://localhost:8750", "null"])
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert ask("/api/lab.json", origin=origin).status == 403
    assert ask("/api/lab.json", origin=f"http://{HERE}").status == 200


def test_another_site_may_link_to_the_lab_but_not_fetch_from_it() -> None:
    assert ask(sec_fetch_site="cross-site", sec_fetch_mode="navigate").status == 200
    assert ask("/app.js", sec_fetch_site="cross-site", sec_fetch_mode="no-cors").status == 403
    assert ask("/app.js", sec_fetch_site="same-site", sec_fetch_mode="cors").status == 403
    assert ask("/app.js", sec_fetch_site="same-origin", sec_fetch_mode="cors").status == 200


def test_an_open_lab_asks_for_its_token() -> None:
    opened = Access({*LOOPBACK, "desk"}, TOKEN, addresses=True)
    for host in (HERE, "192.168.0.7:8750", "desk:8750", "[fe80::1]:8750"):
        refused = ask(access=opened, host=host)
        assert refused.status == 401
        assert "token" in refused.error
    assert ask(access=opened, host="evil.example", authorization=f"Bearer {TOKEN}").status == 403
    assert ask(access=opened, authorization=f"Bearer {TOKEN}").status == 200
    assert ask("/?token=wrong", access=opened).status == 401
    first = ask(f"/?token={TOKEN}&x=1", access=opened)
    assert (first.status, first.headers["location"]) == (303, "/?x=1")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ask(access=opened, cookie=cookie.partition(";")[0]).status == 200
    assert ask(access=opened, cookie="convlens-lab-8750=other").status == 401


def test_a_long_body_is_refused_whatever_its_header_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard.Guard.__init__, "__defaults__", (100,))
    body = json.dumps({"x": "y" * 200}).encode()
    said = ask("/api/echo", method="POST", body=(body,), content_length=str(len(body)))
    in_pieces = ask("/api/echo", method="POST", body=(body[:90], body[90:]))
    for answer in (said, in_pieces):
        assert answer.status == 413
        assert "100 bytes" in answer.error
    assert ask("/api/echo", method="POST", body=(b"{}",), content_length="-1").status == 413
    assert ask("/api/echo", method="POST", body=(b'{"a": 1}',)).body == b'{"a":1}'


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"3", b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_a_bad_body_is_answered_in_words(body: bytes) -> None:
    answer = ask("/api/echo", method="POST", body=(body,))
    assert answer.status == 400
    assert "send an object" in answer.error


def test_the_site_has_every_file_of_the_page_and_the_models(tmp_path: Path) -> None:
    given = saved(tmp_path, "mine")
    found = site([given], live=True)
    catalogue = json.loads(found.read(CATALOGUE) or b"")
    assert catalogue["live"] is True
    first = catalogue["models"][0]
    assert (first["name"], first["bytes"]) == ("mine", given.stat().st_size)
    for one in catalogue["models"]:
        content = found.read(one["address"])
        assert content is not None
        assert len(content) == one["bytes"]
    page = (found.read("") or b"").decode()
    links = re.findall(r'<link rel="modulepreload" href="(.*?)">\n', page)
    assert {"app.js", "engine/ops/conv2d.js"} < set(links) < set(found.files)
    written = re.sub(r'<link rel="modulepreload".*\n', "", page)
    assert written == (STATIC / "index.html").read_text(encoding="utf-8")
    assert {media_type(address) for address in found.addresses() if address.endswith(".js")} == {
        "text/javascript; charset=utf-8"
    }


def test_models_of_one_name_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    models = [saved(tmp_path, "cnn"), saved(tmp_path / "a", "cnn", "baseline"), saved(tmp_path, "mein modell, groß")]
    found = site(models, live=True)
    first, second, third, *shipped = json.loads(found.read(CATALOGUE) or b"")["models"]
    assert "cnn" in {one["name"] for one in shipped}
    assert [one["name"] for one in (first, second, third)] == ["cnn-2", "cnn-3", "mein-modell--gro-"]
    assert [found.read(one["address"]) for one in (first, second, third)] == [path.read_bytes() for path in models]


def test_what_is_no_model_is_refused_at_the_start(tmp_path: Path) -> None:
    given = saved(tmp_path, "mine")
    given.write_bytes(given.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="damaged"):
        site([given], live=True)


def test_the_page_has_nothing_inline_and_states_the_same_policy() -> None:
    text = (STATIC / "index.html").read_text(encoding="utf-8")
    assert f'content="{POLICY}"' in text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)
    assert not re.search(r'(?:src|href)="(?:https?:)?/', text), "addresses are relative, for a page in a subfolder"


def test_an_export_holds_the_whole_page_and_can_be_repeated(tmp_path: Path) -> None:
    folder, given = tmp_path / "page", saved(tmp_path, "mine")
    written = export(folder, [given])
    assert json.loads((folder / CATALOGUE).read_text())["live"] is False
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert (len(files), sum(path.stat().st_size for path in files)) == (written.files, written.bytes)
    assert written.bytes < 20e6
    assert (folder / "api/models/mine.safetensors").read_bytes() == given.read_bytes()
    assert export(folder, [given]) == written


def test_an_export_overwrites_nobodys_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files"):
        export(tmp_path)
    with pytest.raises(OutputError, match="is a file"):
        export(tmp_path / "thesis.txt")


@pytest.mark.parametrize("port", [-1, 65536])
def test_ports_have_a_range(port: int) -> None:
    with pytest.raises(ConfigurationError, match="0 to 65535"):
        server.LabSettings(port=port)


def test_only_other_addresses_than_loopback_open_the_lab() -> None:
    assert not any(server.LabSettings(host).is_open for host in (None, "127.0.0.1", "localhost", "::1"))
    assert all(server.LabSettings(host).is_open for host in ("0.0.0.0", "::", "192.168.0.7", "desk"))


def test_it_runs_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with running(str(saved(tmp_path, "mine"))) as (process, address, lines):
        assert len(lines) == 1
        with urllib.request.urlopen(f"{address}{CATALOGUE}") as answer:  # it listens before it says so
            assert json.load(answer)["models"][0]["name"] == "mine"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_open_to_others_it_warns_and_has_a_token() -> None:
    with running("--host", "0.0.0.0") as (_, address, lines):
        assert "other machines" in lines[0]
        plain = address.partition("?")[0]
        with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(plain + CATALOGUE):
            pass
        assert refused.value.code == 401
        token = address.partition("token=")[2]
        request = urllib.request.Request(plain + CATALOGUE, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["live"] is True
        refused.value.close()


def test_another_address_of_this_machine_alone_needs_no_token() -> None:
    with running("--host", "127.0.0.2") as (_, address, lines):
        assert len(lines) == 1
        with urllib.request.urlopen(address + CATALOGUE) as answer:
            assert json.load(answer)["live"] is True


def test_a_token_leads_to_no_other_site() -> None:
    answer = ask(f"//evil.example/?token={TOKEN}", access=Access(token=TOKEN))
    assert answer.headers["location"] == "/evil.example/"


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} .*; choose another with --port"):
            server.run(settings=server.LabSettings(port=port, browser=False))


def test_the_command_line_exports_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab(export=tmp_path / "page", json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == sum(path.is_file() for path in (tmp_path / "page").rglob("*"))
    with pytest.raises(ConfigurationError, match="--json says what was written; give it with --export"):
        lab(json=True)


def test_the_libraries_in_the_page_are_those_that_are_pinned() -> None:
    for folder in (vendor.STATIC, vendor.TESTS):
        listed = {name for one in vendor.PACKAGES if one.folder == folder for name in one.files.values()}
        assert {path.name for path in folder.iterdir()} == listed
    for path in vendor.STATIC.glob("*.js"):
        imported = re.findall(r'\bimport\b[^;"]*from *"([^"]+)"', path.read_text(encoding="utf-8"))
        assert all(one.startswith("./") for one in imported), "a browser knows no package names"
