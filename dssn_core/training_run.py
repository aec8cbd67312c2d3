"""A run of a trainer: the folder that it resumes from, its log and its checks, and the checkpoint it ends with."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .checkpoints import load_model, read_manifest, save_checkpoint, save_manifest
from .files import locked, read_json_lines, resolved, write_json_lines
from .interrupts import noted_interrupts
from .manifest import MANIFEST, Manifest, check_counting
from .train_settings import TrainSettings
from .training import Trainer
from .training_state import load_state, save_state

STATE, LOG = "state.safetensors", "log.jsonl"


def _is_of(line: dict[str, Any], images: int) -> bool:
    """Whether a line of the log tells of no more than so many images."""
    seen = line.get("images")
    return isinstance(seen, int) and seen <= images


def _line(images: int, recent: list[tuple[float, float]], speed: float) -> dict[str, Any]:
    """A line of the log. recent: loss and accuracy of the steps since the last one. speed: images per second."""
    loss, right = (float(np.mean(column)) for column in zip(*recent, strict=True))
    return {
        "images": images,
        "loss": round(loss, 4),
        "accuracy": round(right, 4),
        "images_per_second": round(speed, 1),
    }


def check_run(output: Path, settings: TrainSettings, counting: str | None) -> None:
    """ValueError for what `train` refuses: to be asked before data are read, which may take long."""
    if counting is not None:
        check_counting(counting, settings.noise)
    if (output / MANIFEST).exists() and not (output / STATE).is_file():
        raise ValueError(f"{output} holds a model, but no state of a run to resume: choose another folder")


def train(
    trainer: Trainer,
    output: Path,
    save_every: float = 120.0,
    log_every: int | None = None,
    check_every: int | None = None,
    counting: str | None = None,
    report: Callable[[str], None] = print,
) -> Manifest:
    """Run (or resume from `output`) to the end of the budget; returns the manifest of the checkpoint written there.

    After Ctrl-C, which ends in KeyboardInterrupt, it goes on from the step that was under way then. save_every: seconds
    between saved states. log_every, check_every: images between log lines and held-out checks.
    counting: how the classifier's votes are to be counted; None leaves that as it was. ValueError for one that does not
    go with the noise, and for a folder that holds another model.
    """
    settings = trainer.settings
    check_run(output, settings, counting)
    log_every, check_every = log_every or -(-settings.images // 160), check_every or -(-settings.images // 16)
    state, log = output / STATE, output / LOG
    if state.is_file():
        load_state(trainer, state)
        report(f"resumed at {trainer.position * settings.batch_size:,} images")
    # What a killed run logged after its last saved state is computed, and logged, again.
    images = trainer.position * settings.batch_size
    lines = [line for line in read_json_lines(log) if _is_of(line, images)]
    write_json_lines(log, lines)

    saved = began = time.monotonic()
    first = trainer.position
    recent: list[tuple[float, float]] = []
    # By the last line and not the position: a check is made with a line, and the next one may be due.
    checked = (lines[-1]["images"] if lines else 0) // check_every
    with log.open("a", encoding="utf-8") as file, noted_interrupts() as interrupted:
        while trainer.position < settings.steps:
            recent.append(trainer.step())
            images = trainer.position * settings.batch_size
            now = time.monotonic()
            done = trainer.position == settings.steps
            if images // log_every != (images - settings.batch_size) // log_every or done:
                speed = (trainer.position - first) * settings.batch_size / (now - began)
                record = _line(images, recent, speed)
                if images // check_every != checked or done:
                    checked = images // check_every
                    record["held_out"] = trainer.held_out_accuracy(trainer.averaged())
                file.write(json.dumps(record) + "\n")
                file.flush()
                eta = (settings.steps - trainer.position) * settings.batch_size / speed
                report(f"{images / settings.images:6.1%}  ETA {eta / 60:5.1f} min  {json.dumps(record)}")
                recent.clear()
            stopped = interrupted() and not done
            if now - saved > save_every or done or stopped:
                save_state(trainer, state)
                saved = now
            if stopped:
                report(f"saved at {images:,} images; the same command goes on from there")
                raise KeyboardInterrupt
    return _ship(trainer, output, counting)


def _ship(trainer: Trainer, output: Path, counting: str | None) -> Manifest:
    """Write the checkpoint, and into its manifest how it does on the held-out images."""
    save_checkpoint(output, trainer.averaged().network, trainer.manifest(resolved(output).name))
    # What is measured is what is loaded, after rounding to float16. A bare name could mean an installed model.
    shipped = load_model(str(resolved(output)))
    measured = {
        "held_out_single_sample_accuracy": {
            "what": "share of held-out training images of which one random sample is classified right, by sigma; "
            f"pictures of {trainer.shape[1]} x {trainer.shape[2]}",
            "images": len(trainer.held_out),
            "by_sigma": trainer.held_out_accuracy(shipped),
        }
    }
    with locked(output):  # an evaluation may have written into the manifest meanwhile
        manifest = read_manifest(output)
        changed = replace(manifest, measured={**manifest.measured, **measured}, counting=counting or manifest.counting)
        return save_manifest(output, changed)
