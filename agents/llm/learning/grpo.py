"""Group-relative policy optimisation by trl's GRPOTrainer (Shao et al. 2024, DeepSeekMath).

The model writes several answers to each prompt; an answer's advantage is its reward, less the mean
of its group and divided by the group's standard deviation. The rewards come from the environment
(``problems``). A run is a folder as of ``sft``, with ``grpo.json`` and the mean reward of every
update in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from arena.agents.llm.learning.problems import Problem
from arena.agents.llm.learning.sft import (
    Progress,
    adapters,
    begin_with,
    forget_checkpoints,
    half_precision,
    last_checkpoint,
    reporters,
    save,
)


@dataclass(frozen=True)
class GrpoSettings:
    """All that decides a run beside its problems.

    Attributes:
        model: what to begin with, as ``opening.open_backend`` takes it.
        updates: how many.
        prompts: of an update.
        group: answers to each prompt.
        lr: the learning rate, constant.
        temperature: of the answers.
        answer: the longest answer, in tokens.
        beta: weight of the divergence from the model that was begun with; 0 keeps none of it.
        lora: the rank of LoRA's adapters; 0 trains the weights themselves.
        seed: of everything.
        save_every: updates between checkpoints.
        device: "cpu" or "cuda".
    """

    model: str = "smollm2"
    updates: int = 100
    prompts: int = 4
    group: int = 8
    lr: float = 1e-5
    temperature: float = 1.0
    answer: int = 16
    beta: float = 0.0
    lora: int = 0
    seed: int = 0
    save_every: int = 50
    device: str = "cpu"


def train(
    problems: Sequence[Problem],
    settings: GrpoSettings,
    folder: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> list[float]:
    """Train a model on rewards and write it to ``folder``; the mean reward of every update.

    With ``resume`` an interrupted run of the same settings and problems goes on; InputError where
    there is none.
    """
    last = last_checkpoint(folder, resume)
    model, tokenizer = begin_with(settings.model)

    def reward(completions: list[Any], problem: list[int], **_: Any) -> list[float | None]:
        return [
            problems[number].reward(turns[-1]["content"])
            for turns, number in zip(completions, problem, strict=True)
        ]

    with torch.random.fork_rng(devices=[]):  # trl seeds torch's global generator and draws from it
        trainer = GRPOTrainer(
            model,
            reward_funcs=reward,
            args=_arguments(settings, folder),
            train_dataset=Dataset.from_list([_row(i, p) for i, p in enumerate(problems)]),
            processing_class=tokenizer,
            peft_config=adapters(settings.lora),
            callbacks=reporters(folder, "reward", progress),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=last)
    rewards = [float(row["reward"]) for row in trainer.state.log_history if "reward" in row]
    facts = {"kind": "grpo", **asdict(settings), "rewards": rewards}
    save(trainer.model, tokenizer, folder / "player", facts)
    forget_checkpoints(folder)
    return rewards


def _row(number: int, problem: Problem) -> dict[str, Any]:
    turns = [{"role": m.role, "content": m.content} for m in problem.question.prompt]
    return {"prompt": turns, "problem": number}


def _arguments(settings: GrpoSettings, folder: Path) -> GRPOConfig:
    return GRPOConfig(
        output_dir=str(folder / "training"),
        per_device_train_batch_size=settings.prompts * settings.group,
        num_generations=settings.group,
        max_completion_length=settings.answer,
        max_steps=settings.updates,
        learning_rate=settings.lr,
        lr_scheduler_type="constant",
        temperature=settings.temperature,
        beta=settings.beta,
        bf16=half_precision(settings.device),
        use_cpu=settings.device == "cpu",
        activation_checkpointing=False,
        dataloader_pin_memory=False,
        logging_steps=1,
        save_steps=settings.save_every,
        save_total_limit=1,
        report_to=[],
        disable_tqdm=True,
        seed=settings.seed,
    )
