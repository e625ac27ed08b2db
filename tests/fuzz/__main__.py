"""The long run (`make fuzz`): ``python -m tests.fuzz [COUNT]``, in children with limited memory."""

import json
import logging
import resource
import sys
from collections import Counter

import psutil

from tests.fuzz.readers import READERS
from tests.fuzz.runs import MEMORY, in_child, run

_STRETCH = 200


def main() -> None:
    """Fuzz all readers, print a line each, and end with 1 where there was a fault."""
    if sys.argv[1:2] == ["--stretch"]:
        name, first, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
        held = psutil.Process().memory_info().vms
        limit = held + 3 * MEMORY  # address space: threads and libraries take more than they use
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        logging.disable()
        counts, faults = run(name, count, first)
        print(json.dumps({"counts": counts, "faults": faults}))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    each = -(-count // len(READERS))
    total: Counter[str] = Counter()
    faults: list[str] = []
    for name in READERS:
        counts: Counter[str] = Counter()
        for first in range(0, each, _STRETCH):
            found = in_child(name, min(_STRETCH, each - first), first)
            counts.update(found["counts"])
            faults += found["faults"]
        total.update(counts)
        print(f"{name}: {_words(counts)}", flush=True)
    print(f"all: {_words(total)}")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


def _words(counts: Counter[str]) -> str:
    names = ("read", "line", "other", "hang", "memory", "crash")
    return ", ".join(f"{counts[name]} {name}" for name in names)


main()
