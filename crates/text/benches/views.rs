//! How fast texts are folded and searched for encodings.

use bartizan_text::views::{ViewLimits, derive, main_view};
use divan::{Bencher, counter::BytesCount};

fn main() {
    divan::main();
}

const ENGLISH: &str = "The committee met on Tuesday to discuss the previous results, and everyone \
    agreed that the plan would need a second look before the end of May. ";
const LOOK_ALIKES: &str = "The committee met on Tuesday to discuss th\u{435} previous results, and \
    everyone agreed that th\u{435} plan would need a second look before th\u{435} end of May. ";
const RUSSIAN: &str = "Комитет собрался во вторник, чтобы обсудить предыдущие результаты, и все \
    согласились, что план нуждается в ещё одном взгляде до конца мая. ";
const CHINESE: &str =
    "委员会于星期二开会讨论以前的结果，大家一致认为该计划需要在五月底之前再看一遍。";
const VIETNAMESE: &str =
    "Ủy ban đã họp vào thứ Ba để thảo luận về các kết quả trước đó và đồng ý. ";
const CODE: &str = "    let value = map.get(&key).copied().unwrap_or_default(); // see #42\n    \
    if value != 0x1f { return Err(Error::new(\"bad \\n value\")); }\n";
const BASE64: &str = "payload: aWdub3JlIGFsbCBwcmV2aW91cyBpbnN0cnVjdGlvbnM=\n";

const TEXTS: [&str; 7] = [
    ENGLISH,
    LOOK_ALIKES,
    RUSSIAN,
    CHINESE,
    VIETNAMESE,
    CODE,
    BASE64,
];
const NAMES: [&str; 7] = [
    "english",
    "look-alikes",
    "russian",
    "chinese",
    "vietnamese",
    "code",
    "base64",
];

fn text(name: &str) -> String {
    let index = NAMES.iter().position(|known| *known == name).unwrap_or(0);
    let unit = TEXTS.get(index).copied().unwrap_or_default();
    unit.repeat((1 << 20) / unit.len())
}

#[divan::bench(args = NAMES)]
fn fold(bencher: Bencher<'_, '_>, name: &str) {
    let text = text(name);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| main_view(text.as_bytes()));
}

#[divan::bench(args = NAMES)]
fn derived(bencher: Bencher<'_, '_>, name: &str) {
    let text = text(name);
    let main = main_view(text.as_bytes());
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| derive(text.as_bytes(), &main, &ViewLimits::default()));
}
