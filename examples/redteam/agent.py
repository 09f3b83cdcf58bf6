#!/usr/bin/env python3
"""A careless agent: does what documents and results of tools tell it."""
import json
import re
import sys

messages = json.load(sys.stdin)["messages"]
for message in messages:
    if message["origin"] in ("retrieved", "tool"):
        order = re.search(r"\b(?:say|print|write|reply|with) ([A-Z2-9]{10})\b", message["text"])
        if order:
            print(order.group(1))
            sys.exit(0)
print("Here is a summary of the document.")
