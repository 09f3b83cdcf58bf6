#!/usr/bin/env python3
"""Lists every field of the vendors' wire formats that can carry text.

Reads the types of the installed packages `openai` and `anthropic` and writes one path a line to
src/wire/coverage/fields.txt, so that a new version of an SDK is a diff:

    pip install openai anthropic && python3 crates/gateway/tools/wire_fields.py

A path is made of names; `[]` is an item of a list, `.*` any member of an object that takes any, and
`{type=text}` says which of several objects is meant by the fixed values of its fields. A path that
ends in `!` takes any JSON. `@responses answer` behind a path says that the whole of that section
stands there again.
"""

import collections.abc
import datetime
import importlib
import importlib.metadata
import inspect
import pathlib
import sys
import types
import typing

import pydantic
import typing_extensions

UNIONS = (typing.Union, types.UnionType)
LITERALS = (typing.Literal, typing_extensions.Literal)
LISTS = (list, tuple, collections.abc.Iterable, collections.abc.Sequence)
SCALARS = (int, float, bool, type(None))
DEEPEST = 24
# Types that have a section of their own.
WHOLE = {}

# What a route takes and gives; for Anthropic also what its beta namespace sends to the same route.
ROOTS = [
    ("chat-completions", "request", "openai.types.chat.completion_create_params", "CompletionCreateParamsNonStreaming"),
    ("chat-completions", "answer", "openai.types.chat.chat_completion", "ChatCompletion"),
    ("chat-completions", "stream", "openai.types.chat.chat_completion_chunk", "ChatCompletionChunk"),
    ("completions", "request", "openai.types.completion_create_params", "CompletionCreateParamsNonStreaming"),
    ("completions", "answer", "openai.types.completion", "Completion"),
    ("responses", "request", "openai.types.responses.response_create_params", "ResponseCreateParamsNonStreaming"),
    ("responses", "answer", "openai.types.responses.response", "Response"),
    ("responses", "stream", "openai.types.responses.response_stream_event", "ResponseStreamEvent"),
    ("embeddings", "request", "openai.types.embedding_create_params", "EmbeddingCreateParams"),
    ("embeddings", "answer", "openai.types.create_embedding_response", "CreateEmbeddingResponse"),
    ("moderations", "request", "openai.types.moderation_create_params", "ModerationCreateParams"),
    ("messages", "request", "anthropic.types.message_create_params", "MessageCreateParamsNonStreaming"),
    ("messages", "request", "anthropic.types.beta.message_create_params", "MessageCreateParamsNonStreaming"),
    ("messages", "answer", "anthropic.types.message", "Message"),
    ("messages", "answer", "anthropic.types.beta.beta_message", "BetaMessage"),
    ("messages", "stream", "anthropic.types.raw_message_stream_event", "RawMessageStreamEvent"),
    ("messages", "stream", "anthropic.types.beta.beta_raw_message_stream_event", "BetaRawMessageStreamEvent"),
    ("count-tokens", "request", "anthropic.types.message_count_tokens_params", "MessageCountTokensParams"),
    ("count-tokens", "request", "anthropic.types.beta.message_count_tokens_params", "MessageCountTokensParams"),
]


def bare(hint):
    """The type without Annotated, Required and such, and without the name of an alias."""
    while True:
        origin = typing.get_origin(hint)
        if origin in (typing.Annotated, typing_extensions.Required, typing_extensions.NotRequired, typing.Required, typing.NotRequired):
            hint = typing.get_args(hint)[0]
        elif isinstance(hint, (typing.TypeAliasType if hasattr(typing, "TypeAliasType") else typing_extensions.TypeAliasType, typing_extensions.TypeAliasType)):
            hint = hint.__value__
        else:
            return hint


def fields(kind):
    """Names on the wire and types of the fields of an object; None if it is none."""
    if not inspect.isclass(kind):
        return None
    if issubclass(kind, pydantic.BaseModel):
        found = {}
        for name, field in kind.model_fields.items():
            found[field.alias or name] = field.annotation
        return found
    if typing_extensions.is_typeddict(kind):
        hints = typing_extensions.get_type_hints(kind, include_extras=True)
        found = {}
        for name, hint in hints.items():
            alias = None
            inner = hint
            while typing.get_origin(inner) in (typing_extensions.Required, typing_extensions.NotRequired, typing.Required, typing.NotRequired):
                inner = typing.get_args(inner)[0]
            if typing.get_origin(inner) is typing.Annotated:
                for note in typing.get_args(inner)[1:]:
                    alias = getattr(note, "alias", None) or alias
            found[alias or name] = hint
        return found
    return None


def fixed(members):
    """What tells an object from its siblings: the fields of one value; the first of many roles."""
    told = []
    for name, hint in members.items():
        hint = bare(hint)
        if typing.get_origin(hint) in LITERALS:
            values = typing.get_args(hint)
            if len(values) == 1 and isinstance(values[0], str):
                told.append(f"{name}={values[0]}")
            elif name in ("role", "type"):
                told.append(f"{name}={values[0]}")
    return "{" + ",".join(told) + "}" if told else ""


def walk(path, hint, stack, out):
    hint = bare(hint)
    if stack and hint in WHOLE:
        out.add(f"{path} @{WHOLE[hint]}")
        return
    origin = typing.get_origin(hint)
    args = typing.get_args(hint)
    if hint in SCALARS or origin in LITERALS:
        return
    if origin in UNIONS:
        for arg in args:
            walk(path, arg, stack, out)
    elif hint is str or hint in (datetime.datetime, datetime.date):
        out.add(path)
    elif hint in (object, typing.Any, typing_extensions.Any):
        out.add(path + "!")
    elif origin is dict or origin is collections.abc.Mapping:
        walk(path + ".*", args[1], stack, out)
    elif origin in LISTS or (inspect.isclass(origin) and "Sequence" in origin.__name__):
        walk(path + "[]", args[0], stack, out)
    elif inspect.isclass(hint) and hint.__name__ in ("Base64FileInput", "PathLike", "IO", "bytes"):
        return
    else:
        members = fields(hint)
        if members is None:
            if origin is not None and inspect.isclass(origin) and issubclass(origin, (typing.IO, object)) and "IO" in origin.__name__ or hint is bytes or "PathLike" in str(hint):
                return
            sys.exit(f"{path}: no rule for the type {hint}")
        if stack.count(hint) > 0 or len(stack) > DEEPEST:
            return
        told = fixed(members)
        for name, member in members.items():
            step = f"{path}{told}." if path or told else ""
            walk(step + name, member, [*stack, hint], out)


def main():
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("openai", "anthropic")]
    sections = {}
    for endpoint, direction, module, name in ROOTS:
        kind = getattr(importlib.import_module(module), name)
        if direction == "answer":
            WHOLE[kind] = f"{endpoint} {direction}"
    for endpoint, direction, module, name in ROOTS:
        kind = getattr(importlib.import_module(module), name)
        walk("", kind, [], sections.setdefault((endpoint, direction), set()))
    # What can be counted is what can be sent.
    counted, sent = sections[("count-tokens", "request")], sections[("messages", "request")]
    sections[("count-tokens", "request")] = (counted - sent) | {" @messages request"}
    lines = [
        "# Fields that can carry text, from the types of " + " and ".join(versions) + ".",
        "# Made by crates/gateway/tools/wire_fields.py; do not edit.",
    ]
    for (endpoint, direction), paths in sections.items():
        lines.append(f"\n[{endpoint} {direction}]")
        lines.extend(sorted(paths))
    target = pathlib.Path(__file__).parent.parent / "src/wire/coverage/fields.txt"
    target.write_text("\n".join(lines) + "\n")
    print(f"{sum(map(len, sections.values()))} fields, {', '.join(versions)}")


main()
