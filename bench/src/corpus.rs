//! Mixed text for measurements: prose in ten languages, mail, chat, code, logs, JSON, with planted
//! personal data and keys. Deterministic, so that two runs measure the same bytes.

/// The kinds of text that a corpus is mixed of, with their share in percent.
const MIX: &[(Write, u64)] = &[
    (prose, 30),
    (other_languages, 12),
    (mail, 13),
    (chat, 10),
    (code, 20),
    (log, 10),
    (json, 5),
];

/// Writes some text of one kind.
type Write = fn(&mut Dice, &mut String);

/// `bytes` of mixed text.
pub(crate) fn mixed(bytes: usize) -> String {
    build(bytes, |dice, out| {
        let mut at = dice.below(100);
        for (write, share) in MIX {
            if at < *share {
                return write(dice, out);
            }
            at -= share;
        }
    })
}

/// `bytes` of plain English prose.
pub(crate) fn english(bytes: usize) -> String {
    build(bytes, prose)
}

/// `bytes` of one of [`LANGUAGES`].
pub(crate) fn language(number: usize, bytes: usize) -> String {
    let text = LANGUAGES.get(number).copied().unwrap_or_default();
    build(bytes, |_, out| {
        out.push_str(text);
        out.push('\n');
    })
}

/// `bytes` of mail, chat, and JSON: the kinds with personal data.
pub(crate) fn personal(bytes: usize) -> String {
    build(bytes, |dice, out| match dice.below(3) {
        0 => mail(dice, out),
        1 => chat(dice, out),
        _ => json(dice, out),
    })
}

/// `bytes` of source code.
pub(crate) fn only_code(bytes: usize) -> String {
    build(bytes, code)
}

/// `bytes` of a server's log.
pub(crate) fn only_log(bytes: usize) -> String {
    build(bytes, log)
}

/// English prose with one letter of every eighth word replaced by a Cyrillic look-alike.
pub(crate) fn every_eighth_word_cyrillic(bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 64);
    for (index, word) in english(bytes).split_inclusive(' ').enumerate() {
        match word.find(['a', 'e', 'o']) {
            Some(at) if index % 8 == 0 => {
                let (before, rest) = word.split_at(at);
                let mut letters = rest.chars();
                out.push_str(before);
                out.push(match letters.next() {
                    Some('a') => 'а',
                    Some('e') => 'е',
                    _ => 'о',
                });
                out.push_str(letters.as_str());
            }
            _ => out.push_str(word),
        }
    }
    out
}

fn build(bytes: usize, mut write: impl FnMut(&mut Dice, &mut String)) -> String {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut out = String::with_capacity(bytes + 4096);
    while out.len() < bytes {
        write(&mut dice, &mut out);
    }
    let mut end = bytes;
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out
}

/// `SplitMix64`, so that the corpus needs no crate and never changes.
pub(crate) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        items.get(at).copied().unwrap_or_default()
    }

    fn digits(&mut self, n: usize) -> String {
        (0..n)
            .map(|_| char::from(b'0' + self.below(10) as u8))
            .collect()
    }

    fn hex(&mut self, n: usize) -> String {
        (0..n)
            .map(|_| char::from_digit(self.below(16) as u32, 16).unwrap_or('0'))
            .collect()
    }
}

const SUBJECTS: &[&str] = &[
    "The committee",
    "My neighbour",
    "A recent survey",
    "The second chapter",
    "Our supplier in Leeds",
    "The old lighthouse",
    "Nobody in the office",
    "The new release",
    "Her research group",
    "The museum",
    "This recipe",
    "The ferry to the islands",
    "A small team",
    "The quarterly report",
    "The garden",
    "The city council",
    "His grandmother",
    "The orchestra",
    "Every visitor",
    "The train from Vienna",
];
const VERBS: &[&str] = &[
    "describes",
    "has postponed",
    "will probably replace",
    "still remembers",
    "was built around",
    "quietly improved",
    "needs",
    "compares",
    "no longer supports",
    "turned out to depend on",
    "explains how to repair",
    "is looking for",
    "cannot agree about",
    "kept a record of",
    "finally published",
    "prefers",
    "would rather ignore",
    "has always followed",
    "instructs its members about",
    "forgot",
];
const OBJECTS: &[&str] = &[
    "the weather of the past forty years",
    "a collection of hand-made clocks",
    "the rules of the game",
    "three different ways to bake bread",
    "its own documentation",
    "the price of copper and tin",
    "a bridge that nobody uses any more",
    "the previous version of the schedule",
    "an agreement on noise",
    "the system that controls the heating",
    "what the children wrote in spring",
    "a list of open questions",
    "the shortest path through the forest",
    "several thousand photographs",
    "the results of last season",
    "a letter from the ministry",
    "the instructions for the assembly of the shelf",
    "two old maps",
];
const ENDS: &[&str] = &[
    ", which surprised most of us",
    " because the budget was cut",
    ", although it rained all day",
    " before the end of the month",
    "",
    ", as far as anyone can tell",
    " without asking for help",
    " and then started again from the beginning",
    "; the details are in the appendix",
    ", at least for now",
];

fn prose(dice: &mut Dice, out: &mut String) {
    for _ in 0..4 + dice.below(5) {
        out.push_str(dice.pick(SUBJECTS));
        out.push(' ');
        out.push_str(dice.pick(VERBS));
        out.push(' ');
        out.push_str(dice.pick(OBJECTS));
        out.push_str(dice.pick(ENDS));
        out.push_str(". ");
    }
    out.push('\n');
}

const LANGUAGES: &[&str] = &[
    "Die Sitzung wurde auf nächsten Dienstag verschoben, weil der Raum nicht frei war. Bitte schicken Sie uns die Unterlagen vorher zu. ",
    "Le musée est fermé pendant les travaux, mais la bibliothèque reste ouverte jusqu'à dix-huit heures. Merci de votre compréhension. ",
    "El tren de la mañana llegó con veinte minutos de retraso y nadie supo explicar por qué. Mañana volveremos a intentarlo. ",
    "La ricetta della nonna prevede farina, uova e molta pazienza; il forno va acceso mezz'ora prima. ",
    "A biblioteca municipal recebeu mais de mil livros novos este ano, quase todos doados por leitores da região. ",
    "Совет перенёс заседание на следующую неделю, потому что не хватило времени обсудить все вопросы. Документы придут по почте. ",
    "图书馆将于下周一重新开放，读者可以提前在网上预约座位。请携带有效证件，并遵守阅览室的规定。",
    "来週の会議は火曜日に変更されました。資料は前日までに共有フォルダーに置いてください。よろしくお願いします。",
    "تأجل الاجتماع إلى الأسبوع المقبل بسبب سوء الأحوال الجوية، وسوف نرسل لكم الموعد الجديد قريبا. ",
    "다음 주 회의는 화요일로 변경되었습니다. 자료는 전날까지 공유 폴더에 올려 주시기 바랍니다. ",
];

fn other_languages(dice: &mut Dice, out: &mut String) {
    let text = dice.pick(LANGUAGES);
    for _ in 0..2 + dice.below(3) {
        out.push_str(text);
    }
    out.push('\n');
}

const FIRST: &[&str] = &[
    "Anna",
    "Tomas",
    "Priya",
    "Kenji",
    "Maria",
    "Oluwaseun",
    "Lena",
    "Pierre",
];
const LAST: &[&str] = &[
    "Schmidt", "Novak", "Patel", "Tanaka", "Garcia", "Adeyemi", "Larsen", "Moreau",
];

fn mail(dice: &mut Dice, out: &mut String) {
    let (first, last) = (dice.pick(FIRST), dice.pick(LAST));
    let address = format!(
        "{}.{}@example.org",
        first.to_lowercase(),
        last.to_lowercase()
    );
    out.push_str(&format!(
        "From: {first} {last} <{address}>\nDate: Tue, {} Oct 2026 0{}:{}:11 +0200\nMessage-ID: <{}@mail.example.org>\nSubject: Re: {}\n\nHello,\n\n",
        10 + dice.below(20), dice.below(10), 10 + dice.below(50), dice.hex(24), dice.pick(OBJECTS),
    ));
    prose(dice, out);
    if dice.below(4) == 0 {
        out.push_str(&format!(
            "You can reach me at +44 20 7946 0{}.\n",
            dice.digits(3)
        ));
    }
    if dice.below(8) == 0 {
        out.push_str("Please bill the card 4111 1111 1111 1111 as before.\n");
    }
    out.push_str(&format!(
        "\nBest regards,\n{first}\n\n> On Monday you wrote:\n> "
    ));
    prose(dice, out);
}

fn chat(dice: &mut Dice, out: &mut String) {
    for _ in 0..3 + dice.below(4) {
        out.push_str(&format!(
            "[{}:{}] {}: ",
            10 + dice.below(12),
            10 + dice.below(50),
            dice.pick(FIRST)
        ));
        out.push_str(match dice.below(6) {
            0 => "ok, will do 👍",
            1 => "did you see the build? it's red again",
            2 => "lol yes… let me check",
            3 => "can we move the call to 15:30?",
            4 => "order 48213 arrived, version 2.14.3 works fine",
            _ => "no idea tbh, ask in the channel",
        });
        out.push('\n');
    }
}

fn code(dice: &mut Dice, out: &mut String) {
    let name = dice.pick(&[
        "parse_header",
        "load_config",
        "user_token",
        "read_rows",
        "buildIndex",
    ]);
    out.push_str(&format!(
        "pub fn {name}(input: &[u8], limit: usize) -> Result<Vec<Row>, Error> {{\n    let mut rows = Vec::with_capacity({});\n    for (index, line) in input.split(|b| *b == b'\\n').enumerate() {{\n        if index >= limit {{ return Err(Error::TooLong {{ at: index }}); }}\n        // see https://docs.example.com/{name}#errors\n        rows.push(Row::parse(line)?);\n    }}\n    Ok(rows)\n}}\n\n",
        dice.below(4096),
    ));
    out.push_str(&format!(
        "const DIGEST: &str = \"sha256:{}\";\npassword = os.environ[\"DB_PASSWORD\"]\nself.api_key = config.get(\"api_key\")  # commit {}\n",
        dice.hex(64), dice.hex(40),
    ));
    if dice.below(40) == 0 {
        out.push_str(&format!("aws_access_key_id = AKIA{}\n", "QYLPMN5HHHFPZAM2"));
    }
}

fn log(dice: &mut Dice, out: &mut String) {
    for _ in 0..6 {
        out.push_str(&format!(
            "2026-10-{}T{}:{}:{}.{}Z INFO http request_id={}-{}-{}-{}-{} client=10.{}.{}.{} method=GET path=/v1/items/{} status=200 bytes={} duration_ms={}.{}\n",
            10 + dice.below(20), 10 + dice.below(14), 10 + dice.below(50), 10 + dice.below(50), dice.digits(3),
            dice.hex(8), dice.hex(4), dice.hex(4), dice.hex(4), dice.hex(12),
            dice.below(256), dice.below(256), dice.below(256),
            dice.below(100_000), dice.below(60_000), dice.below(90), dice.digits(2),
        ));
    }
}

fn json(dice: &mut Dice, out: &mut String) {
    out.push_str(&format!(
        "{{\"id\": {}, \"sku\": \"AB-{}\", \"price\": {}.{}, \"tags\": [\"new\", \"sale\"], \"created\": \"2026-0{}-1{}\", \"customer\": {{\"name\": \"{} {}\", \"email\": \"user{}@example.com\"}}, \"note\": \"{}\"}}\n",
        dice.below(1_000_000), dice.digits(6), dice.below(1000), dice.digits(2), 1 + dice.below(9), dice.below(10),
        dice.pick(FIRST), dice.pick(LAST), dice.below(10_000), dice.pick(OBJECTS),
    ));
}
