"""DSSN: deterministic L1 robustness certificates by smoothing with splitting noise (Levine & Feizi, ICML 2021).

bytes -> images -> splitting -> voting -> certificate
"""

from .certificate import Certificate, RadiusBounds, certificate_from_votes, radius_bounds
from .checkpoints import list_models, load_model
from .constants import PIXEL_STEPS, levels_from_lambda, levels_from_sigma
from .images import read_image
from .splitting import SplitNoise
from .voting import Tally, Vote, certify, count_votes, tally

__all__ = [
    "PIXEL_STEPS",
    "Certificate",
    "RadiusBounds",
    "SplitNoise",
    "Tally",
    "Vote",
    "certificate_from_votes",
    "certify",
    "count_votes",
    "levels_from_lambda",
    "levels_from_sigma",
    "list_models",
    "load_model",
    "radius_bounds",
    "read_image",
    "tally",
]
