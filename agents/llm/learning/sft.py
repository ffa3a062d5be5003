"""Supervised fine-tuning by trl's SFTTrainer, all weights or by LoRA (Hu et al. 2021).

The loss is that of the answers' tokens alone. A run is a folder: while it trains, trl's checkpoints
lie in ``training/`` under it, from which it goes on after an interruption (what they hold is read
without unpickling objects); at its end the folder is one that ``from_pretrained`` loads, adapters
merged, beside ``sft.json`` (the settings and the loss) and TensorBoard's event files.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from arena.agents.llm.backends.models import loading, source
from arena.agents.llm.learning.examples import Example
from arena.envs.errors import InputError

Progress = Callable[[int, int, float], None]
"""Is told of updates done, updates in all, and the last loss or reward."""


@dataclass(frozen=True)
class SftSettings:
    """All that decides a run beside its examples.

    Attributes:
        model: what to begin with, as ``opening.open_backend`` takes it.
        epochs: how often each example is seen.
        batch: examples of an update.
        lr: the highest learning rate, reached after 3 % of the updates; the last fifth of them
            takes it down to zero.
        lora: the rank of LoRA's adapters on all linear layers; 0 trains the weights themselves.
        layers: how many of the last layers are trained, the embeddings left alone; 0 trains all.
        longest: tokens of prompt and answer; longer examples are an error.
        seed: of the order of the examples and of LoRA's first weights.
        save_every: updates between checkpoints.
        device: "cpu" or "cuda".
    """

    model: str = "smollm2"
    epochs: float = 1.0
    batch: int = 16
    lr: float = 3e-4
    lora: int = 0
    layers: int = 0
    longest: int = 1024
    seed: int = 0
    save_every: int = 200
    device: str = "cpu"


def begin_with(model: str) -> tuple[Any, Any]:
    """The model to train, its weights in float32, and its tokenizer, which can pad."""
    where = source(model)
    tokenizer = loading(AutoTokenizer, where)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    weights = loading(AutoModelForCausalLM, where, dtype=torch.float32, attn_implementation="sdpa")
    return weights, tokenizer


def train(
    examples: Sequence[Example],
    settings: SftSettings,
    folder: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> float:
    """Fine-tune a model and write it to ``folder``; the mean loss of the last updates.

    With ``resume`` an interrupted run of the same settings and examples goes on. Raises InputError
    where there is none, or an example is too long.
    """
    disable_progress_bars()
    last = last_checkpoint(folder, resume)
    model, tokenizer = begin_with(settings.model)
    _freeze(model, settings.layers)
    _refuse_long(examples, tokenizer, settings.longest)
    with torch.random.fork_rng(devices=[]):  # trl seeds torch's global generator
        trainer = _Trainer(
            model,
            args=_arguments(settings, folder, len(examples)),
            train_dataset=Dataset.from_list([_conversation(one) for one in examples]),
            processing_class=tokenizer,
            peft_config=adapters(settings.lora),
            callbacks=reporters(folder, "loss", progress),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=last)
    found = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    loss = sum(found[-5:]) / max(len(found[-5:]), 1)
    save(
        trainer.model,
        tokenizer,
        folder / "player",
        {"kind": "sft", **asdict(settings), "loss": loss},
    )
    forget_checkpoints(folder)
    return loss


# -- what runs of all kinds share -----------------------------------------------------------------


def last_checkpoint(folder: Path, resume: bool) -> str | None:
    """Where an interrupted run goes on from, None for a new one; InputError where there is none."""
    if not resume:
        return None
    checkpoints = folder / "training"
    found = None
    if checkpoints.is_dir():
        found = get_last_checkpoint(str(checkpoints))  # type: ignore[no-untyped-call]
    if found is None:
        raise InputError(f"{folder} holds no interrupted run to go on with")
    return str(found)


def forget_checkpoints(folder: Path) -> None:
    """A run that is over needs what it resumes from no more."""
    for checkpoint in (folder / "training").glob("checkpoint-*"):
        shutil.rmtree(checkpoint)


def adapters(rank: int) -> Any:
    """LoRA on all linear layers, or None for rank 0."""
    if not rank:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def reporters(folder: Path, figure: str, progress: Progress | None) -> list[TrainerCallback]:
    """TensorBoard's event files in ``folder/training``, and ``progress`` told of ``figure``."""
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations.integration_utils import TensorBoardCallback

    board = TensorBoardCallback(SummaryWriter(str(folder / "training")))  # type: ignore[no-untyped-call]
    return [board] if progress is None else [board, _Told(figure, progress)]


def save(model: Any, tokenizer: Any, folder: Path, facts: dict[str, Any]) -> None:
    """Write a ``from_pretrained`` folder: adapters merged, in the type that the weights were read.

    ``facts`` go to ``<kind>.json`` beside it.
    """
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / f"{facts['kind']}.json").write_text(json.dumps(facts, indent=1) + "\n")


def half_precision(device: str) -> bool:
    """Whether bfloat16 is the quicker way to train there: on CUDA, and where the CPU knows it."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported())


class _Trainer(SFTTrainer):
    """On a CPU trl projects every token to the vocabulary, a third of the work: here, answers."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """The answers' negative log-likelihood a token."""
        labels = inputs["labels"]
        if labels.device.type != "cpu":
            return super().compute_loss(  # type: ignore[no-untyped-call]
                model, inputs, return_outputs, num_items_in_batch
            )
        spots = (labels[:, 1:] != -100).any(0).nonzero()[:, 0]
        logits = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            logits_to_keep=spots,
            use_cache=False,
        ).logits.float()
        wanted = labels[:, spots + 1]
        loss = cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="sum")
        return loss / ((wanted != -100).sum() if num_items_in_batch is None else num_items_in_batch)


class _Told(TrainerCallback):
    """Passes progress on."""

    def __init__(self, figure: str, progress: Progress) -> None:
        self.figure, self.progress = figure, progress

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **more: Any,
    ) -> None:
        """Tell of the last figure."""
        if logs and self.figure in logs:
            self.progress(state.global_step, state.max_steps, float(logs[self.figure]))


def _arguments(settings: SftSettings, folder: Path, examples: int) -> SFTConfig:
    updates = ceil(ceil(examples / settings.batch) * settings.epochs)
    return SFTConfig(
        output_dir=str(folder / "training"),
        per_device_train_batch_size=settings.batch,
        num_train_epochs=settings.epochs,
        learning_rate=settings.lr,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": max(1, updates // 5)},
        warmup_steps=0.03,
        max_length=settings.longest,
        completion_only_loss=True,
        bf16=half_precision(settings.device),
        use_cpu=settings.device == "cpu",
        activation_checkpointing=False,
        dataloader_pin_memory=False,
        logging_steps=5,
        save_steps=settings.save_every,
        save_total_limit=1,
        report_to=[],
        disable_tqdm=True,
        seed=settings.seed,
    )


def _freeze(model: Any, layers: int) -> None:
    """Leave all but the last ``layers`` as they are; 0 trains everything."""
    if not layers:
        return
    if layers > (count := len(model.model.layers)):
        raise InputError(f"layers={layers}: the model has {count}")
    model.get_input_embeddings().requires_grad_(False)
    for layer in model.model.layers[:-layers]:
        layer.requires_grad_(False)


def _conversation(example: Example) -> dict[str, Any]:
    return {
        "prompt": [{"role": m.role, "content": m.content} for m in example.prompt],
        "completion": [{"role": "assistant", "content": example.answer}],
    }


def _refuse_long(examples: Sequence[Example], tokenizer: Any, longest: int) -> None:
    """Raise InputError for the first example that trl would cut short."""
    for number, example in enumerate(examples, 1):
        one = _conversation(example)
        text = tokenizer.apply_chat_template(one["prompt"] + one["completion"], tokenize=False)
        count = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        if count > longest:
            raise InputError(
                f"example {number} has {count} tokens; {longest} are trained on at most"
            )
