"""Comparing the settings a network may run in."""

import numpy as np
import torch

from dssn_core.agreement import Setting, all_logits, compare, reference_logits, settings_of
from dssn_core.layout import ChunkLayout
from dssn_core.voting import tally


def test_the_reference_is_what_certificates_are_made_in(model, image):
    noise = model.manifest.noise_at(150)
    reference, *others = settings_of(model)
    states = list(tally(model, image, noise))
    order = np.concatenate([state.indices for state in states]).argsort()
    expected = np.concatenate([state.logits for state in states])[order]
    assert all_logits(model, image, noise, reference).numpy().tobytes() == expected.tobytes()
    assert reference.channels_last and ChunkLayout.of(150, reference.batch_size).rows == len(states[0].indices)
    assert len(others) == 15 and reference not in others


def compared(model, image, levels):
    return compare(model, [image], reference_logits(model, [image], levels))


def test_another_number_format_is_seen_to_change_logits(model, image):
    found = {str(agreement.setting): agreement for agreement in compared(model, image, 30)}
    rough = [agreement for name, agreement in found.items() if "bfloat16" in name]
    fine = [agreement for name, agreement in found.items() if "float32" in name]
    assert min(agreement.largest_error for agreement in rough) > 1e-3
    assert max(agreement.largest_error for agreement in fine) < 1e-3
    assert torch.get_num_threads() == settings_of(model)[0].threads  # as before


def test_votes_that_differ_are_counted_with_their_gap(model, image):
    class Fickle:
        """Two classes so close that the precision decides."""

        def __init__(self, model):
            self.__dict__.update(model.__dict__)
            self._model = model

        num_classes = 2
        network = torch.nn.Identity()

        def answer(self, x, lam, precision, channels_last):
            second = 0.01 if precision == "bfloat16" else -0.01
            return torch.tensor([[0.0, second]]).repeat(len(x), 1)

    fickle = Fickle(model)
    fickle.input_shape, fickle.manifest, fickle.precision = model.input_shape, model.manifest, "float32"
    found = {agreement.setting: agreement for agreement in compared(fickle, image, 20)}
    assert found[Setting(1, 16, True, "float32")].differing == 0
    changed = found[Setting(1, 16, True, "bfloat16")]
    assert (changed.differing, changed.votes, changed.changed_radii) == (20, 20, 1)
    assert abs(changed.largest_gap - 0.01) < 1e-6
    assert changed.places == tuple((0, j) for j in range(20))
    assert "20 of 20 votes differ (image:j 0:0 0:1 0:2 " in str(changed)
    assert "0:19), two best logits up to 0.01 apart" in str(changed)
