"""What layers hold, and what a confined process can say."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from bench.core.errors import InputError
from bench.submitting.confined import layers
from bench.submitting.confined.remote import Allowance, Confined
from bench.submitting.confined.wire import WireError, receive, send
from bench.submitting.measuring import Answers, Recorder
from bench.submitting.sampling import Draw, disguise
from bench.submitting.verifying import How
from tasks import resolve

NEEDED = {
    "bubblewrap": "apt-get install bubblewrap, and user namespaces",
    "unshare": "unshare of util-linux, and user namespaces",
    "landlock": "Linux 5.13 with landlock",
}


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["bubblewrap", "unshare", "landlock"])
def test_a_layer_holds_what_it_says(layer: Any) -> None:
    if layer not in layers.available():
        pytest.skip(f"needs {NEEDED[layer]}")
    process = Confined(layer, Allowance(seconds=60.0))
    with process:
        held = process.held
    process.close()
    assert not held.tcp
    assert not held.reads
    assert not held.writes
    if layer != "landlock":
        assert not held.udp
    if layer == "bubblewrap":
        assert not held.sees
        assert "network cut, files hidden, writing kept out, processes hidden" in held.words


@pytest.mark.slow
def test_limits_alone_hold_little_and_say_so() -> None:
    process = Confined("limits", Allowance(seconds=60.0))
    with process:
        held = process.held
    process.close()
    assert held.reads
    assert "files open" in held.words


def test_nothing_but_limits_is_refused_unless_it_is_called_unsafe() -> None:
    with pytest.raises(InputError, match="nothing here confines"):
        How(layer="limits").chosen_layer()
    assert How(layer="limits", unsafe=True).chosen_layer() == "limits"


def test_a_confined_process_is_told_no_variable_of_the_verifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    assert "SECRET" not in layers.environment("/tmp")
    assert not any("FARFIELD" in name for name in layers.environment("/tmp"))


def test_only_farfields_packages_are_shown_of_its_folder() -> None:
    shown = layers.readable()
    assert layers.HOME not in shown
    assert os.path.join(layers.HOME, "bench") in shown


def test_a_message_arrives_as_it_was_sent() -> None:
    reading, writing = os.pipe()
    arrays = [np.arange(6.0).reshape(2, 3), np.empty((0, 4)), np.array([[3]], dtype=np.int64)]
    send(writing, "ask", arrays, member=2)
    got = receive(reading, 5.0)
    os.close(reading)
    os.close(writing)
    assert (got.kind, got.header["member"]) == ("ask", 2)
    assert all((a == b).all() and a.shape == b.shape for a, b in zip(arrays, got.arrays, strict=True))


def framed(header: bytes, rest: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "big") + header + rest


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a line of text that is no message\n",
        framed(b"nonsense"),
        framed(b"[]"),
        framed(b'{"kind": "answers"}'),
        framed(b'{"kind": "answers", "arrays": [["|O", [1]]]}', b"12345678"),
        framed(b'{"kind": "answers", "arrays": [["<f8", [-1]]]}'),
        framed(b'{"kind": "answers", "arrays": [["<f8", [1000000000000]]]}'),
        framed(b'{"kind": "answers", "arrays": [["<f8", [2]]]}', b"12345678"),
        framed(b"[" * 20_000),
        (2**40).to_bytes(8, "big"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    try:
        with pytest.raises(WireError):
            receive(reading, 20.0)
    finally:
        os.close(reading)


class Linear:
    """Stands for a confined process: answers with the sum of a row, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    def predict(self, member: int, points: np.ndarray, each_step: bool = False) -> np.ndarray:
        self.asked.append(points)
        return points.sum(axis=1)


def test_far_rows_are_asked_among_the_others_and_answers_come_back_in_place() -> None:
    process, task = Linear(), resolve("sine-1d").load()
    answers = Answers(process, 0, task)  # type: ignore[arg-type]
    recorder = Recorder()
    batches = [task.test.inputs, *(far.rows.inputs for far in task.far)]
    for batch in batches:
        recorder(batch)
    answers.prepare(recorder.asked)
    count = len(process.asked)
    for batch in batches:
        assert (answers(batch) == batch.sum(axis=1)).all()
    assert len(process.asked) == count
    first = process.asked[0][:, 0]
    distance = np.abs(first) / task.radius
    assert (distance <= 1).any()
    assert (distance > 2).any()
    switches = int(((distance[1:] > 1) != (distance[:-1] > 1)).sum())
    assert switches > len(first) / 8


def test_a_disguise_changes_order_and_sign_and_nothing_else() -> None:
    task = resolve("diabetes").load(1)
    hidden = disguise(task, 12345)
    assert (hidden.train.targets == -task.train.targets).all()
    assert np.allclose(np.sort(hidden.train.inputs, axis=1), np.sort(task.train.inputs, axis=1))
    assert not (hidden.train.inputs == task.train.inputs).all()
    assert np.allclose(np.linalg.norm(hidden.test.inputs, axis=1), np.linalg.norm(task.test.inputs, axis=1))
    assert hidden.problem.target_range == (-task.problem.target_range[1], -task.problem.target_range[0])
    assert hidden.target_max == task.target_max


def test_the_sample_follows_from_bundle_and_nonce_alone(made: Any) -> None:
    bundle = made(tasks=("sine-1d", "linear-1d", "quadratic-1d"))

    def drawn(nonce: str) -> list[Any]:
        draw = Draw(bundle.entry.digest, nonce)
        cells = draw.sample(bundle.records, None)
        return [(cell.key, draw.seeds(cell.key, "plain", 3)) for cell in cells]

    assert drawn("a") == drawn("a")
    assert drawn("a") != drawn("b")
    assert {key for key, _ in drawn("a")} == {key for key, _ in drawn("b")}
    assert all(seed >= 10_000 for _, seeds in drawn("a") for seed in seeds)
