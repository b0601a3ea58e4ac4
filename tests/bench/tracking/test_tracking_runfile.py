"""The reader of W&B's run files against an independent writer of the format."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tracking.runfile import is_complete, read_log

BLOCK = 32768


def write_log(records: list[bytes]) -> bytes:
    out = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        rest, first = record, True
        while True:
            left = BLOCK - len(out) % BLOCK
            if left < 7:
                out += bytes(left)
                left = BLOCK
            part, rest = rest[: left - 7], rest[left - 7 :]
            kind = (1 if first else 4) if not rest else (2 if first else 3)
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            first = False
            if not rest:
                break
    return bytes(out)


sizes = st.one_of(st.integers(0, 50), st.integers(BLOCK - 30, BLOCK + 30), st.integers(2 * BLOCK, 3 * BLOCK))


@given(st.lists(sizes, max_size=6))
def test_what_was_written_is_read_wherever_blocks_end(lengths: list[int]) -> None:
    records = [bytes([i % 251]) * n for i, n in enumerate(lengths)]
    assert list(read_log(write_log(records))) == records


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=3), st.data())
def test_a_file_cut_short_gives_whole_records_or_is_refused(lengths: list[int], data: st.DataObject) -> None:
    records = [bytes([i + 1]) * n for i, n in enumerate(lengths)]
    whole = write_log(records)
    cut = whole[: data.draw(st.integers(7, len(whole) - 1))]
    found = []
    try:
        for record in read_log(cut):
            found.append(record)  # noqa: PERF402 (what came before the error counts)
    except ValueError:
        pass
    assert found == records[: len(found)]
    assert len(found) < len(records)


@given(st.integers(7, 300), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    whole = bytearray(write_log([b"abc" * 50, b"defg" * 50]))
    whole[place] ^= change
    with pytest.raises(ValueError, match="W&B run file"):
        list(read_log(bytes(whole)))


@pytest.mark.parametrize(
    "content", [b"", b":W&", b"PK\x03\x04" + bytes(100), write_log([b"\xff\xff\xff"]), write_log([])]
)
def test_what_is_no_whole_run_is_not_complete(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run-x.wandb").write_bytes(content)
    assert not is_complete(tmp_path / "run-x.wandb")
    assert not is_complete(tmp_path / "absent.wandb")
