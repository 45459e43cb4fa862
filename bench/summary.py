"""What many figures say together."""

import math
from dataclasses import dataclass
from statistics import median


def percentile(values, percent):
    """Return the smallest value that `percent` % of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, with the lowest and the highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        """Return the spread of `values`, or None where there is none."""
        return cls(median(values), min(values), max(values)) if values else None


class Results:
    """The results of a run, as raw.json has them."""

    def __init__(self, raw):
        self.rounds = {}
        for result in raw["results"]:
            key = result["stack"], result["variant"], result["scenario"]
            self.rounds.setdefault(key, []).append(result)

    def values(self, stack, variant, scenario, field):
        """Return what each round gave, in their order."""
        found = self.rounds.get((stack, variant, scenario), [])
        return [result[field] for result in sorted(found, key=lambda result: result["round"]) if field in result]

    def spread(self, stack, variant, scenario, field):
        """Return the spread over the rounds, or None where it was not measured."""
        return Spread.of(self.values(stack, variant, scenario, field))

    def ratio(self, stack, scenario, variant, other):
        """Return the spread of how many requests `variant` answered for each one of `other`, round by round."""
        pairs = zip(
            self.values(stack, variant, scenario, "rate"), self.values(stack, other, scenario, "rate"), strict=False
        )
        return Spread.of([one / two for one, two in pairs if two])
