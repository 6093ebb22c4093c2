"""Which code may know which."""

import logging.config

from importlinter.cli import lint_imports


def test_imports_run_downwards_only(capsys, monkeypatch):
    # It would set up logging as a program of its own does, and silence every logger there is.
    monkeypatch.setattr(logging.config, "dictConfig", lambda _config: None)

    status = lint_imports(config_filename="pyproject.toml", no_cache=True)

    assert status == 0, capsys.readouterr().out
