"""A killed training ends with the weights of an unbroken one; other trainings do not disturb it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.device import Compute
from engine.errors import Paused, UserError
from engine.training import checkpoint as checkpoints
from engine.training import loop, sitting
from engine.training.checkpoint import Checkpoint, fingerprint
from engine.training.schedule import Schedule

CPU = Compute(torch.device("cpu"), "float32", "test")
SCHEDULE = Schedule(
    "tiny", 12, 4, warmup_steps=3, decay="cosine", ema_decay=0.9, clip_norm=1.0, optimizer="adamw"
)


def network() -> nn.Module:
    """Return a network with dropout, so that the global random state matters."""
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Linear(5, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, 8),
        nn.Dropout(0.5),
        nn.Linear(8, 1),
    )


def draw(step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    inputs = torch.randn(4, 5, generator=generator)
    return inputs, inputs.sum(1, keepdim=True)


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return functional.mse_loss(model(batch[0]), batch[1])


def weights(model: nn.Module) -> list[Tensor]:
    return [tensor.clone() for tensor in model.state_dict().values()]


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def run(
    out: Path, schedule: Schedule = SCHEDULE, die_at: int | None = None, **key: Any
) -> nn.Module:
    model, steps = network(), iter(range(10**6))

    def fragile(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        if next(steps) == die_at:
            raise RuntimeError("killed")
        return loss(model, batch)

    with Checkpoint(out, {"schedule": schedule.describe(), **key}) as checkpoint:
        history = out.with_suffix(".csv")
        loop.train(
            model,
            draw,
            fragile,
            schedule,
            compute=CPU,
            seed=0,
            checkpoint=checkpoint,
            history=history,
        )
    return model


@pytest.fixture(autouse=True)
def save_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SAVES", -1.0)


@pytest.mark.parametrize("optimizer", ["adam", "keras-adam", "adamw", "sgd", "muon"])
def test_resumed_equals_unbroken(tmp_path: Path, optimizer: Any) -> None:
    schedule = Schedule("tiny", 12, 4, optimizer=optimizer, ema_decay=0.9, warmup_steps=3)
    whole = run(tmp_path / "whole" / "m.safetensors", schedule)
    broken = tmp_path / "broken" / "m.safetensors"
    for die_at in (5, 4):
        with pytest.raises(RuntimeError, match="killed"):
            run(broken, schedule, die_at)
        torch.rand(17)  # another process would have another random state
    resumed = run(broken, schedule)
    assert same(whole, resumed)
    history = (broken.parent / "m.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in history] == ["step", *map(str, range(1, 13))]


def test_state_goes_when_the_training_ends(tmp_path: Path) -> None:
    run(tmp_path / "m.safetensors")
    assert not (tmp_path / ".resume").exists()


def test_state_of_other_settings_is_not_resumed(tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    with pytest.raises(RuntimeError, match="killed"):
        run(out, die_at=6, data="a")
    fresh = run(out, data="b")
    unbroken = run(tmp_path / "other" / "m.safetensors", data="b")
    assert same(fresh, unbroken)
    assert list((tmp_path / ".resume").glob("*/state.safetensors"))  # that of "a" still waits


def test_damaged_state_starts_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = tmp_path / "m.safetensors"
    with pytest.raises(RuntimeError, match="killed"):
        run(out, die_at=6)
    (state,) = (tmp_path / ".resume").glob("*/state.safetensors")
    state.write_bytes(state.read_bytes()[:100])
    model = run(out)
    assert "starting from the beginning" in caplog.text
    unbroken = run(tmp_path / "other" / "m.safetensors")
    assert same(model, unbroken)


def test_infinite_loss_is_one_line(tmp_path: Path) -> None:
    def explode(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return loss(model, batch) * float("inf")

    with (
        pytest.raises(UserError, match="the loss is inf at step 1"),
        Checkpoint(tmp_path / "m.safetensors", {}) as checkpoint,
    ):
        loop.train(network(), draw, explode, SCHEDULE, compute=CPU, seed=0, checkpoint=checkpoint)


def test_fingerprint_ignores_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def scored(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Score the fifth step above all others: of epochs of three steps the second is best."""
    value = loss(model, batch)
    scored.steps += 1
    return value, torch.tensor(5.0 if scored.steps == 5 else 1.0)


def trained_by_score(out: Path, steps: int, every: int, die_at: int | None = None) -> nn.Module:
    model = network()
    schedule = Schedule("tiny", steps, 4, keep_best_every=every)

    def fragile(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        if scored.steps == die_at:
            raise RuntimeError("killed")
        return scored(model, batch)

    with Checkpoint(out, {"out": str(out)}) as checkpoint:
        loop.train(model, draw, fragile, schedule, compute=CPU, seed=0, checkpoint=checkpoint)
    return model


def test_the_weights_after_the_best_epoch_are_kept(tmp_path):
    scored.steps = 0
    kept = trained_by_score(tmp_path / "kept", 12, 3)
    scored.steps = 0
    stopped = trained_by_score(tmp_path / "stopped", 6, 6)
    assert same(kept, stopped)


@pytest.mark.parametrize("die_at", [4, 8])
def test_the_best_epoch_survives_a_kill(die_at, tmp_path):
    scored.steps = 0
    whole = trained_by_score(tmp_path / "whole", 12, 3)
    scored.steps = 0
    with pytest.raises(RuntimeError, match="killed"):
        trained_by_score(tmp_path / "killed", 12, 3, die_at)
    assert same(trained_by_score(tmp_path / "killed", 12, 3), whole)


def test_a_best_epoch_without_scores_is_refused(tmp_path):
    with pytest.raises(UserError, match="keep_best_every: expected a training that scores"):
        run(tmp_path / "out", Schedule("tiny", 4, 4, keep_best_every=2))


def test_sittings_end_with_the_weights_of_an_unbroken_training(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole" / "m.safetensors")
    out, states = tmp_path / "m.safetensors", tmp_path / "states"

    def sit() -> nn.Module:
        model = network()
        with Checkpoint(out, {}, states) as checkpoint:
            loop.train(
                model, draw, loss, SCHEDULE,
                compute=CPU, seed=0, checkpoint=checkpoint, until=1e-9,
            )  # fmt: skip
        return model

    for number in range(1, 12):
        with pytest.raises(Paused, match=f"paused at step {number} of 12"):
            sit()
        assert list(states.glob("*/state.safetensors"))
    assert same(sit(), whole)  # behind the last step there is nothing to pause for
    assert not states.exists()


def test_a_state_that_goes_on_elsewhere_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken_off(machine: str, at: int) -> list[str]:
        monkeypatch.setattr(checkpoints, "kernels", lambda _: machine)
        with pytest.raises(RuntimeError, match="killed"):
            run(tmp_path / "m.safetensors", die_at=at)
        return [line for line in caplog.messages if "goes on by" in line]

    assert broken_off("A", 2) == []
    assert broken_off("A", 2) == []
    (line,) = broken_off("B", 2)
    assert "goes on by B, before by A; the last digits of the weights will differ" in line
    monkeypatch.setattr(checkpoints, "kernels", lambda _: "A")
    with (
        Checkpoint(tmp_path / "m.safetensors", {"schedule": SCHEDULE.describe()}) as checkpoint,
        pytest.raises(RuntimeError, match="as it is"),
    ):
        assert checkpoint.kernels == ["A"]
        assert checkpoint.load() is not None
        assert checkpoint.kernels == ["A", "B", "A"]
        raise RuntimeError("as it is")


def test_states_of_other_trainings_are_kept_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2):
        out, key = tmp_path / "m.safetensors", {"number": number}
        with pytest.raises(Paused), Checkpoint(out, key, tmp_path / "states") as checkpoint:
            loop.train(
                network(), draw, loss, SCHEDULE,
                compute=CPU, seed=0, checkpoint=checkpoint, until=1e-9,
            )  # fmt: skip
    told = [record.message for record in caplog.records if "holds no state" in record.message]
    assert len(told) == 1
    assert fingerprint({"number": 1}) in told[0]
    assert len(list((tmp_path / "states").glob("*/state.safetensors"))) == 2


@pytest.mark.parametrize("text", ["0", "0min", "-5min", "soon", "150", "1d", ""])
def test_no_time_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match=f"`until` {text}: expected a time such as 90s"):
        sitting.seconds(text)
