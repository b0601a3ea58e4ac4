import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import ExitStack, closing

import pytest

from bench.core.errors import InputError
from leaderboard import opening, schema
from leaderboard.record import Record
from leaderboard.store import RecordFilter, Store, store_lock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "records.sqlite"


def fill(path, *records, details=None):
    with Store(path, "write") as store:
        for one in records:
            assert store.add(one, details)


def test_records_come_back_equal_and_in_order(path, records):
    every = records(tasks=("sine-1d", "protein"), norms=("none", "rms@all"), seeds=range(3))
    fill(path, *reversed(every))
    with Store(path) as store:
        found = list(store.records())
        assert found == sorted(every, key=lambda r: r.key)
        assert store.keys() == [r.key for r in found]
        assert len(store) == len(every)
        assert all(store.get(r.key) == r and r.key in store for r in every)
        assert store.check() == ()


def test_a_final_record_is_never_replaced_and_never_there_twice(path, record, unfinished):
    one = record()
    with Store(path, "write") as store:
        assert store.add(one)
        assert not store.add(one)
        assert not store.add(dataclasses.replace(one, seconds=9.0))
        assert not store.add(unfinished("failed"))
        assert store.get(one.key) == one
        assert len(store) == 1


@pytest.mark.parametrize("status", ["failed", "timeout"])
def test_an_unfinished_record_gives_way_with_its_details(path, record, unfinished, status):
    with Store(path, "write") as store:
        assert store.add(unfinished(status), {"curve.train": (1.0,)})
        assert store.add(record(), {"curve.step": (5.0,)})
        assert store.get(record().key).status == "ok"
        assert store.details(record().key) == {"curve.step": (5.0,)}
        assert len(store) == 1


def test_finished_keys_with_and_without_retry(path, key, record, unfinished):
    statuses = ["ok", "diverged", "unsupported", "failed", "timeout"]
    digests = {}
    with Store(path, "write") as store:
        for seed, status in enumerate(statuses):
            one = record(key(seed=seed)) if status == "ok" else unfinished(status, key(seed=seed))
            store.add(one)
            digests[status] = one.key.digest()
        assert store.finished() == set(digests.values())
        assert store.finished(retry=True) == {digests[s] for s in statuses[:3]}
        assert store.counts() == dict.fromkeys(statuses, 1)


def test_filters(path, records):
    fill(path, *records(tasks=("sine-1d", "linear-1d"), norms=("none", "layer@first"), seeds=range(3)))
    with Store(path) as store:
        assert len(list(store.records(RecordFilter(task=("sine*",))))) == 6
        assert len(list(store.records(RecordFilter(norm=("layer@*", "rms@*"), seed=(0, 2))))) == 4
        assert len(list(store.records(RecordFilter(status=("failed",))))) == 0
        assert store.counts(RecordFilter(task=("linear-1d",)))["ok"] == 6
        assert list(store.records(RecordFilter(task=("x' OR 1=1 --",)))) == []


def test_details_round_trip_and_reject_numbers_that_are_not_finite(path, record, key):
    details = {"curve.train": (1.0, None, 0.1 + 0.2), "function.x": (), "far.far-2.prediction": (5e-324, -1e308)}
    with Store(path, "write") as store:
        store.add(record(), details)
        assert store.details(record().key) == details
        assert store.details(record().key, "curve.train", "nothing") == {"curve.train": details["curve.train"]}
        assert store.details(key(seed=99)) == {}
        with pytest.raises(ValueError, match="not finite"):
            store.add(record(key(seed=1)), {"curve.train": (float("nan"),)})
        assert key(seed=1) not in store


def test_a_record_and_its_details_are_stored_together_or_not_at_all(path, record):
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER fail BEFORE INSERT ON details BEGIN SELECT RAISE(ABORT, 'disk trouble'); END"
        )
    with Store(path, "write") as store:
        with pytest.raises(InputError, match="disk trouble"):
            store.add(record(), {"curve.train": (1.0,)})
        assert len(store) == 0
        assert store.add(record())


def test_delete_takes_details_along(path, records):
    every = records(seeds=range(4))
    fill(path, *every, details={"curve.train": (1.0,)})
    with Store(path, "write") as store:
        assert store.delete([every[0].key, every[1].key]) == 2
        assert store.delete([every[0].key]) == 0
        assert store.delete([]) == 0
        assert len(store) == len(every) - 2
        assert store.details(every[0].key) == {}
        assert store.details(every[2].key) == {"curve.train": (1.0,)}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM details").fetchone() == (len(every) - 2,)


def test_reading_changes_nothing_and_cannot_write(path, record):
    fill(path, record())
    before = path.read_bytes()
    with Store(path) as store:
        with pytest.raises(InputError, match="reading only"):
            store.add(record())
        with pytest.raises(InputError, match="reading only"):
            store.delete([record().key])
    assert path.read_bytes() == before


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
from leaderboard.store import Store
with Store({path!r}, "write") as store:
    print("open", flush=True)
    for seed in range(100_000):
        store.add(make_record(make_key(seed=seed)), {{"curve.train": tuple(map(float, range(200)))}})
        print(seed, flush=True)
"""


def start_writer(path):
    program = textwrap.dedent(WRITER.format(path=str(path), helpers=os.path.dirname(__file__)))
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


@pytest.mark.parametrize("content", [b"hello", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_what_is_no_store_is_refused_and_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    for mode in ("read", "write"):
        with pytest.raises(InputError, match="store"):
            Store(path, mode)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE records (id)")
    before = path.read_bytes()
    for mode in ("read", "write"):
        with pytest.raises(InputError, match="not a FarField store"):
            Store(path, mode)
    assert path.read_bytes() == before


def test_a_truncated_store_is_refused_or_found_out(path, records):
    fill(path, *records(seeds=range(20)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        with Store(path) as store:
            problems = store.check()
    except InputError as error:
        problems = (str(error),)
    assert problems


def test_check_finds_a_record_that_was_tampered_with(path, records):
    fill(path, *records(seeds=range(2)))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET body = replace(body, '\"seed\":1', '\"seed\":7') WHERE seed = 1")
    with Store(path) as store:
        assert len(store.check()) == 4
        assert "agree" in store.check()[0]


def test_no_store_and_no_permission_are_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="there is no store"):
        Store(tmp_path / "none.sqlite")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used"):
        Store(tmp_path / "file" / "below.sqlite", "write")


def test_a_newer_schema_is_refused_in_both_modes(path, record):
    fill(path, record())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    for mode in ("read", "write"):
        with pytest.raises(InputError, match=r"schema 99.*upgrade"):
            Store(path, mode)
    assert path.read_bytes() == before


def _add_column(connection):
    connection.execute("ALTER TABLE records ADD COLUMN note TEXT NOT NULL DEFAULT 'old'")


def test_an_older_schema_is_migrated_on_writing_and_in_memory_on_reading(path, record, monkeypatch):
    fill(path, record())
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _add_column))
    before = path.read_bytes()
    with Store(path) as store:
        assert store.get(record().key) == record()
        assert next(store._select("SELECT note FROM records")) == ("old",)
    assert path.read_bytes() == before
    with Store(path, "write") as store:
        assert store.get(record().key) == record()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)


def test_a_migration_that_fails_leaves_the_store_as_it_was(path, record, monkeypatch):
    def broken(connection):
        connection.execute("DELETE FROM records")
        connection.execute("SELECT nonsense")

    fill(path, record())
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    with pytest.raises(InputError, match="nonsense"):
        Store(path, "write")
    monkeypatch.undo()
    with Store(path) as store:
        assert store.get(record().key) == record()


def test_a_store_that_was_made_but_never_filled_is_empty(path):
    path.parent.mkdir()
    path.write_bytes(b"")
    with Store(path) as store:
        assert len(store) == 0
        assert list(store.records()) == []


def test_wal_where_it_works_and_truncate_where_it_cannot(path, tmp_path):
    with closing(opening.open_writing(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    if os.name == "posix":
        # dot-file locking has no shared memory: what a network file system looks like to SQLite
        with closing(opening.open_writing(tmp_path / "other.sqlite", vfs="unix-dotfile")) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
            connection.execute("INSERT INTO records VALUES (1, 'd', 'ok', '1', 't', 'a', 'n', 0, '{}')")


def can_write_anywhere():
    return os.name != "posix" or os.geteuid() == 0


def read_in_child(path, before=""):
    """Read the store in a process that may be set up by ``before``; returns what it printed."""
    program = (
        f"from leaderboard.store import Store\nwith Store({str(path)!r}) as s: print(len(list(s.records())), s.check())"
    )
    command = [sys.executable, "-c", program]
    if before:
        command = ["unshare", "--mount", "sh", "-c", f"{before} && exec " + ' "$0" "$@"', *command]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def crashed_copy(path, folder, record):
    """A store as a killed writer leaves it: one record still in the log."""
    with Store(path, "write") as store:
        store.add(record)
        for file in (path, path.with_name(path.name + "-wal")):
            (folder / file.name).write_bytes(file.read_bytes())
    assert (folder / (path.name + "-wal")).stat().st_size > 0
    return folder / path.name


@pytest.mark.parametrize("crashed", [False, True])
def test_a_store_on_a_read_only_mount_is_read_whole(path, tmp_path, record, crashed):
    folder = tmp_path / "mounted"
    folder.mkdir()
    store = crashed_copy(path, folder, record()) if crashed else folder / "records.sqlite"
    if not crashed:
        fill(store, record())
        (folder / "records.sqlite.lock").unlink(missing_ok=True)
    if can_write_anywhere():
        mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
        if subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True, check=False).returncode:
            pytest.skip("cannot mount read-only here")
        result = read_in_child(store, before=mount)
    else:
        folder.chmod(0o555)
        result = read_in_child(store)
        folder.chmod(0o755)
    assert result.stdout == "1 ()\n", result.stderr
    names = {f.name for f in folder.iterdir()}
    assert names == ({"records.sqlite", "records.sqlite-wal"} if crashed else {"records.sqlite"})


def test_writing_on_a_read_only_mount_is_one_clear_line(tmp_path, record):
    fill(tmp_path / "m" / "records.sqlite", record())
    folder = tmp_path / "m"
    program = f"from leaderboard.store import Store\nStore({str(folder / 'records.sqlite')!r}, 'write')"
    mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    if subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("cannot mount read-only here")
    command = ["unshare", "--mount", "sh", "-c", f"{mount} && exec " + '"$0" "$@"', sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode
    assert "InputError: the store cannot be" in result.stderr
    assert "choose another --out" in result.stderr


def test_a_full_disk_keeps_what_was_stored_and_says_so(tmp_path, record):
    program = f"""
    import sys
    sys.path.insert(0, {os.path.dirname(__file__)!r})
    from conftest import make_key, make_record
    from bench.core.errors import InputError
    from leaderboard.store import Store
    with Store("small/records.sqlite", "write") as store:
        for seed in range(100_000):
            try:
                numbers = tuple(hash((seed, i)) * 1e-9 for i in range(2000))
                store.add(make_record(make_key(seed=seed)), {{"curve.train": numbers}})
            except InputError as error:
                print(error)
                break
            done = seed + 1
        assert len(store) == done > 3, (len(store), done)
        assert store.check() == ()
    with Store("small/records.sqlite") as store:
        assert len(store) == done
        assert store.check() == ()
    """
    (tmp_path / "small").mkdir()
    mount = f"mount -t tmpfs -o size=1m tmpfs {tmp_path}/small"
    if subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    command = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f"{mount} && exec " + '"$0" "$@"',
        sys.executable,
        "-c",
        textwrap.dedent(program),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "full" in result.stdout
    assert "what was stored is safe" in result.stdout


def test_planning_over_100_000_records_costs_little(path, record):
    """Which keys are finished is answered from an index: far faster than reading the records, whatever the machine."""
    body = record().to_json()
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)"
            " INSERT INTO records (digest, status, protocol, task, architecture, norm, seed, body)"
            " SELECT lower(hex(randomblob(32))), 'ok', '1', 't', 'a', 'n', i, ? FROM n",
            (body,),
        )
    with Store(path) as store:
        started = time.perf_counter()
        finished = store.finished()
        planning = time.perf_counter() - started
        started = time.perf_counter()
        bodies = sum(len(b) for (b,) in store._select("SELECT body FROM records"))
        reading = time.perf_counter() - started
        plan = " ".join(
            str(row) for row in store._select("EXPLAIN QUERY PLAN SELECT digest FROM records WHERE status = ?", ["ok"])
        )
    assert len(finished) == 100_000
    assert bodies == 100_000 * len(body)
    assert "COVERING INDEX" in plan
    assert planning < 3 * reading  # the body of a record is never touched


def test_closing_twice_and_folders_to_be_made(path, record):
    store = Store(path, "write")
    store.add(record())
    store.close()
    store.close()
    with ExitStack() as keep, Store(path) as again:
        keep.callback(again.close)
        assert isinstance(again.get(record().key), Record)
