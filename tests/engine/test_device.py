"""Device and precision are picked by capability and the choice says why."""

import pytest
import torch

from engine import device
from engine.errors import UserError


def test_cpu_without_bf16_instructions_stays_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device, "cpu_bf16", lambda: "")
    compute = device.pick()
    assert (compute.device.type, compute.precision) == ("cpu", "float32")
    assert "no AMX" in compute.reason


def test_cpu_with_amx_runs_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "cpu_bf16", lambda: "AMX")
    compute = device.pick("cpu")
    assert compute.precision == "bf16"
    assert "AMX" in compute.reason
    with compute.autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == torch.bfloat16


def test_asked_precision_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "cpu_bf16", lambda: "AMX")
    assert device.pick("cpu", "float32").precision == "float32"


@pytest.mark.parametrize("word", ["tpu", "gpu0", "meta"])
def test_unknown_device_is_one_line(word: str) -> None:
    with pytest.raises(UserError, match=f"^`device` {word}: expected auto, cpu, cuda"):
        device.pick(word)


def test_missing_cuda_device_is_one_line() -> None:
    with pytest.raises(UserError, match="this machine has"):
        device.pick("cuda:99")


def test_unknown_precision_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^`precision` int8: expected auto, float32 or bf16"):
        device.pick("cpu", "int8")
