"""Writes what transformers makes of rows with tool calls, for Nibble's tests to compare with.

usage: tool_rows.py TEMPLATES OUT
TEMPLATES: golden/templates of the test resources of jinja; OUT: data/src/test/resources/chat/tool_rows.json.

Rows hold nulls and numbers of every kind. Where a template quotes arguments that are text once more, or fails on
them, the text of the same row with the arguments as objects is wanted; the older function_call is wanted as
tool_calls.
"""

import copy
import json
import pathlib
import sys

import jinja2
from transformers.utils.chat_template_utils import render_jinja_template

templates, out = map(pathlib.Path, sys.argv[1:])
values = {
    "null": None, "inside": {"null": None, "list": [None, 1, [None]]}, "true": True, "int": 3, "big": 2**70,
    "float": 1.0, "sum": 0.1 + 0.2, "exp": 1e5, "large": 1.23456789123e8, "huge": 1e22, "small": 1e-7, "minus": -0.0,
    "text": 'Zürich "q" 👋', "empty": {}, "none": [],
}
schema = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "d",
        "parameters": {
            "type": "object",
            "properties": {"x": {"type": ["string", "null"], "default": None, "enum": ["a", None]}, "y": {"type": "number", "minimum": 1.5}},
            "required": [],
        },
    },
}


def row(arguments, content="", tools=True):
    call = {"id": "abcdefghi", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": content, "tool_calls": [call]},
        {"role": "tool", "name": "f", "tool_call_id": "abcdefghi", "content": "21"},
        {"role": "assistant", "content": "ok"},
    ]
    return {"messages": messages} | ({"tools": [schema]} if tools else {})


def older(given):
    given = copy.deepcopy(given)
    for m in given["messages"]:
        if "tool_calls" in m:
            m["function_call"] = m.pop("tool_calls")[0]["function"]
        if m["role"] == "tool":
            m["role"] = "function"
            del m["tool_call_id"]
    return given


def newer(given):
    given = copy.deepcopy(given)
    for m in given["messages"]:
        if "function_call" in m:
            m["tool_calls"] = [{"type": "function", "function": m.pop("function_call")}]
        if m["role"] == "function":
            m["role"] = "tool"
    return given


def render(source, given):
    try:
        texts, _ = render_jinja_template(
            [given["messages"]], tools=given.get("tools"), chat_template=source, bos_token="<s>", eos_token="</s>"
        )
        return texts[0]
    except (jinja2.TemplateError, TypeError):
        return None


objects = [row(values), row(values, None), row({"x": None}, tools=False), row({}), row(values, "Let me see.")]
compact = json.dumps({"x": None, "n": 1.0}, separators=(",", ":"))
cases = []
for name in ("llama3_1", "mistral_v2v3", "mistral_v3_tekken", "phi3", "qwen2_5", "qwen3"):
    template = templates / f"{name}.jinja"
    source = template.read_text()
    wanted = [(r, render(source, r)) for r in objects]
    for content in ("", None):
        text, parsed = row(compact, content), row(json.loads(compact), content)
        as_text, as_object = render(source, text), render(source, parsed)
        quoted = as_text is None or json.dumps(compact) in as_text
        wanted.append((text, as_object if quoted and as_object is not None else as_text))
        wanted.append((older(parsed), render(source, newer(older(parsed)))))
    cases += [{"template": template.name, "row": r, "text": t} for r, t in wanted if t is not None]
out.write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]\n")
print(len(cases), "cases")
