"""The inside of a confined process: it trains on rows without a name, and answers for points.

It is given numbers alone: training and validation rows, the schedule, the draws of weights and batches. It is never
told which task or seed that is, and never sees test or far targets; errors are reckoned by the verifier from answers.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
from typing import TYPE_CHECKING, Any

from bench.submitting.confined import landlock

if TYPE_CHECKING:
    from bench.submitting.confined.trainee import Trainee
    from bench.submitting.confined.wire import Message

_OPEN_FILES = 512
_LARGEST_FILE = 256 * 2**20


def main() -> None:
    """Take on limits, say what they hold, then serve until the verifier is gone."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    from bench.submitting.confined.wire import WireError, receive, send

    with contextlib.suppress(WireError):
        start = receive(requests).header
        _take_limits(start)
        held = landlock.restrict(start["readable"], [start["folder"], os.devnull]) if start["landlock"] else 0
        send(replies, "witnessed", (), landlock=held, **witness(start))
        _serve(requests, replies)


def _take_limits(start: Any) -> None:
    memory, seconds = int(start["memory"]), int(start["processor_seconds"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    most = min(_OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def witness(start: Any) -> dict[str, bool]:
    """What this process can still do, found by trying; true where it can."""
    return {
        "tcp": _connects(start["tcp"]),
        "udp": _sends(start["udp"]),
        "reads": _opens(start["secret"], os.O_RDONLY),
        "writes": _opens(start["outside"], os.O_WRONLY | os.O_CREAT),
        "sees": _sees(start["verifier"]),
    }


def _connects(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0):
            return True
    except OSError:
        return False


def _sends(port: int) -> bool:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            return out.sendto(b"witness", ("127.0.0.1", port)) > 0
    except OSError:
        return False


def _opens(path: str, flags: int) -> bool:
    try:
        os.close(os.open(path, flags, 0o600))
    except OSError:
        return False
    return True


def _sees(process: int) -> bool:
    """Whether the verifier is among the processes here, and may be signalled."""
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def _serve(requests: int, replies: int) -> None:
    from bench.cell.outcome import why
    from bench.core.errors import Unsupported
    from bench.submitting.confined.trainee import Trainee
    from bench.submitting.confined.wire import WireError, receive, send

    trainee: Trainee | None = None
    while True:
        message = receive(requests)
        try:
            if message.kind == "train":
                trainee = Trainee.trained(message)
                send(replies, "trained", **trainee.told())
            elif trainee is not None:
                send(replies, "answers", _answers(trainee, message))
        except WireError:
            raise
        except Unsupported as reason:
            send(replies, "fault", status="unsupported", reason=str(reason), reason_code=reason.code)
        except (Exception, SystemExit) as error:
            words, code = why(error)
            print(words, file=sys.stderr)
            send(replies, "fault", status="failed", reason=words[:1000], reason_code=code)


def _answers(trainee: Trainee, message: Message) -> list[Any]:
    points, member = message.arrays[0], int(message.header["member"])
    if message.header.get("slopes"):
        return trainee.slopes(member, points)
    return [trainee.predict(member, points)]
