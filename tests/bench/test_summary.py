"""Medians, spreads and ratios, and who is measured after whom."""

import pytest

from bench.scenarios import turns
from bench.servers import HAND_TUNED, OURS, TUNED
from bench.summary import Results, Spread, percentile
from tests.bench.example import example
from tests.template.rendering import SERVERS


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([3, 1, 2], 50, 2),
        ([4, 1, 3, 2], 50, 2),
        (range(1, 101), 99, 99),
        (range(1, 1001), 99, 990),
        ([7], 99, 7),
    ],
)
def test_a_percentile_is_one_of_the_values(values, percent, expected):
    assert percentile(values, percent) == expected


def test_a_spread_is_the_median_between_its_ends():
    assert Spread.of([1000, 900, 1200]) == Spread(median=1000, low=900, high=1200)
    assert Spread.of([]) is None


def test_a_ratio_compares_each_round_with_itself():
    # Rounds differ by a third, and the two commands in each of them by nothing of that.
    ratio = Results(example()).ratio("asgi-gunicorn", "hello", TUNED, OURS)
    assert [ratio.low, ratio.median, ratio.high] == pytest.approx([1.1, 1.1, 1.1])


def test_every_server_has_a_hand_tuned_command_beside_it():
    choices = {f"{interface}-{server}" for interface, servers in SERVERS.items() for server in servers}
    assert set(HAND_TUNED) == choices


class Stack:
    def __init__(self, name):
        self.name, self.variants = name, [OURS, TUNED, "bare"]


STACKS = [Stack(name) for name in "abc"]


def test_each_round_visits_every_server_in_every_variant():
    everything = {(stack.name, variant) for stack in STACKS for variant in stack.variants}
    for number in range(6):
        visits = [(stack.name, variant) for stack, variant in turns(STACKS, number)]
        assert len(visits) == len(everything)
        assert set(visits) == everything


def test_each_round_begins_with_another_server():
    assert [turns(STACKS, number)[0][0].name for number in range(4)] == ["a", "b", "c", "a"]


def test_our_command_and_the_hand_tuned_one_take_turns_side_by_side():
    for number, pair in enumerate([[OURS, TUNED], [TUNED, OURS], [OURS, TUNED]]):
        order = [variant for stack, variant in turns(STACKS, number) if stack.name == "b"]
        assert order[:2] == pair
