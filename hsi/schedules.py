"""Named training schedules of the window networks."""

from pathlib import Path

from engine.schedule import Schedule, read_schedule

PAPER_EPOCHS = 100
PAPER_BATCH = 256
BEST_EPOCHS = 15
BEST_STEPS = 150  # at least


def schedule(name: str, pixels: int) -> Schedule:
    """Return a named schedule, or read one from a YAML file.

    Parameters
    ----------
    name : str
        'demo': few and large steps, each one shared pass over the scene; minutes on two CPU cores.
        'paper': 100 epochs of batches of 256, Adam at 1e-3. 'best': 15 epochs of them, 150 steps
        at least, Muon and one cosine: HybridSN of 11 pixels after 150 steps had 88.0 % of the inner
        test pixels of Indian Pines right, and 83.3 % by Adam (`hsi study`). Otherwise
        a YAML file with the fields of `engine.schedule.Schedule`.
    pixels : int
        Training pixels, of which an epoch consists.

    Raises
    ------
    UserError
        No such name or file, or a file with a mistake.
    """
    if name == "demo":
        return Schedule(
            "demo",
            steps=90,
            batch_size=1024,
            learning_rate=2e-3,
            warmup_steps=6,
            decay="cosine",
        )
    if name == "best":
        steps = max(BEST_STEPS, BEST_EPOCHS * batches_an_epoch(pixels, PAPER_BATCH))
        return Schedule(
            "best",
            steps=steps,
            batch_size=PAPER_BATCH,
            learning_rate=4e-3,
            optimizer="muon",
            momentum=0.95,
            warmup_steps=10,
            decay="cosine",
        )
    if name == "paper":
        steps = PAPER_EPOCHS * batches_an_epoch(pixels, PAPER_BATCH)
        return Schedule("paper", steps=steps, batch_size=PAPER_BATCH, learning_rate=1e-3)
    return read_schedule(Path(name), Schedule)


def batches_an_epoch(pixels: int, batch_size: int) -> int:
    """Cut an epoch of `pixels` into this many batches, of about `batch_size` each."""
    return max(1, round(pixels / batch_size))
