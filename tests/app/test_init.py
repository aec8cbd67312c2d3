import subprocess
import sys

from tests.app.browser import ROOT

LOADED = """
import sys
import app.charts
names = list(sys.modules)  # in the order in which their imports began
print(names.index("pandas") < names.index("plotly"))
"""


def test_pandas_is_loaded_before_anything_draws():
    # Ten sessions opened at once once met a half imported pandas: plotly takes what stands in sys.modules.
    found = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"
