"""Runs every benchmark, one after the other, each in a process and with a database of its own."""

import pkgutil
import subprocess
import sys

import benchmarks

# What they share, and this module.
NO_BENCHMARKS = {"__main__", "throwaway"}


def main() -> int:
    names = sorted({module.name for module in pkgutil.iter_modules(benchmarks.__path__)} - NO_BENCHMARKS)
    failed = []
    for name in names:
        print(f"--- {name.replace('_', ' ')} ---", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"Missed its target or failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
