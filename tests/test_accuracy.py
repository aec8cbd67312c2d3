"""What records add up to."""

from dataclasses import replace

import pytest

from dssn_core.accuracy import Share, certified_curve, certified_steps, gains, radius_grid
from tests.evaluated import SAMPLING, a_record


def test_certified_accuracy_counts_right_images_with_enough_radius():
    records = [a_record(127), a_record(128), a_record(200, right=False), a_record(0)]
    assert [share.count for share in certified_curve(records, [0, 128 / 255, 0.5, 0.51])] == [3, 1, 1, 0]
    assert certified_steps(records).tolist() == [127, 128, -1, 0]


def test_a_radius_is_compared_exactly():
    for steps in range(1, 1000):
        records = [a_record(steps), a_record(steps - 1)]
        assert certified_curve(records, [steps / 255]) == [Share(1, 2)]


def test_the_interval_holds_the_share_and_is_wilsons():
    low, high = Share(8, 10).interval
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)  # the textbook's example of 8 in 10


def test_the_interval_is_never_told_narrower_than_it_is():
    for share in (Share(3636, 5000), Share(1273, 2000), Share(0, 7), Share(7, 7)):
        (low, high), (told_low, told_high) = share.interval, share.percent_interval
        assert 100 * low - 0.01 < told_low <= 100 * low and 100 * high <= told_high < 100 * high + 0.01
        assert share.to_json()["interval_95"] == pytest.approx([told_low / 100, told_high / 100])
    assert str(Share(3636, 5000)) == "72.72 % (3,636 of 5,000; 95 % interval 71.46 to 73.94)"


def test_no_records_are_refused():
    with pytest.raises(ValueError, match="no records"):
        certified_curve([], [0.5])


def test_the_grid_ends_at_the_largest_possible_radius():
    assert radius_grid([a_record(0)]) == [0.0, 0.1, 0.25, 0.5]
    assert radius_grid([replace(a_record(0), levels=52)]) == [0.0, 0.1]
    assert radius_grid([replace(a_record(0), levels=510)])[-2:] == [0.5, 1.0]


def test_abstentions_are_never_right():
    sure = replace(a_record(0), radius_steps=None, votes=(0, 200, 0), sampling=SAMPLING)
    torn = replace(sure, votes=(90, 105, 5))
    assert sure.radius_in_steps > 100 and torn.radius_in_steps is None
    assert [share.count for share in certified_curve([sure, torn], [0, 0.3, 0.87])] == [1, 1, 0]


def test_gains_are_of_images_that_both_answer_right():
    def rival(index, votes, predicted=1):
        return replace(a_record(0), index=index, predicted=predicted, radius_steps=None, votes=votes, sampling=SAMPLING)

    ours = [replace(a_record(50), index=index) for index in range(5)]
    longer, torn, wrong = (0, 200, 0), (90, 105, 5), (200, 0, 0)
    theirs = [rival(0, longer), rival(1, torn), rival(2, wrong, 0), replace(rival(3, longer), image_sha256="other")]
    found = gains(ours, theirs)
    assert list(found) == [0, 1]
    assert found[0].steps == 50 - theirs[0].radius_in_steps and found[1].steps == 50
    assert gains([replace(ours[0], label=0)], theirs) == {}
