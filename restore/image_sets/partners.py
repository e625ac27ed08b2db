"""Which ground truth belongs to a noisy image, by the names of both."""

from collections.abc import Collection
from dataclasses import dataclass

from restore.errors import RestoreError


@dataclass(frozen=True)
class Rule:
    """How the name of a ground truth follows from the name of its noisy image.

    Attributes
    ----------
    noisy, truth : str
        What stands in the one name in place of the other, such as '_noisy' and '_clean'; both are
        empty where the names are the same.

    Examples
    --------
    >>> rule = Rule.parse("_real=_mean")
    >>> rule.partner("plug_11_real"), rule.common("plug_11_real")
    ('plug_11_mean', 'plug_11')
    """

    noisy: str = ""
    truth: str = ""

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """Read 'same', or NOISY=CLEAN as in ``_noisy=_clean``.

        Raises
        ------
        RestoreError
            Another form.
        """
        if text == "same":
            return cls()
        noisy, equals, truth = text.partition("=")
        if not (noisy and equals and truth and noisy != truth):
            raise RestoreError(
                f"`names` {text}: expected auto, same or NOISY=CLEAN, such as _noisy=_clean"
            )
        return cls(noisy, truth)

    def __str__(self) -> str:
        """Return the form that `parse` reads."""
        return f"{self.noisy}={self.truth}" if self.noisy else "same"

    def partner(self, name: str) -> str:
        """Return the name of the ground truth of a noisy image that the rule is for."""
        if not self.noisy:
            return name
        head, _, tail = name.rpartition(self.noisy)
        return head + self.truth + tail

    def common(self, name: str) -> str:
        """Return what to call a pair: the name without a mark at its end."""
        return (name.removesuffix(self.noisy) if self.noisy else name) or name


SAME = Rule()
# What people and published sets write; tried in this order.
KNOWN = (
    Rule("_noisy", "_clean"),
    Rule("_noisy", "_gt"),
    Rule("_noisy", "_truth"),
    Rule("_noisy", "_mean"),
    Rule("_real", "_mean"),
    Rule("NOISY", "GT"),
    Rule("noisy", "clean"),
)


def rule_for(
    noisy: Collection[str], truth: Collection[str], names: str = "auto", *, together: bool = False
) -> Rule:
    """Return the rule by which names belong together.

    Parameters
    ----------
    noisy, truth : collection of str
        Names of the noisy images and of the ground truths.
    names : str, optional
        'same', NOISY=CLEAN, or 'auto': the same names where one name is in both folders, else the
        first of `KNOWN` by which one noisy image has a partner, else the same names.
    together : bool, optional
        Both lie in one folder, so that the same names mean nothing.

    Raises
    ------
    RestoreError
        `names` has another form.
    """
    if names != "auto":
        return Rule.parse(names)
    found = set(truth)
    if not (together or found.isdisjoint(noisy)):
        return SAME
    for rule in KNOWN:
        if any(rule.noisy in name and rule.partner(name) in found for name in noisy):
            return rule
    return SAME
