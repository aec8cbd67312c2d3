"""How N samples are cut into chunks."""

import math

import numpy as np
import pytest
import torch

from dssn_core.layout import CHUNK_VALUES, ChunkLayout, fitting_batch_size


@pytest.mark.parametrize("levels", [2, 3, 5, 100, 132, 255, 256, 257, 441, 1766, 8191, 8192])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 64, 255, 256, 257, 10_000])
def test_a_layout_is_a_partition_into_equal_chunks(levels, batch_size):
    layout = ChunkLayout.of(levels, batch_size)
    assert layout.chunks == math.ceil(levels / batch_size)
    assert layout.rows == math.ceil(levels / layout.chunks) <= batch_size
    seen = []
    for chunk in range(layout.chunks):
        indices, real = layout.indices(chunk), layout.real_rows(chunk)
        assert indices.shape == (layout.rows,) and indices.dtype == torch.int64
        assert 1 <= real <= layout.rows
        assert real == layout.rows or chunk == layout.chunks - 1  # only the last one is padded
        assert indices.min() >= 0 and indices.max() < levels
        assert layout.place_of(int(indices[real - 1])) == (chunk, real - 1)
        seen += indices[:real].tolist()
    assert sorted(seen) == list(range(levels))


@pytest.mark.parametrize("levels", [132, 441, 1766, 3091, 8192])
@pytest.mark.parametrize("first", [8, 32, 64])
def test_the_first_samples_are_spread_evenly(levels, first):
    indices = np.sort(ChunkLayout.of(levels, first).indices(0).numpy()[:first])
    gaps = np.diff(np.append(indices, indices[0] + levels))
    assert gaps.max() <= 3 * levels / len(indices)


@pytest.mark.parametrize("levels", [2, 7, 60, 441])
def test_the_order_is_that_of_the_golden_sequence(levels):
    """Certificates that are kept rest on it: a sample is computed beside those of its chunk."""
    points = [place * 2654435769 % 2**32 for place in range(levels)]
    ranks = [sum(other < point for other in points) for point in points]
    assert ChunkLayout.of(levels, levels).indices(0).tolist() == ranks


def test_the_chunks_of_large_images_have_fewer_rows():
    assert [fitting_batch_size(shape) for shape in ((3, 32, 32), (3, 224, 224))] == [64, 13]  # as kept ones have it
    assert ChunkLayout.for_images(441, (3, 32, 32)) == ChunkLayout.of(441, 64)
    large = ChunkLayout.for_images(441, (3, 224, 224))
    assert 8 <= large.rows <= 16 and large.rows * 3 * 224 * 224 <= CHUNK_VALUES
    assert fitting_batch_size((3, 10_000, 10_000)) == 1
    assert ChunkLayout.for_images(441, (3, 224, 224), 7) == ChunkLayout.of(441, 7)
    assert ChunkLayout.of(441, 10**400) == ChunkLayout.of(441, 441)  # no number is too large
    with pytest.raises(ValueError, match="batch_size must be an integer of 1 or more"):
        ChunkLayout.for_images(441, (3, 4, 4), 0)


@pytest.mark.parametrize("batch_size", [0, -1, True, 2.0, "256", None])
def test_batch_sizes_are_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size must be an integer of 1 or more"):
        ChunkLayout.of(441, batch_size)
