"""`make bench`: the table of what is asked for, a row a module. Without names: all of them."""

import argparse
import signal
import sys
import time

from benchmarks import (
    api_process,
    bulk_import,
    entry_put,
    evening,
    far_database,
    growth,
    large_clinic,
    many_clinics,
    nightly,
    put_profile,
    read_days,
    reassess,
    sync_batch,
    worklist,
    wsgi_servers,
)

MODULES = (
    *(entry_put, sync_batch, read_days, worklist, evening, nightly, reassess, bulk_import, api_process),
    *(growth, large_clinic, many_clinics, wsgi_servers, far_database, put_profile),
)
ROWS = {module.__name__.rpartition(".")[2]: module.main for module in MODULES}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *ROWS], help="only these rows")
    parser.add_argument("--full", action="store_true", help="the sizes that are asked for; takes hours")
    # Asked to stop, it stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    options = parser.parse_args()
    for name in options.names or ROWS:
        begun = time.monotonic()
        ROWS[name](options.full)
        print(f"\n{name}: {time.monotonic() - begun:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
