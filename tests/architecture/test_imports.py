"""Which code may know which."""

import subprocess
import sys


def test_imports_run_downwards_only():
    # A process of its own: import-linter sets up logging for itself and switches everybody else's off.
    linter = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())",
    ]
    checked = subprocess.run(linter, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
