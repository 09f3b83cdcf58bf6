"""Measures Presidio's analyzer with patterns only on a sample of text.

A blank spaCy pipeline: no model of names runs, which is the fastest that Presidio can be.
Prints JSON: megabytes a second of processor time, bytes, findings, version.
"""

import importlib.metadata
import json
import logging
import sys
import time

import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

PIECE = 1000
SECONDS = 10.0


class BlankEngine(SpacyNlpEngine):
    """The tokeniser alone."""

    def __init__(self):
        super().__init__(ner_model_configuration=NerModelConfiguration())
        self.nlp = {"en": spacy.blank("en")}

    def load(self):
        pass


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    # Recognisers would fetch a list of domain suffixes from the network.
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)
    analyzer = AnalyzerEngine(nlp_engine=BlankEngine(), supported_languages=["en"])
    analyzer.analyze(pieces[0], language="en")
    read = findings = 0
    start = time.thread_time()
    for piece in pieces:
        findings += len(analyzer.analyze(piece, language="en"))
        read += len(piece.encode())
        if time.thread_time() - start > SECONDS:
            break
    seconds = time.thread_time() - start
    result = {
        "mb_per_s": read / 1e6 / seconds,
        "bytes": read,
        "findings": findings,
        "version": importlib.metadata.version("presidio-analyzer"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
