"""What became of the parcels: delayed labels are matched with predictions, and their windows with the reference."""

from collections import OrderedDict

from scipy.special import bdtr, chdtrc

from reference import Reference

REMEMBERED = 1_000  # Fault: most labels come later than that.
WINDOW = 500
TEST_FALSE_ALARMS = 0.001

LATE, ON_TIME = "late", "on_time"


class Outcomes:
    """Remembers predictions until their labels come, the newest 50,000 of them."""

    def __init__(self) -> None:
        self._predicted: OrderedDict[str, bool] = OrderedDict()
        self._labelled: set[str] = set()

    def predicted(self, identifier: str, late: bool) -> None:
        self._predicted[identifier] = late
        if len(self._predicted) > REMEMBERED:
            oldest, _ = self._predicted.popitem(last=False)
            self._labelled.discard(oldest)

    def match(self, identifier: str) -> tuple[str, bool]:
        """`matched`, `unknown` or `duplicate`, and what had been predicted."""
        if identifier not in self._predicted:
            return "unknown", False
        if identifier in self._labelled:
            return "duplicate", False
        self._labelled.add(identifier)
        return "matched", self._predicted[identifier]


class LabelWindow:
    """The matched labels since the last whole label window."""

    def __init__(self) -> None:
        self.count = self.late = self.right = 0

    def add(self, predicted: bool, actual: bool) -> bool:
        """Whether the window is whole now."""
        self.count += 1
        self.late += actual
        self.right += predicted == actual
        return self.count == WINDOW

    @property
    def accuracy(self) -> float:
        return self.right / self.count

    def accuracy_fell(self, reference: Reference) -> bool:
        """One-sided: how likely are so few right ones, if each is right as often as in the reference?"""
        return bdtr(self.right, self.count, reference.right / reference.rows) < TEST_FALSE_ALARMS

    def share_of_late_moved(self, reference: Reference) -> bool:
        """Two-sided: chi-square of the two by two table of window and reference."""
        total = reference.rows + self.count
        share = (reference.late + self.late) / total
        spread = share * (1 - share) * (1 / reference.rows + 1 / self.count)
        difference = self.late / self.count - reference.late / reference.rows
        return spread > 0 and chdtrc(1, difference**2 / spread) < TEST_FALSE_ALARMS
