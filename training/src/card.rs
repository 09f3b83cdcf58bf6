//! The model card.

use std::{collections::BTreeMap, fmt::Write as _};

use bartizan_classify::{Harm, Model, Profile};

use crate::{
    data::Data,
    evaluate::{self, Scored},
    export::Measured,
    folds::{self, SHARES, Unseen},
};

/// What the card tells.
pub(crate) struct Facts<'a> {
    pub(crate) data: &'a Data,
    pub(crate) seed: u64,
    pub(crate) teacher: &'a str,
    pub(crate) model: &'a Model,
    pub(crate) measured: &'a Measured,
    pub(crate) unseen: &'a [Unseen],
    pub(crate) sets: &'a [(&'a str, Vec<Scored<'a>>)],
    pub(crate) harm: &'a [Scored<'a>],
}

/// The whole card.
pub(crate) fn card(facts: &Facts<'_>) -> String {
    let mut out = String::from(include_str!("card.md"));
    let mut put = |line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    put(format!(
        "\n## This file\n\nVersion `{}`, seed {}, teacher `{}`.\n",
        facts.model.version(),
        facts.seed,
        facts.teacher
    ));
    put("| learnt from | SHA-256 |\n| --- | --- |".to_owned());
    for (name, digest) in &facts.data.digests {
        put(format!("| `{name}` | `{digest}` |"));
    }
    put(format!(
        "\n`dev`, `eval_public`, and `rag/eval` are only measured on. {} rows were left out because an evaluation set holds the same words; {} remain.\n",
        facts.data.left_out,
        facts.data.overlap()
    ));
    put("## Thresholds\n\nProbabilities from which on an attack is listed, doubted (ask), and refused (block), with the shares of unseen ordinary text and of unseen text that looks like an attack that may reach them.\n".to_owned());
    put("| profile | flag | ask | block | ordinary, % | look-alikes, % |\n| --- | --- | --- | --- | --- | --- |".to_owned());
    for (profile, (ordinary, hard)) in Profile::ALL.into_iter().zip(SHARES) {
        let t = facts.model.attack_thresholds(profile);
        let percent = |shares: [f64; 3]| {
            shares
                .map(|share| format!("{:.1}", share * 100.0))
                .join(" / ")
        };
        put(format!(
            "| {profile} | {:.3} | {:.3} | {:.3} | {} | {} |",
            t.flag,
            t.ask,
            t.block,
            percent(ordinary),
            percent(hard)
        ));
    }
    put(format!("\n{}", unseen(facts.unseen, facts.measured)));
    put("## Each set\n\nShares in percent that reach *ask* in the profile balanced.\n".to_owned());
    put("| set | ordinary | mistaken | attacks | caught | AUC |\n| --- | --- | --- | --- | --- | --- |".to_owned());
    for (name, scored) in facts.sets {
        for (set, row) in rows(facts, scored, |one| {
            if matches!(*name, "eval_public" | "share-alike") {
                one.example.source.clone()
            } else {
                String::new()
            }
        }) {
            put(format!("| {name} {set} | {row} |"));
        }
    }
    put("\n## Each language\n\nOn dev.\n\n| language | ordinary | mistaken | attacks | caught | AUC |\n| --- | --- | --- | --- | --- | --- |".to_owned());
    if let Some((_, dev)) = facts.sets.first() {
        for (lang, row) in rows(facts, dev, |one| one.example.lang.clone()) {
            put(format!("| {lang} | {row} |"));
        }
    }
    put("\n## Calibration\n\nExpected calibration error over 15 bins.\n\n| on | error |\n| --- | --- |".to_owned());
    let [attack, ..] = facts.measured.calibrations;
    let even: Vec<(f32, bool, f32)> = facts
        .unseen
        .iter()
        .map(|one| {
            (
                attack.probability(one.sums.0),
                one.label.is_attack(),
                one.weight,
            )
        })
        .collect();
    put(format!(
        "| unseen sources, both classes of equal weight | {:.3} |",
        evaluate::calibration_error(&even)
    ));
    for (name, scored) in facts.sets {
        let pairs: Vec<(f32, bool, f32)> = scored
            .iter()
            .filter_map(|one| {
                Some((
                    attack.probability(one.attack),
                    one.example.label?.is_attack(),
                    1.0,
                ))
            })
            .collect();
        put(format!(
            "| {name} | {:.3} |",
            evaluate::calibration_error(&pairs)
        ));
    }
    put("\n## Harm\n\nOn the held-out fifth of the harm sets.\n\n| kind | positive | negative | AUC |\n| --- | --- | --- | --- |".to_owned());
    for kind in Harm::ALL {
        let of = |wanted: i8| -> Vec<f32> {
            let these = facts.harm.iter().filter(|one| {
                one.example
                    .harms
                    .is_some_and(|h| h[kind as usize] == wanted)
            });
            these.map(|one| one.harms[kind as usize]).collect()
        };
        let (positive, negative) = (of(1), of(0));
        put(format!(
            "| {} | {} | {} | {:.3} |",
            kind.as_str(),
            positive.len(),
            negative.len(),
            evaluate::auc(&positive, &negative)
        ));
    }
    out
}

fn rows(
    facts: &Facts<'_>,
    scored: &[Scored<'_>],
    key: impl Fn(&Scored<'_>) -> String,
) -> Vec<(String, String)> {
    let at = facts.model.attack_thresholds(Profile::Balanced).ask;
    let [attack, ..] = facts.measured.calibrations;
    let mut sets: BTreeMap<String, [Vec<f32>; 2]> = BTreeMap::new();
    for one in scored {
        if let Some(label) = one.example.label {
            sets.entry(key(one)).or_default()[usize::from(label.is_attack())]
                .push(attack.probability(one.attack));
        }
    }
    sets.into_iter()
        .map(|(set, [benign, attacks])| (set, evaluate::row(&benign, &attacks, at)))
        .collect()
}

/// Sources that the net had not seen.
pub(crate) fn unseen(unseen: &[Unseen], measured: &Measured) -> String {
    let mut out = String::from(
        "## Unseen sources\n\nEvery source was scored by a net that did not learn from it nor from its relatives. Shares in percent; *1 %* is the recall at 1 % of ordinary text mistaken, *ask* is what reaches that threshold in the profile balanced.\n\n| source | kind | texts | 1 % | ask |\n| --- | --- | --- | --- | --- |\n",
    );
    let ordinary: Vec<(f32, f32)> = unseen
        .iter()
        .filter(|one| folds::is_ordinary(one))
        .map(|one| (one.sums.0, one.weight))
        .collect();
    let one_percent = crate::calibrate::quantile(&ordinary, 0.01);
    let [attack, ..] = measured.calibrations;
    let [_, [balanced, ..], _] = measured.thresholds;
    let mut sources: BTreeMap<(bool, &str), Vec<f32>> = BTreeMap::new();
    for one in unseen {
        sources
            .entry((one.label.is_attack(), &one.source))
            .or_default()
            .push(one.sums.0);
    }
    let (mut recall, mut count) = ([0.0, 0.0], 0.0);
    for ((is_attack, source), sums) in &sources {
        let odds: Vec<f32> = sums.iter().map(|sum| attack.probability(*sum)).collect();
        let (first, second) = (
            evaluate::rate(sums, one_percent),
            evaluate::rate(&odds, balanced.ask),
        );
        let kind = if *is_attack { "attack" } else { "ordinary" };
        // The writer is a string, which takes everything.
        let _ = writeln!(
            out,
            "| {source} | {kind} | {} | {first:.1} | {second:.1} |",
            sums.len()
        );
        if *is_attack {
            recall = [recall[0] + first, recall[1] + second];
            count += 1.0;
        }
    }
    let _ = writeln!(
        out,
        "| mean over sources of attacks | attack | {count} | {:.1} | {:.1} |\n",
        recall[0] / count,
        recall[1] / count
    );
    out
}
