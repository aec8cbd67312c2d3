"""DSSN Explorer: the pages, over `dssn_core`."""

# Whole before any session draws: plotly takes what it finds in sys.modules, even what another thread half imported.
import pandas  # noqa: F401
