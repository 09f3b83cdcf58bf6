//! Precision and recall on the PII sets.

use std::{collections::BTreeMap, fs, ops::Range, path::PathBuf};

use bartizan_measure::Estimate;
use bartizan_text::{
    pii::{Match, Pii, PiiConfig, resolve},
    views,
};
use miette::{IntoDiagnostic, WrapErr};
use serde::Deserialize;

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder with `pii/dev.jsonl` and `pii/eval.jsonl`
    #[arg(long, env = "BARTIZAN_DATA", default_value = "../shared/data")]
    data: PathBuf,
    /// Which part of the set
    #[arg(long, default_value = "dev")]
    split: Split,
    /// Print every mistake about this type, e.g. `PHONE`; `ALL` for all
    #[arg(long)]
    show_errors: Option<String>,
    /// Only texts of this source, e.g. `own_structured`
    #[arg(long)]
    source: Option<String>,
    /// Least confidence of a match
    #[arg(long, default_value_t = PiiConfig::default().min_confidence)]
    min_confidence: f32,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Split {
    Dev,
    Eval,
}

#[derive(Debug, Deserialize)]
struct Row {
    id: String,
    text: String,
    spans: Vec<Labelled>,
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
struct Labelled {
    start: usize,
    end: usize,
    r#type: String,
}

/// Types that another module finds.
const EXCLUDED: [&str; 6] = [
    "PERSON",
    "ADDRESS",
    "LOCATION",
    "ORGANIZATION",
    "TITLE",
    "NRP",
];
/// Types that one source alone labels, by other rules than the rest: reported, not counted.
const SEPARATE: [&str; 4] = ["DATE_TIME", "AGE", "ZIP_CODE", "DOMAIN"];

/// The data set's type for one of our entities.
fn type_of(entity: &str) -> &str {
    match entity {
        "EMAIL_ADDRESS" => "EMAIL",
        "PHONE_NUMBER" => "PHONE",
        "IBAN_CODE" => "IBAN",
        "CRYPTO" => "CRYPTO_WALLET",
        "BIC_SWIFT" => "BIC",
        "US_ABA_ROUTING" => "BANK_ACCOUNT",
        "MEDICAL_RECORD_NUMBER" | "US_NPI" | "US_DEA_NUMBER" | "US_MBI" => "MEDICAL_ID",
        "CREDIT_CARD" | "IP_ADDRESS" | "MAC_ADDRESS" | "DATE_OF_BIRTH" | "USERNAME"
        | "PASSPORT" | "DRIVER_LICENSE" | "LICENSE_PLATE" | "VIN" | "IMEI" | "BANK_ACCOUNT"
        | "DATE_TIME" | "URL" => entity,
        _ => "NATIONAL_ID",
    }
}

#[derive(Debug, Default)]
struct Counts {
    hit: u32,
    missed: u32,
    wrong: u32,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> miette::Result<()> {
    let name = match args.split {
        Split::Dev => "dev",
        Split::Eval => "eval",
    };
    let path = args.data.join("pii").join(name).with_extension("jsonl");
    let data = fs::read_to_string(&path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read `{}`; give --data", path.display()))?;
    let pii = Pii::new(&PiiConfig {
        min_confidence: args.min_confidence,
        ..PiiConfig::default()
    })
    .into_diagnostic()?;
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for line in data.lines() {
        let row: Row = serde_json::from_str(line).into_diagnostic()?;
        if args
            .source
            .as_ref()
            .is_none_or(|source| *source == row.source)
        {
            score(&pii, &row, args.show_errors.as_deref(), &mut counts);
        }
    }
    print(&counts);
    Ok(())
}

fn score(pii: &Pii, row: &Row, shown: Option<&str>, counts: &mut BTreeMap<String, Counts>) {
    let offsets: Vec<usize> = row
        .text
        .char_indices()
        .map(|(at, _)| at)
        .chain([row.text.len()])
        .collect();
    let byte = |at: usize| offsets.get(at).copied().unwrap_or(row.text.len());
    let mut expected: Vec<(&str, Range<usize>)> = row
        .spans
        .iter()
        .filter(|span| !EXCLUDED.contains(&span.r#type.as_str()))
        .map(|span| (span.r#type.as_str(), byte(span.start)..byte(span.end)))
        .collect();
    let view = views::main_view(row.text.as_bytes());
    let mut matches: Vec<Match> = Vec::new();
    pii.find(&view.text, &mut matches);
    for found in resolve(matches) {
        let kind = type_of(found.rule.entity.as_deref().unwrap_or_default());
        let range = view.span(found.range.clone()).as_range();
        // Dates of the source that labels every date count for neither side.
        if kind == "DATE_OF_BIRTH"
            && expected.iter().any(|(other, span)| {
                *other == "DATE_TIME" && span.start < range.end && range.start < span.end
            })
        {
            continue;
        }
        let known = expected
            .iter()
            .position(|(other, span)| *other == kind && *span == range);
        let count = counts.entry(kind.to_owned()).or_default();
        if let Some(known) = known {
            expected.swap_remove(known);
            count.hit += 1;
        } else {
            count.wrong += 1;
            show(shown, "wrong", kind, row, &range, Some(&found));
        }
    }
    for (kind, range) in expected {
        counts.entry(kind.to_owned()).or_default().missed += 1;
        show(shown, "missed", kind, row, &range, None);
    }
}

fn show(
    shown: Option<&str>,
    mistake: &str,
    kind: &str,
    row: &Row,
    range: &Range<usize>,
    found: Option<&Match>,
) {
    if !shown.is_some_and(|shown| shown == kind || shown == "ALL") {
        return;
    }
    let value = row.text.get(range.clone()).unwrap_or_default();
    let rule = found.map_or("", |found| &found.rule.id);
    let confidence = found.map_or(0.0, |found| found.confidence.get());
    println!(
        "{mistake:6} {kind:15} {value:?} {rule} {confidence:.2} | {} {} | {:?}",
        row.source, row.id, row.text
    );
}

fn print(counts: &BTreeMap<String, Counts>) {
    println!(
        "{:16} {:>5} {:>6} {:>6}   {:>6} [95 % interval]   {:>6} [95 % interval]   {:>6}",
        "type", "hit", "missed", "wrong", "prec", "recall", "F1"
    );
    let (separate, counted): (Vec<_>, Vec<_>) = counts
        .iter()
        .partition(|(kind, _)| SEPARATE.contains(&kind.as_str()));
    let mut total = Counts::default();
    for (kind, count) in counted {
        total.hit += count.hit;
        total.missed += count.missed;
        total.wrong += count.wrong;
        print_line(kind, count);
    }
    print_line("structured", &total);
    for (kind, count) in separate {
        print_line(&format!("({kind})"), count);
    }
}

fn print_line(kind: &str, count: &Counts) {
    let precision = interval(count.hit, count.hit + count.wrong);
    let recall = interval(count.hit, count.hit + count.missed);
    let f1 = 2.0 * precision.1 * recall.1 / (precision.1 + recall.1).max(f64::EPSILON);
    println!(
        "{kind:16} {:>5} {:>6} {:>6}   {:.4} [{:.4}, {:.4}]   {:.4} [{:.4}, {:.4}]   {f1:.4}",
        count.hit,
        count.missed,
        count.wrong,
        precision.1,
        precision.0,
        precision.2,
        recall.1,
        recall.0,
        recall.2
    );
}

/// Lower bound, proportion, upper bound at 95 %.
fn interval(hits: u32, of: u32) -> (f64, f64, f64) {
    let share = Estimate::share(hits.into(), of.into());
    let interval = share.and_then(|share| share.interval);
    let (low, high) = interval.map_or((0.0, 1.0), |interval| (interval.low, interval.high));
    (low, share.map_or(0.0, |share| share.value), high)
}
