//! Throughput of the whole PII set over made-up text: ten languages, logs, code, mail, chat.
//!
//! `cargo bench -p bartizan-text --bench pii`

use bartizan_text::pii::Pii;
use divan::{Bencher, counter::BytesCount};

fn main() {
    divan::main();
}

/// Bytes of each corpus.
const SIZE: usize = 1 << 20;

const PROSE: [&str; 10] = [
    "The committee will meet again next week to discuss the results of the survey and the plans for the coming year. ",
    "Der Ausschuss trifft sich in der kommenden Woche erneut, um die Ergebnisse der Umfrage zu besprechen. ",
    "Le comite se reunira de nouveau la semaine prochaine afin de discuter des resultats de cette enquete. ",
    "El comite se reunira de nuevo la proxima semana para hablar de los resultados de la encuesta. ",
    "Il comitato si riunira di nuovo la prossima settimana per discutere i risultati del sondaggio. ",
    "O comite vai reunir-se de novo na proxima semana para falar dos resultados do inquerito. ",
    "Komitet spotka sie ponownie w przyszlym tygodniu, aby omowic wyniki tej ankiety i dalsze plany. ",
    "комитет снова соберется на следующей неделе, чтобы обсудить результаты опроса и дальнейшие планы. ",
    "委員会は来週ふたたび集まり、調査の結果とこれからの計画について話し合う予定です。",
    "위원회는 다음 주에 다시 모여 설문 조사의 결과와 앞으로의 계획을 논의할 예정입니다. ",
];

/// A small linear congruential generator (Knuth, MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn fill(mut piece: impl FnMut(&mut Numbers) -> String) -> String {
    let mut numbers = Numbers(7);
    let mut text = String::with_capacity(SIZE + 512);
    while text.len() < SIZE {
        text.push_str(&piece(&mut numbers));
    }
    text
}

fn prose(numbers: &mut Numbers) -> String {
    let sentence = usize::try_from(numbers.below(10))
        .ok()
        .and_then(|index| PROSE.get(index));
    sentence.copied().unwrap_or_default().to_owned()
}

fn english(_: &mut Numbers) -> String {
    PROSE.first().copied().unwrap_or_default().to_owned()
}

fn log(n: &mut Numbers) -> String {
    format!(
        "2026-04-{:02}T21:{:02}:00.{:06}Z INFO request{{id={:08x}-41d9-8867-{:012x}}} status=200 took={}.{} ms bytes={} path=/v1/items/{}\n",
        n.below(28) + 1,
        n.below(60),
        n.below(1_000_000),
        n.below(1 << 31),
        n.below(1 << 31),
        n.below(900),
        n.below(99),
        n.below(1 << 20),
        n.below(9999)
    )
}

fn code(n: &mut Numbers) -> String {
    format!(
        "    let value_{} = table.get(index + {}).copied().unwrap_or(0x{:x});\n    if value_{} > limit {{ return Err(Error::TooLong {{ at: index }}); }}\n",
        n.below(50),
        n.below(16),
        n.below(1 << 16),
        n.below(50)
    )
}

fn mail(n: &mut Numbers) -> String {
    format!(
        "From: Jane Doe <jane.doe{}@mail.example.com>\nSubject: invoice {}\n\nDear team, {}please call me on +44 20 7946 0{:03} before {}:00. {}\n\n",
        n.below(100),
        n.below(1 << 20),
        prose(n),
        n.below(1000),
        n.below(12),
        prose(n)
    )
}

fn chat(n: &mut Numbers) -> String {
    format!(
        "[{:02}:{:02}] anna: {}\n[{:02}:{:02}] ben: ok, {} of them, see you at {}\n",
        n.below(24),
        n.below(60),
        prose(n),
        n.below(24),
        n.below(60),
        n.below(20),
        n.below(12)
    )
}

fn mixed(n: &mut Numbers) -> String {
    match n.below(6) {
        0 => log(n) + &log(n),
        1 => code(n) + &code(n),
        2 => mail(n),
        3 => chat(n),
        _ => prose(n) + &prose(n) + &prose(n),
    }
}

#[divan::bench(args = ["english", "prose", "mixed", "code", "mail", "chat", "log"])]
fn find(bencher: Bencher<'_, '_>, corpus: &str) {
    let text = match corpus {
        "english" => fill(english),
        "prose" => fill(prose),
        "mixed" => fill(mixed),
        "code" => fill(code),
        "mail" => fill(mail),
        "chat" => fill(chat),
        _ => fill(log),
    };
    let pii = Pii::default();
    let mut matches = Vec::new();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        matches.clear();
        pii.find(&text, &mut matches);
        matches.len()
    });
}
