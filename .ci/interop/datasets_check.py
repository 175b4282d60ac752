"""Shows that the datasets library reads what Nibble's examples write, and that Nibble reads what it writes.

usage: datasets_check.py FOLDER
FOLDER: an empty folder to work in.
"""

import pathlib
import sys

import datasets
import pyarrow as pa
from datasets import Dataset, DatasetDict, Features, LargeList, List, Value

from families import make
from nibble import nibble, recipe

work = pathlib.Path(sys.argv[1])
base = make(work, "llama")
ROWS = [dict(instruction="Which kind?", input=f"thing {i} ñ 河", output=f"answer-{i}") for i in range(23)]
ANSWERS = [row["output"] for row in ROWS]


def shown(name, answers, **dataset):
    """Every answer must be in what `nibble preview` shows, and the count of rows must be right."""
    file = recipe(work, f"read-{name}", base_model=str(base), adapter="lora", datasets=[dataset], sequence_len=128)
    out = nibble("preview", file, "-n", len(answers))
    missing = [a for a in answers if a not in out]
    if missing or f"{len(answers)} rows" not in out:
        sys.exit(f"{name}: {missing or 'another number of rows'}\n{out}")
    print(f"{name}: {len(answers)} rows", flush=True)


def saved(name, data, answers=ANSWERS, split=None, **keys):
    data.save_to_disk(work / name, **({"num_shards": 3} if isinstance(data, Dataset) else {}))
    shown(name, answers, path=str(work / name), **({"split": split} if split else {}), **keys)


plain = Dataset.from_list(ROWS)
saved("shards", plain)
saved("splits", DatasetDict(train=plain.select(range(20)), test=plain.select(range(20, 23))), ANSWERS[20:], "test")
saved("selected", plain.select(range(22, 2, -2)), ANSWERS[4::2])
saved("shuffled", plain.shuffle(seed=1))
large = pa.table({k: pa.array([r[k] for r in ROWS], pa.large_string()) for k in ROWS[0]})
saved("large_string", Dataset(large))
saved("dictionary", Dataset(pa.table({k: pa.array([r[k] for r in ROWS]).dictionary_encode() for k in ROWS[0]})))
saved("string_view", Dataset(pa.table({k: pa.array([r[k] for r in ROWS], pa.string_view()) for k in ROWS[0]})))
message = {"role": Value("string"), "content": Value("string")}
turns = [[dict(role="user", content=r["input"]), dict(role="assistant", content=r["output"])] for r in ROWS]
for name, feature in {"list": List(message), "large_list": LargeList(message), "old_list": [message]}.items():
    data = Dataset.from_dict(dict(messages=turns), features=Features(messages=feature))
    saved(f"messages-{name}", data, type="messages")
    data.to_parquet(work / f"messages-{name}.parquet")
    shown(f"messages-{name}.parquet", ANSWERS, path=str(work / f"messages-{name}.parquet"), type="messages")
data = Dataset.from_dict(dict(messages=turns))
data.to_json(work / "messages.jsonl", force_ascii=False)
shown("messages.jsonl", ANSWERS, path=str(work / "messages.jsonl"), type="messages")
plain.to_parquet(work / "rows.parquet", batch_size=5)
shown("rows.parquet", ANSWERS, path=str(work / "rows.parquet"))
Dataset(large).to_parquet(work / "large.parquet")
shown("large.parquet", ANSWERS, path=str(work / "large.parquet"))
plain.to_json(work / "rows.jsonl")
shown("rows.jsonl", ANSWERS, path=str(work / "rows.jsonl"))
plain.to_csv(work / "rows.csv")
shown("rows.csv", ANSWERS, path=str(work / "rows.csv"))

for folder in ("categories", "pretrain"):
    ours = datasets.load_from_disk(f"examples/wordnet/data/{folder}")
    for split, rows in (ours if isinstance(ours, DatasetDict) else {"all": ours}).items():
        assert len(rows) > 0 and all(isinstance(rows[-1][c], str) for c in rows.column_names), rows[-1]
        print(f"examples/wordnet/data/{folder}, {split}: {len(rows)} rows, columns {rows.column_names}")
