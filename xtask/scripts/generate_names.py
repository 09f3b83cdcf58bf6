"""Writes synthetic training texts and the gazetteer for `cargo xtask names train`.

    pip install faker==40.54.0
    python xtask/scripts/generate_names.py OUT_DIR [TEXTS] [SEED]

OUT_DIR gets `synthetic.jsonl` (one {"text", "spans", "lang", "source"} a line, offsets in code
points) and `gazetteer.tsv` (word, flags). Values come from Faker (MIT); the sentences are in
`names_templates.py` and are our own. The same version of Faker and the same arguments write the
same texts, but for dates, which Faker draws up to the day it runs.
"""

import json
import os
import random
import sys
import unicodedata

from faker import Faker
from faker.config import AVAILABLE_LOCALES

from names_ordinary import ORDINARY
from names_templates import CITY_WORDS, DISTRACTORS, KEYS, LANGUAGES, PARTICLES, STREET_WORDS

FIRST, LAST, PLACE, STREET, COUNTRY, PARTICLE = 1, 2, 4, 8, 16, 32
LOCALES = {
    "en": ["en_US", "en_GB", "en_AU", "en_CA", "en_IE", "en_IN", "en_NZ", "zu_ZA", "en_US", "en_GB"],
    "de": ["de_DE", "de_AT", "de_CH"], "fr": ["fr_FR", "fr_CA", "fr_BE", "fr_CH"],
    "es": ["es_ES", "es_MX", "es_CL", "es_AR", "es_CO"], "it": ["it_IT"], "pt": ["pt_BR", "pt_PT"],
    "nl": ["nl_NL", "nl_BE"], "pl": ["pl_PL"], "cs": ["cs_CZ", "sk_SK"], "da": ["da_DK"],
    "sv": ["sv_SE"], "no": ["no_NO"], "fi": ["fi_FI"], "hu": ["hu_HU"], "ro": ["ro_RO"],
    "tr": ["tr_TR"], "el": ["el_GR"], "ru": ["ru_RU"], "uk": ["uk_UA"], "ar": ["ar_SA", "ar_EG"],
    "he": ["he_IL"], "ja": ["ja_JP"], "zh": ["zh_CN", "zh_TW"], "ko": ["ko_KR"],
}
# Each ordinary sentence is written so often, to weigh against the names.
ORDINARY_COPIES = 6
UNSPACED = {"ja", "zh"}
CASELESS = {"ja", "zh", "ko", "ar", "he"}
EASTERN = {"ja", "zh", "ko", "hu"}


def unique(values):
    return sorted({v for v in values if isinstance(v, str) and v.strip()})


def provider(fake, kind):
    for candidate in fake.get_providers():
        if candidate.__provider__ == kind:
            return candidate
    return None


def words(provider_, prefix):
    found = []
    for name in dir(provider_):
        if name.startswith(prefix):
            value = getattr(provider_, name)
            if isinstance(value, dict):
                value = list(value)
            if isinstance(value, (list, tuple)):
                for item in value:
                    found.append(item[0] if isinstance(item, (list, tuple)) and item else item)
    return unique(found)


class Source:
    """One locale's values."""

    def __init__(self, locale, rng):
        self.locale, self.rng = locale, rng
        self.fake = Faker(locale)
        self.fake.seed_instance(rng.getrandbits(32))
        person = provider(self.fake, "person")
        self.first = words(person, "first_names")
        self.last = words(person, "last_names")
        if locale == "ko_KR" or not self.first:
            self.first = unique(self.fake.first_name() for _ in range(600)) or self.first
        if not self.last:
            self.last = unique(self.fake.last_name() for _ in range(600))
        address = provider(self.fake, "address")
        self.cities = words(address, "cit") + words(address, "towns") + words(address, "states") + words(address, "province")
        self.cities = [c for c in self.cities if "{" not in c and len(c) > 1]
        self.countries = [c for c in unique(self.fake.country() for _ in range(500)) if len(c) < 24]
        if len(self.cities) < 30:
            self.cities += unique(self.fake.city() for _ in range(60))

    def first_name(self):
        return self.invent(self.first) if self.rng.random() < 0.08 else self.rng.choice(self.first)

    def last_name(self):
        return self.invent(self.last) if self.rng.random() < 0.15 else self.rng.choice(self.last)

    def invent(self, names):
        """A name that nobody listed: the head of one and the tail of another."""
        one, other = self.rng.choice(names), self.rng.choice(names)
        if len(one) < 4 or len(other) < 4 or " " in one + other:
            return one
        return one[: (len(one) + 1) // 2] + other[len(other) // 2 :].lower()

    def person(self, lang, form=None):
        rng = self.rng
        first, last = self.first_name(), self.last_name()
        if lang in UNSPACED or lang == "ko":
            roll = rng.random()
            if roll < 0.7 or len(last) > 2 and lang != "ja":
                return last + first
            return f"{last} {first}" if roll < 0.85 else self.fake.name()
        roll = rng.random()
        if roll < 0.2:
            name = self.fake.name()
            for prefix in ("Mr ", "Mrs ", "Ms ", "Miss ", "Dr ", "Mr. ", "Mrs. ", "Ms. ", "Miss. ", "Dr. "):
                name = name.removeprefix(prefix)
            return name
        if form == "short" and roll < 0.6:
            return first
        if lang == "hu":
            return f"{last} {first}"
        if lang in CASELESS:
            return f"{first} {last}"
        if roll < 0.72:
            return f"{first} {last}"
        if roll < 0.78:
            return f"{first} {rng.choice('ABCDEFGHJKLMNPRSTW')}. {last}"
        if roll < 0.82:
            return f"{first[0]}. {last}"
        if roll < 0.86:
            return f"{first} {last}-{self.last_name()}"
        if roll < 0.90:
            return f"{first} {self.first_name()} {last}"
        if roll < 0.93:
            return f"{first} {last}".upper()
        if roll < 0.96 and form == "field":
            return f"{last}, {first}"
        return f"{first} {last}"

    def address(self):
        text = self.fake.address()
        joiner = "\n" if self.rng.random() < 0.1 else (" " if self.rng.random() < 0.08 else ", ")
        return joiner.join(part for part in text.split("\n") if part.strip())

    def place(self):
        if self.countries and self.rng.random() < 0.25:
            return self.rng.choice(self.countries)
        return self.rng.choice(self.cities)


class Writer:
    """Builds a text and remembers where the entities are."""

    def __init__(self):
        self.text, self.spans = "", []

    def add(self, text, kind=None):
        if kind:
            self.spans.append({"start": len(self.text), "end": len(self.text) + len(text), "type": kind})
        self.text += text
        return self


def filler(rng, fake, kind):
    if kind == "email":
        return fake.ascii_safe_email()
    if kind == "phone":
        return fake.phone_number()
    if kind == "date":
        return fake.date(rng.choice(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %B %Y", "%B %d, %Y"]))
    if kind == "id":
        return rng.choice(["ORD-", "", "PO", "INV-", "A"]) + str(rng.randrange(10**4, 10**10))
    if kind == "ip":
        return fake.ipv4()
    if kind == "uuid":
        return fake.uuid4()
    if kind == "amount":
        return rng.choice(["$", "€", "£", ""]) + f"{rng.randrange(10, 99999) / 7:,.2f}"
    if kind == "iban":
        return fake.iban()
    if kind == "version":
        return f"{rng.randrange(20)}.{rng.randrange(30)}.{rng.randrange(200)}"
    if kind == "user":
        return fake.user_name()
    return rng.choice(DISTRACTORS)


FILLERS = ["email", "phone", "date", "id", "ip", "uuid", "amount", "iban", "version", "user", "word"]


def expand(rng, source, lang, template, writer, form=None):
    """Copies `template` with {P} person, {S} short name, {A} address, {L} place, {O} organisation and fillers."""
    cut = template.split("{")
    writer.add(cut[0])
    for piece in cut[1:]:
        key, _, rest = piece.partition("}")
        if key in ("P", "S"):
            writer.add(source.person(lang, "short" if key == "S" else form), "PERSON")
        elif key == "F":
            writer.add(source.first_name(), "PERSON")
        elif key == "N":
            writer.add(source.last_name(), "PERSON")
        elif key == "A":
            writer.add(source.address(), "ADDRESS")
        elif key == "L":
            writer.add(source.place(), "LOCATION")
        elif key == "O":
            writer.add(source.fake.company(), "ORGANIZATION")
        else:
            writer.add(filler(rng, source.fake, key))
        writer.add(rest)


def sentence(rng, source, lang):
    spec = LANGUAGES[lang]
    writer = Writer()
    for index in range(1 if rng.random() < 0.6 else 2):
        if index:
            writer.add("" if lang in UNSPACED else rng.choice([" ", " ", "\n"]))
        kinds = [k for k in ("whole", "person", "person", "address", "address", "place", "place", "plain") if spec.get(k)]
        kind = rng.choice(kinds)
        if kind in ("whole", "plain"):
            expand(rng, source, lang, rng.choice(spec[kind]), writer)
            continue
        before, after = spec[kind]
        slot = {"person": rng.choice(["{P}", "{P}", "{P}", "{S}"]), "address": "{A}", "place": "{L}"}[kind]
        expand(rng, source, lang, rng.choice(before) + slot + rng.choice(after), writer)
    return writer


def fields(rng, source, lang):
    """Between two and six labelled fields."""
    chosen = []
    for _ in range(rng.randrange(2, 7)):
        roll = rng.random()
        kind = "person" if roll < 0.3 else "address" if roll < 0.5 else "place" if roll < 0.57 else "org" if roll < 0.62 else rng.choice(FILLERS)
        own = KEYS[lang].get(kind) if lang in KEYS else None
        names = own if own and rng.random() < 0.4 else KEYS["en"][kind]
        chosen.append((rng.choice(names), kind))
    return chosen


SLOTS = {"person": "{P}", "address": "{A}", "place": "{L}", "org": "{O}"}


def structured(rng, source, lang):
    writer = Writer()

    def value(kind):
        expand(rng, source, lang, SLOTS.get(kind, "{%s}" % kind), writer, "field")

    shape = rng.randrange(12)
    row = fields(rng, source, lang)
    if shape == 0:
        pretty = rng.random() < 0.5
        colon, comma = (": ", ",\n  ") if pretty else rng.choice([(": ", ", "), (":", ",")])
        writer.add("{\n  " if pretty else "{")
        for index, (key, kind) in enumerate(row):
            writer.add((comma if index else "") + f'"{key}"{colon}"')
            value(kind)
            writer.add('"')
        writer.add("\n}" if pretty else "}")
    elif shape in (1, 2):
        separator = rng.choice([";", "\t", "|", ",", ", "])
        quote = '"' if separator.strip() == "," else rng.choice(["", '"'])
        writer.add(separator.strip(" ").join(key for key, _ in row) + "\n")
        for _ in range(rng.randrange(1, 5)):
            for index, (_, kind) in enumerate(row):
                writer.add((separator if index else "") + quote)
                value(kind)
                writer.add(quote)
            writer.add("\n")
    elif shape == 3:
        equals = rng.choice(["=", "=", ": ", ':"', '="'])
        for _ in range(rng.randrange(1, 3)):
            writer.add(rng.choice(["2026-03-01T10:11:12Z INFO ", "[warn] ", "DEBUG app.users: ", "INFO  audit "]) + rng.choice(["update ", "created ", "request ", ""]))
            for key, kind in row:
                writer.add(key + equals)
                value(kind)
                writer.add('" ' if equals.endswith('"') else rng.choice([" ", " ", ", "]))
            writer.add("\n")
    elif shape == 4:
        indent = rng.choice(["", "\n  "])
        writer.add("<record>")
        for key, kind in row:
            tag = key.replace(" ", "_")
            writer.add(f"{indent}<{tag}>")
            value(kind)
            writer.add(f"</{tag}>")
        writer.add("</record>")
    elif shape == 5:
        writer.add("INSERT INTO people (" + ", ".join(key for key, _ in row) + ") VALUES (")
        for index, (_, kind) in enumerate(row):
            writer.add((", " if index else "") + "'")
            value(kind)
            writer.add("'")
        writer.add(");")
    elif shape == 6:
        expand(rng, source, lang, "BEGIN:VCARD\nVERSION:4.0\nFN:{P}\nTEL:{phone}\nADR:;;{A}\nORG:{O}\nEND:VCARD", writer)
    elif shape == 7:
        writer.add("| " + " | ".join(key for key, _ in row) + " |\n|" + "---|" * len(row) + "\n| ")
        for _, kind in row:
            value(kind)
            writer.add(" | ")
    elif shape == 8:
        for key, kind in row:
            writer.add(rng.choice(["| ", "- ", ""]) if shape == 7 else "").add(key + rng.choice([": ", ": ", " : ", ":", " = ", " - ", "\t"]))
            value(kind)
            writer.add(rng.choice(["\n", "\n", "\n", "; "]))
    elif shape == 9:
        expand(rng, source, lang, rng.choice([
            "From: {P} <{email}>\nTo: {P} <{email}>\nCc: {P}\nSubject: {word}\n\n", '"{P}" <{email}>', "{P} <{email}> wrote:\n> ",
            "On {date}, {P} wrote:\n> ", "Sent by {P} on {date}\n", "Author: {P} <{email}>\nDate: {date}\n\n    {word}\n",
            "Signed-off-by: {P} <{email}>\n", "Attendees: {P}, {P}, {P}\n", "To: {P}; {P}\nSubject: {word} {date}\n"]), writer)
        return writer
    elif shape == 10:
        one, two = source.first_name(), rng.choice(["Agent", "User", "Customer", "Assistant", "Support", "Bot"])
        for _ in range(rng.randrange(1, 3)):
            writer.add(one, "PERSON").add(": ")
            expand(rng, source, lang, rng.choice(LANGUAGES[lang]["plain"]), writer)
            writer.add(f"\n{two}: ")
            expand(rng, source, lang, rng.choice(LANGUAGES[lang]["plain"] + ["Thanks, {S}."] * 2), writer)
            writer.add("\n")
    else:
        for key, kind in row:
            writer.add(key + ":\n" + rng.choice(["", "  "]))
            value(kind)
            writer.add("\n")
    return writer


def gazetteer(sources):
    flags = {}

    def put(value, flag, longest=3):
        parts = value.replace("-", " ").replace("'", " ").split()
        if len(parts) > longest:
            return
        for part in parts:
            if len(part) < 2 and part.isascii():
                continue
            low = part.lower().strip(".,()")
            plain = "".join(c for c in unicodedata.normalize("NFD", low) if not unicodedata.combining(c))
            for form in {low, unicodedata.normalize("NFC", plain)}:
                if form and len(form.encode()) <= 40:
                    flags[form] = flags.get(form, 0) | flag

    for source in sources:
        for name in source.first:
            put(name, FIRST)
        for name in source.last:
            put(name, LAST)
        for name in source.cities:
            put(name, PLACE)
        for name in source.countries:
            put(name, COUNTRY)
    for word in STREET_WORDS:
        put(word, STREET)
    for word in CITY_WORDS:
        put(word, PLACE)
    for word in PARTICLES:
        flags[word] = flags.get(word, 0) & ~(FIRST | LAST | PLACE) | PARTICLE
    return flags


def main():
    out, count, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60000, int(sys.argv[3]) if len(sys.argv) > 3 else 7
    sys.stderr.write(f"seed {seed}\n")
    rng = random.Random(seed)
    used = sorted({locale for group in LOCALES.values() for locale in group})
    sources = {locale: Source(locale, rng) for locale in used}
    others = []
    for locale in sorted(AVAILABLE_LOCALES):
        if locale not in sources and locale not in ("la",):
            try:
                others.append(Source(locale, rng))
            except Exception:  # a locale without these providers
                continue
    os.makedirs(out, exist_ok=True)
    flags = gazetteer(list(sources.values()) + others)
    with open(f"{out}/gazetteer.tsv", "w", encoding="utf-8") as file:
        for word in sorted(flags):
            file.write(f"{word}\t{flags[word]}\n")
    languages = list(LOCALES)
    weights = [14 if lang == "en" else 2.5 if lang in ("zh", "ja", "ko", "ar", "he") else 2 for lang in languages]
    latin = [s for s in others if s.first and s.first[0][0].isascii() and s.locale not in ("th_TH",)]
    with open(f"{out}/synthetic.jsonl", "w", encoding="utf-8") as file:
        for _ in range(count):
            lang = rng.choices(languages, weights)[0]
            source = sources[rng.choice(LOCALES[lang])]
            roll = rng.random()
            if lang == "en" and roll < 0.25:
                # Names and addresses of anywhere in English sentences.
                source = rng.choice(latin + [s for s in sources.values() if s.locale[:2] not in CASELESS])
            elif lang not in UNSPACED and roll < 0.08:
                # Values of one language in the forms of English.
                lang = "en"
            try:
                made = structured(rng, source, lang) if rng.random() < 0.4 else sentence(rng, source, lang)
            except (AttributeError, IndexError):
                continue
            spans = [s for s in made.spans if s["end"] > s["start"]]
            file.write(json.dumps({"text": made.text, "spans": spans, "lang": lang, "source": "synthetic"}, ensure_ascii=False) + "\n")
        for lang, sentences in ORDINARY.items():
            for text in sentences * ORDINARY_COPIES:
                file.write(json.dumps({"text": text, "spans": [], "lang": lang, "source": "ordinary"}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
