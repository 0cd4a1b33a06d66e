"""What tests of several rooms share: tiny encoders, and the folder of real sentences."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.clone import Project, cloned

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # the models are tiny; and sums of two threads round otherwise than of one

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background jobs ignore Ctrl-C, and so would every command that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

SENTENCES = [
    "Marie Curie was born in Warsaw .",
    "The brown bear lives in the forests of Slovakia and Romania .",
    "Jordan played for the Chicago Bulls in 1995 .",
    "Malaria and yellow fever killed thousands of workers in Panama .",
    "She founded the Mozart Society of Vienna after the war .",
    "No one knew why the river rose so early that year .",
]


@pytest.fixture(scope="session")
def multinerd() -> Path:
    """The folder of real sentences that MULTINERD_DIR names; skips without it."""
    folder = os.environ.get("MULTINERD_DIR")
    if not folder:
        pytest.skip("MULTINERD_DIR is unset: this test reads real MultiNERD sentences")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 2 layers × 32 with a WordPiece vocabulary of single letters and two of three words of ``SENTENCES``.

    The vocabulary is written, not trained: WordPiece training breaks ties otherwise in every process, so that the same
    random weights would have other opinions. Sentences get [CLS] and [SEP].
    """
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast, set_seed

    folder = tmp_path_factory.mktemp("tiny-bert")
    words = sorted(set(" ".join(SENTENCES).lower().split()))
    letters = sorted(set("".join(words)))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    whole = [word for index, word in enumerate(words) if len(word) > 1 and index % 3]
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *whole]
    written = BertWordPieceTokenizer({piece: index for index, piece in enumerate(pieces)}, lowercase=True)
    tokenizer = BertTokenizerFast(tokenizer_object=written._tokenizer, model_max_length=128)
    tokenizer.save_pretrained(folder)
    set_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=512,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RoBERTa of 2 layers × 32 with a byte-level BPE tokenizer."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast, set_seed

    folder = tmp_path_factory.mktemp("tiny-roberta")
    trained = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(SENTENCES * 3, vocab_size=400, special_tokens=special, show_progress=False)
    trained.save_model(str(folder))
    tokenizer = RobertaTokenizerFast.from_pretrained(folder, add_prefix_space=True, model_max_length=128)
    tokenizer.save_pretrained(folder)
    set_seed(0)
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=514, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        type_vocab_size=1,
    )  # fmt: skip
    RobertaModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def finished_clone(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Project:
    """A clone that was reproduced once, from nothing. Not to be changed: take a ``copy``.

    The workers of pytest-xdist share it: the first that needs it makes it, and others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "clone"
    folder.mkdir(exist_ok=True)
    made = Project(folder / "project")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(made.folder, ignore_errors=True)
            cloned(made.folder, tiny_bert)
            made.dvc("repro")
            made.commit()
            (folder / "made").touch()
    return made
