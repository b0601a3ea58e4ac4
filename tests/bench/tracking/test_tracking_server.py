"""Online runs and ``sync`` against a small stand-in for the W&B server on this machine."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bench.core.errors import FarFieldError, InputError
from bench.tracking import Tracker, sync, syncing
from bench.tracking.content.history import AGAINST_DISTANCE, DISTANCE

Make = Callable[..., Any]
MEANS = {"train/loss": "step", "validation/loss": "step"} | dict.fromkeys(AGAINST_DISTANCE, DISTANCE)


class Server(ThreadingHTTPServer):
    """Takes runs as the W&B server does (its GraphQL mutations, file stream and uploads) and remembers them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.runs: dict[str, dict[str, Any]] = {}
        self.lines: dict[str, dict[str, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
        self.artifacts: list[str] = []
        self.uploads: dict[str, bytes] = {}

    def answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        handler = getattr(self, f"on_{operation}", None)
        return dict(handler(given)) if handler else {}

    def on_Viewer(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"viewer": {"id": "u", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}

    def on_RunResumeStatus(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["name"]
        if name not in self.runs:
            return {"model": None}
        history = self.lines[name]["wandb-history.jsonl"]
        tail = json.dumps([history[max(history)]]) if history else "[]"
        bucket = self._bucket(name) | {
            "summaryMetrics": self.lines[name]["wandb-summary.json"].get(0, "{}"),
            "logLineCount": 0,
            "historyLineCount": len(history),
            "eventsLineCount": 0,
            "historyTail": tail,
            "eventsTail": "[]",
            "config": self.runs[name]["config"],
            "tags": self.runs[name]["tags"] or [],
            "notes": None,
            "wandbConfig": '{"t": 1}',
        }
        return {"model": {"id": "p", "name": "farfield", "entity": {"id": "e", "name": "me"}, "bucket": bucket}}

    def on_UpsertBucket(self, given: dict[str, Any]) -> dict[str, Any]:
        new = given["name"] not in self.runs
        known = self.runs.setdefault(given["name"], dict(given))
        known.update({name: value for name, value in given.items() if value is not None})
        return {"upsertBucket": {"bucket": self._bucket(given["name"]), "inserted": new}}

    def _bucket(self, name: str) -> dict[str, Any]:
        project = {"id": "p", "name": "farfield", "entity": {"id": "e", "name": "me"}}
        return {"id": name, "name": name, "displayName": name, "sweepName": None, "project": project}

    def on_ArtifactType(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"project": None}

    def on_CreateArtifact(self, given: dict[str, Any]) -> dict[str, Any]:
        self.artifacts.append(given["input"]["artifactCollectionName"])
        artifact = {"id": "a", "state": "PENDING", "artifactSequence": {"id": "s", "latestArtifact": None}}
        return {"createArtifact": {"artifact": artifact}}

    def on_CreateArtifactManifest(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": self._file("manifest")}}}

    def on_CreateArtifactFiles(self, given: dict[str, Any]) -> dict[str, Any]:
        nodes = [
            self._file(f["name"]) | {"storagePath": "x", "uploadMultipartUrls": None, "artifact": {"id": "a"}}
            for f in given["input"]["artifactFiles"]
        ]
        return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}

    def on_CommitArtifact(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"commitArtifact": {"artifact": {"id": "a", "digest": "d"}}}

    def on_CreateRunFiles(self, given: dict[str, Any]) -> dict[str, Any]:
        files = [self._file(name) for name in given["files"]]
        return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}

    def _file(self, name: str) -> dict[str, Any]:
        return {"id": "f", "name": name, "displayName": name, "uploadUrl": f"{self.url}/up/{name}", "uploadHeaders": []}

    def history(self, name: str) -> list[dict[str, Any]]:
        lines = self.lines[name]["wandb-history.jsonl"]
        return [json.loads(lines[i]) for i in sorted(lines)]

    def summary(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.uploads["wandb-summary.json"])) if name in self.runs else {}


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def handle_one_request(self) -> None:
        with suppress(ConnectionError):
            super().handle_one_request()
            return
        self.close_connection = True

    def _reply(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        name = self.path.removeprefix("/up/")
        self.server.uploads[name] = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._reply({})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        if self.path.endswith("/graphql"):
            operation = body.get("operationName") or body["query"].split("(")[0].split()[-1]
            self._reply({"data": self.server.answer(operation, body.get("variables") or {})})
            return
        run = self.path.split("/")[-2]  # /files/ENTITY/PROJECT/RUN/file_stream
        for name, chunk in (body.get("files") or {}).items():
            for index, line in enumerate(chunk["content"]):
                self.server.lines[run][name][chunk["offset"] + index] = line
        self._reply({})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as standing:
        thread = threading.Thread(target=standing.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        monkeypatch.setenv("WANDB_BASE_URL", standing.url)
        monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
        yield standing
        standing.shutdown()
        thread.join()


def _checks_of_seeds(history: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """The checks of single seeds; means over seeds have rows of their own."""
    return [row for row in history if any(name.startswith("validation/loss/seed") for name in row)]


def _curve(history: Iterable[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    """The points that W&B draws of a curve, in the order they were sent."""
    return [(row[MEANS[name]], row[name]) for row in history if name in row]


@pytest.mark.slow
def test_an_online_run_arrives_and_is_resumed_not_doubled(
    options: Make, make_record: Make, make_details: Make, said: list[str], server: Server, tmp_path: Any
) -> None:
    records, details = [make_record(s) for s in range(3)], [make_details(s) for s in range(3)]
    with Tracker(options("online"), warn=said.append) as tracker:
        tracker.cell_done(records[:2], details[:2])
    assert said == []
    (run,) = server.runs
    assert server.runs[run]["groupName"] == "a-suite"
    assert server.runs[run]["jobType"] == "sine-1d"
    assert len(_checks_of_seeds(server.history(run))) == 100
    assert server.summary(run)["id_error/seed1"] == records[1].id_error
    assert (server.summary(run)["seeds"], server.summary(run)["mean_curve_seeds"]) == (2, 2)
    means = {name: _curve(server.history(run), name) for name in MEANS}
    assert [len(curve) for curve in means.values()] == [50, 50, len(records[0].ladder), len(records[0].ladder), 1]
    assert f"records-{run}" in server.artifacts
    assert server.uploads["records.jsonl"].decode().splitlines() == [r.to_json() for r in records[:2]]
    # The same cell with another seed, from a machine that knows nothing of the first sweep.
    with Tracker(options("online", directory=tmp_path / "elsewhere"), warn=said.append) as tracker:
        tracker.cell_done(records, details)
    assert said == []
    assert set(server.runs) == {run}
    curves = _checks_of_seeds(server.history(run))
    assert len(curves) == 150, "points of the first two seeds must not come twice"
    # What W&B has cannot be taken back: one clean curve of two seeds rather than a second across it.
    assert {name: _curve(server.history(run), name) for name in MEANS} == means
    assert (server.summary(run)["seeds"], server.summary(run)["mean_curve_seeds"]) == (3, 2)
    assert sum("tables/growth" in row for row in server.history(run)) == 2


@pytest.mark.slow
def test_what_was_kept_offline_is_sent_once(
    options: Make, make_record: Make, make_details: Make, server: Server
) -> None:
    asked = options()
    with Tracker(asked) as tracker:
        tracker.cell_done([make_record()], [make_details()])
        tracker.finish([{"rank": 1}])
    assert server.runs == {}
    assert sync(asked.directory) == 2
    assert {run["jobType"] for run in server.runs.values()} == {"sine-1d", "sweep"}
    (cell,) = (name for name, run in server.runs.items() if run["jobType"] == "sine-1d")
    assert len(_checks_of_seeds(server.history(cell))) == 50
    assert f"records-{cell}" in server.artifacts
    server.runs.clear()
    assert sync(asked.directory) == 0
    assert server.runs == {}


def kept(options: Make) -> Any:
    """A folder that looks like one kept run."""
    directory = options().directory
    folder = directory / "wandb" / "offline-run-20260101_000000-abc"
    folder.mkdir(parents=True)
    (folder / "run-abc.wandb").write_bytes(b":W&B\xe1\xbe\x00")
    return directory


def test_sync_without_a_key_is_refused_in_a_line(options: Make) -> None:
    with pytest.raises(InputError, match=r"no W&B key to send 1 run.*wandb login"):
        sync(kept(options))


def test_sync_where_nothing_was_kept(options: Make) -> None:
    with pytest.raises(InputError, match="no W&B runs are kept there"):
        sync(options().directory)


def test_sync_says_when_the_server_does_not_take_runs(monkeypatch: pytest.MonkeyPatch, options: Make) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.setattr(syncing, "_RETRIES", dict.fromkeys(syncing._RETRIES, "1"))
    directory = kept(options)
    with pytest.raises(FarFieldError, match="did not take 1 of 1 run"):
        sync(directory)
    assert syncing.kept_runs(directory)
