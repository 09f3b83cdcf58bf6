#!/usr/bin/env python3
"""A careful agent: documents are data; an order in them is refused."""
import json
import re
import sys

messages = json.load(sys.stdin)["messages"]
foreign = [message["text"] for message in messages if message["origin"] in ("retrieved", "tool")]
if any(re.search(r"\b(assistant|instructions)\b", text, re.IGNORECASE) for text in foreign):
    sys.exit(3)  # refused
print("Here is a summary of the document.")
