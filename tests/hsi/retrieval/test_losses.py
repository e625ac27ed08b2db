"""The losses are those of the paper's equations, written as plain loops."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from hsi.errors import HsiError
from hsi.retrieval.ablation import likelihood_range
from hsi.retrieval.losses import PUBLISHED, Losses, likelihood


def drawn(seed: int, n: int = 7, d: int = 5, classes: int = 3) -> Any:
    generator = torch.Generator().manual_seed(seed)
    u, v = (torch.randn(n, d, generator=generator, dtype=torch.float64) for _ in range(2))
    p, q = (torch.randn(n, classes, generator=generator, dtype=torch.float64) for _ in range(2))
    return u, v, (p, q), torch.randint(classes, (n,), generator=generator)


def frobenius(matrix: Any) -> float:
    return math.sqrt(sum(float(value) ** 2 for row in matrix for value in row))


def plain(u: Any, v: Any, predicted: Any, y: Any, temperature: float) -> list[float]:
    """Equations 3, 5 and 6, pixel by pixel."""
    n = len(y)
    truth = np.zeros(predicted[0].shape)
    for i in range(n):
        truth[i, y[i]] = 1
    j1 = sum(frobenius(p.numpy() - truth) / n for p in predicted)
    j2 = 0.0
    for first, second in ((u, v), (u, u), (v, v)):
        for i in range(n):
            for j in range(n):
                a, b = first[i].tolist(), second[j].tolist()
                dot = sum(x * z for x, z in zip(a, b, strict=True))
                cosine = dot / (math.hypot(*a) * math.hypot(*b))
                scaled = cosine / temperature
                same = 1 if y[i] == y[j] else 0
                j2 += (math.log(1 + math.exp(scaled)) - same * scaled) / n**2
    return [j1, j2, frobenius((u - v).numpy()) / n]


@pytest.mark.parametrize("temperature", [2.0, 0.1])
def test_they_are_the_equations(temperature: float) -> None:
    u, v, predicted, y = drawn(0)
    losses = Losses(temperature=temperature)
    found = losses.terms(u, v, predicted, y)
    expected = plain(u, v, predicted, y, temperature)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    total = sum(w * value for w, value in zip(PUBLISHED, expected, strict=True))
    assert float(losses.total(found)) == pytest.approx(total, rel=1e-12)
    assert PUBLISHED == (1, 1e-3, 1e-1)


def test_norms_by_row_are_those_of_the_authors_program() -> None:
    u, v, predicted, y = drawn(1)
    found = Losses(norm="rows").terms(u, v, predicted, y)
    truth = torch.eye(3, dtype=torch.float64)[y]
    j1 = sum(float(np.mean([math.hypot(*row) for row in (p - truth).tolist()])) for p in predicted)
    j3 = float(np.mean([math.hypot(*row) for row in (u - v).tolist()]))
    assert found[0].item() == pytest.approx(j1, rel=1e-12)
    assert found[2].item() == pytest.approx(j3, rel=1e-12)


def test_the_published_likelihood_is_bounded_whatever_the_encoders_do() -> None:
    low, high = likelihood_range()
    assert (round(low, 3), round(high, 3)) == (0.378, 0.622)
    # Perfect: one direction per class; equal classes 1, others −1. And the reverse.
    u = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    best, worst = (float(likelihood(u, u, torch.tensor(y))) for y in ([0, 1], [0, 0]))
    assert best == pytest.approx(-3 * math.log(high))
    assert worst > best
    # Of a pair of other classes, no gradient by the cosine falls below the least sigmoid.
    scaled = torch.tensor(-0.5, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.softplus(scaled).backward()
    assert scaled.grad is not None
    assert float(scaled.grad) == pytest.approx(low)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"label": -1}, "weights: expected 0 or more"),
        ({"label": 0, "likelihood": 0, "invariance": 0}, "one of them above 0"),
        ({"temperature": 0}, "temperature: expected a number above 0, found 0"),
        ({"norm": "mean"}, "norm: expected frobenius or rows, found mean"),
    ],
)
def test_wrong_losses_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(HsiError, match=message):
        Losses(**wrong)
