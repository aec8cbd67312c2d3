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


STARTED = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(sys.argv[1], default_timeout=900).run()
print([error.value for error in page.exception], page.title[0].value)
"""


SETTINGS = """
import sys
from streamlit import config
config._main_script_path = sys.argv[1]  # as `streamlit run` does
config.get_config_options(force_reparse=True)
print(config.get_option("client.toolbarMode"), config.get_option("runner.magicEnabled"))
"""


def test_the_settings_count_wherever_the_app_is_started(tmp_path):
    command = [sys.executable, "-c", SETTINGS, str(ROOT / "app" / "main.py")]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "minimal False"


def test_the_app_starts_from_any_folder(tmp_path):
    # As `streamlit run` does it: only `python -m streamlit run` looks for packages in the current folder.
    command = [sys.executable, "-P", "-c", STARTED, str(ROOT / "app" / "main.py")]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[] Certify a picture"
