"""One writes, others read, whoever dies."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from bench.core.errors import InputError
from leaderboard.records.store.store import Store, store_lock


def test_readers_work_beside_the_writer(path, record, key):
    with Store(path, "write") as writer, Store(path) as reader:
        writer.add(record())
        assert len(reader) == 1
        writer.add(record(key(seed=1)))
        assert len(reader) == 2


WRITER = """
import sys
sys.path.insert(0, {helpers!r})
from conftest import make_key, make_record
from leaderboard.records.store.store import Store
with Store({path!r}, "write") as store:
    print("open", flush=True)
    for seed in range(100_000):
        store.add(make_record(make_key(seed=seed)), {{"curve.train": tuple(map(float, range(200)))}})
        print(seed, flush=True)
"""


def start_writer(path):
    program = textwrap.dedent(WRITER.format(path=str(path), helpers=os.path.dirname(os.path.dirname(__file__))))
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "open\n"
    return child


def test_kill_9_of_the_writer_loses_nothing_that_was_reported(path, record):
    """Killed in the midst of writing, again and again: whatever it reported as stored is there, once, and whole."""
    reported = -1
    for moment in range(3):
        child = start_writer(path)
        time.sleep(0.05 + 0.11 * moment)
        child.kill()
        seen, _ = child.communicate()
        reported = max(reported, *(int(line) for line in seen.split() if line.isdigit()), -1)
        with Store(path) as store:
            seeds = [r.key.seed for r in store.records()]
            assert seeds[: reported + 1] == list(range(reported + 1))
            assert len(seeds) == len(set(seeds)) <= reported + 3
            assert store.check() == ()
            assert all(len(store.details(k)["curve.train"]) == 200 for k in store.keys()[-3:])
    assert reported > 0
    with Store(path, "write") as store:  # the lock died with its holder
        assert not store.add(record())


def test_a_second_writer_is_told_who_holds_the_store(path):
    child = start_writer(path)
    try:
        with pytest.raises(InputError, match=rf"process {child.pid} on .* is writing") as caught:
            Store(path, "write")
        assert "\n" not in str(caught.value)
        with Store(path) as store:  # reading goes on
            assert store.check() == ()
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    Store(path, "write").close()


def test_the_lock_is_not_shared_within_a_process_either(tmp_path):
    with store_lock(tmp_path / "s"):
        with pytest.raises(InputError, match=f"process {os.getpid()} .* is writing"), store_lock(tmp_path / "s"):
            pass
        with store_lock(tmp_path / "other"):
            pass
        with pytest.raises(InputError, match="is writing"), store_lock(tmp_path / "s"):
            pass  # being refused did not free it
    with store_lock(tmp_path / "s"):
        pass


def test_the_lock_is_freed_when_opening_fails(path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all, but long enough to look at" * 100)
    for _ in range(2):
        with pytest.raises(InputError, match="no store"):
            Store(path, "write")
