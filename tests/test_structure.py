"""Imports go one way: the library knows nothing of the page, and the certificate nothing of tensors."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "dssn_core").rglob("*.py"))


def imports(path):
    """Full names of the modules that a file imports anywhere in it; relative ones as inside dssn_core."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, ["dssn_core" if node.level else "", node.module]))
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def packages(path):
    return {name.split(".")[0] for name in imports(path)}


def test_the_modules_are_found():
    assert {"certificate.py", "constants.py", "splitting.py", "voting.py"} <= {path.name for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_library_does_not_import_the_page(path):
    assert not packages(path) & {"app", "streamlit", "plotly"}


@pytest.mark.parametrize("name", ["certificate.py", "checks.py", "constants.py", "wording.py"])
def test_the_certificate_needs_no_tensors(name):
    path = ROOT / "dssn_core" / name
    assert not packages(path) & {"torch", "torchvision", "numpy", "streamlit", "safetensors"}
    inside = {name.split(".")[1] for name in imports(path) if name.startswith("dssn_core.")}
    assert inside <= {"checks", "constants", "wording"}


EARLIER = {  # what a module may use of the chain bytes -> images -> splitting -> voting -> certificate
    "checks": set(),
    "constants": {"checks"},
    "wording": {"constants"},
    "strict_json": {"wording"},
    "files": {"strict_json"},
    "images": {"checks", "constants"},
    "offsets": {"checks"},
    "splitting": {"checks", "constants", "images", "offsets"},
    "certificate": {"constants", "wording"},
    "duels": {"constants", "certificate"},
    "counts": {"checks", "constants", "certificate", "duels"},
    "layout": {"checks", "constants"},
    "draws": set(),
    "base_classifier": {"constants", "draws", "splitting"},
    "voting": {"checks", "constants", "images", "splitting", "base_classifier", "certificate", "counts", "layout"},
    "neighbours": {"checks", "constants", "images"},
    "monte_carlo": {
        "base_classifier",
        "checks",
        "constants",
        "counts",
        "images",
        "layout",
        "neighbours",
        "wording",
    },
    "comparison": {"constants", "certificate", "monte_carlo", "neighbours", "wording"},
}


@pytest.mark.parametrize("name", list(EARLIER))
def test_data_flows_one_way(name):
    modules = {path.stem for path in MODULES}
    parts = {part for found in imports(ROOT / "dssn_core" / f"{name}.py") for part in found.split(".")[1:2]}
    assert parts & modules <= EARLIER[name]


@pytest.mark.parametrize(
    "path",
    sorted([*(ROOT / "app").glob("*charts.py"), ROOT / "app/film.py", ROOT / "app/strips.py"]),
    ids=lambda path: path.name,
)
def test_figures_are_made_without_streamlit(path):
    assert "streamlit" not in packages(path)


def test_what_outlives_a_change_of_page_is_asked_of_one_module():
    written = [path.name for path in (ROOT / "app").rglob("*.py") if "kept-" in path.read_text(encoding="utf-8")]
    assert written == ["state.py"]


@pytest.mark.parametrize("modules", ["dssn_core.__main__", "app.controls, app.gallery, app.progress, app.votes"])
def test_a_start_does_not_wait_for_packages_that_few_need(modules):
    code = f"import sys, {modules}; print({{'scipy.stats', 'timm', 'torchvision', 'torch._dynamo'}} & {{*sys.modules}})"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout == "set()\n"


def test_every_package_of_the_library_is_installed():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in MODULES if path.name == "__init__.py"}
    assert set(stated) == found
