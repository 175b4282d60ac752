"""Writes what transformers makes of conversations: token ids and assistant masks, for Nibble's tests to compare with.

usage: chat_masks.py TEMPLATES TOKENIZERS OUT
TEMPLATES: golden/templates of the test resources of data; TOKENIZERS: golden/tokenizers; OUT: a JSON file,
data/src/test/resources/chat/masks.json.
"""

import json
import pathlib
import sys

import jinja2
from transformers import PreTrainedTokenizerFast

templates, tokenizers, out = map(pathlib.Path, sys.argv[1:])
conversations = json.loads((templates / "conversations.json").read_text())
conversations["emoji"] = {
    "messages": [
        {"role": "user", "content": "👋🏽 Straße"},
        {"role": "assistant", "content": "你好 👨‍👩‍👧 naïve"},
        {"role": "user", "content": "é"},
        {"role": "assistant", "content": "x👋🏽"},
    ]
}

cases = []
for folder in ("llama3_like", "qwen_like", "llama2_like"):
    config = json.loads((tokenizers / folder / "tokenizer_config.json").read_text())
    names = {k: v for k, v in config.items() if k in ("bos_token", "eos_token") and v}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tokenizers / folder / "tokenizer.json"), **names)
    for template in sorted(templates.glob("*.jinja")):
        source = template.read_text()
        if "{%- generation" not in source and "{% generation" not in source:
            continue
        for name, conversation in conversations.items():
            try:
                result = tokenizer.apply_chat_template(
                    conversation["messages"],
                    tools=conversation.get("tools"),
                    chat_template=source,
                    return_assistant_tokens_mask=True,
                    return_dict=True,
                    tokenize=True,
                )
            except jinja2.TemplateError:
                continue  # the template refuses this conversation
            cases.append(
                {
                    "tokenizer": folder,
                    "template": template.name,
                    "names": names,
                    "conversation": conversation["messages"],
                    "tools": conversation.get("tools"),
                    "ids": result["input_ids"],
                    "mask": result["assistant_masks"],
                }
            )
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]\n")
print(len(cases), "cases,", sum(any(c["mask"]) for c in cases), "with something learned")
