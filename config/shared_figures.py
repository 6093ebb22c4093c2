"""The figures of all processes of one machine: each writes its own to a file, and whoever is asked adds them up.

Not prometheus-client's own mode for several processes: it counts in mapped files, and writing to one on a full disk
kills the process. Here counting happens in memory, a full disk costs figures only, and no process has to be told which
others have ended: each holds a lock for as long as it lives.
"""

import fcntl
import json
import os
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

EVERY = 5.0  # seconds between two writings; what a killed process counted since its last is lost
GONE = "gone.json"  # what processes counted that have ended: totals never fall

Family = tuple[str, str, str]  # name, help, type
Sample = tuple[str, tuple[tuple[str, str], ...]]  # name, labels
Figures = dict[Family, dict[Sample, float]]


class Share:
    """This process's part."""

    def __init__(self, folder: Path, registry: CollectorRegistry) -> None:
        self.folder = folder
        self.registry = registry
        self.name = uuid.uuid4().hex
        self.written = b""
        with _alone(folder):
            # Open, and with it locked, until the process ends, however it ends.
            self.alive = os.open(folder / f"{self.name}.alive", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self.alive, fcntl.LOCK_EX)

    def write(self) -> None:
        """Raises OSError where the folder takes no more."""
        figures = packed(figures_of(self.registry.collect()))
        if figures == self.written:
            return
        _replace(self.folder / f"{self.name}.json", figures)
        self.written = figures

    def keep_writing(self) -> None:
        """In a thread of its own, which ends with the process."""
        threading.Thread(target=self._write_for_ever, name="figures", daemon=True).start()

    def _write_for_ever(self) -> None:
        while True:
            time.sleep(EVERY)
            try:
                self.write()
            except OSError:
                pass  # a full disk; it will be tried again, and nothing that was counted is lost


def added_up(folder: Path) -> Figures:
    """The figures of all processes, those that have ended included, whose files become one."""
    total: Figures = {}
    with _alone(folder):
        gone = _read(folder / GONE)
        ended = []
        for path in folder.glob("*.alive"):
            figures = _read(path.with_suffix(".json"))
            if _has_ended(path):
                add(gone, figures)
                ended.append(path)
            else:
                add(total, figures)
        if ended:
            try:
                _replace(folder / GONE, packed(gone))
            except OSError:
                ended = []  # on a full disk the files stay as they are
        for path in ended:
            path.with_suffix(".json").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
    add(total, gone)
    return total


def figures_of(metrics: Iterable[Metric]) -> Figures:
    return {
        (metric.name, metric.documentation, metric.type): {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in metric.samples
        }
        for metric in metrics
    }


def metrics_of(figures: Figures) -> Iterator[Metric]:
    for (name, documentation, kind), samples in figures.items():
        metric = Metric(name, documentation, kind)
        for (sample, labels), value in samples.items():
            metric.add_sample(sample, dict(labels), value)
        yield metric


def add(total: Figures, more: Figures) -> None:
    """Counters, and the buckets of histograms, add up sample by sample."""
    for family, samples in more.items():
        sums = total.setdefault(family, {})
        for sample, value in samples.items():
            sums[sample] = sums.get(sample, 0) + value


def packed(figures: Figures) -> bytes:
    return json.dumps(
        [[*family, [[name, labels, value] for (name, labels), value in samples.items()]]
         for family, samples in figures.items()]
    ).encode()  # fmt: skip


def _read(path: Path) -> Figures:
    """Nothing where there is nothing, or nothing that can be read: figures are not worth an error."""
    try:
        return {
            (name, documentation, kind): {
                (sample, tuple((key, word) for key, word in labels)): value
                for sample, labels, value in samples
            }
            for name, documentation, kind, samples in json.loads(path.read_bytes())
        }
    except (OSError, ValueError, TypeError):
        return {}


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _has_ended(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        return True
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two that add up at the same time would count the ended twice."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
