"""Which code may know which."""

from importlinter.cli import lint_imports


def test_imports_run_downwards_only(capsys):
    status = lint_imports(config_filename="pyproject.toml", no_cache=True)

    assert status == 0, capsys.readouterr().out
