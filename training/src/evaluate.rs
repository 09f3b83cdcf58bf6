//! Counting.

use bartizan_classify::Model;

use crate::{
    data::{Example, Eyes},
    harm::HARMS,
};

/// The share of `scores` at or above `threshold`, in percent.
pub(crate) fn rate(scores: &[f32], threshold: f32) -> f64 {
    let hits = scores.iter().filter(|score| **score >= threshold).count();
    100.0 * hits as f64 / scores.len().max(1) as f64
}

/// Area under the ROC curve (Mann and Whitney 1947), ties counted half.
pub(crate) fn auc(positive: &[f32], negative: &[f32]) -> f64 {
    let mut all: Vec<(f32, bool)> = positive.iter().map(|s| (*s, true)).collect();
    all.extend(negative.iter().map(|s| (*s, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut sum, mut at) = (0.0, 0);
    while at < all.len() {
        let end = at + all[at..].iter().take_while(|x| x.0 == all[at].0).count();
        let rank = (at + end + 1) as f64 / 2.0;
        sum += rank * all[at..end].iter().filter(|x| x.1).count() as f64;
        at = end;
    }
    let (p, n) = (positive.len() as f64, negative.len() as f64);
    (sum - p * (p + 1.0) / 2.0) / (p * n).max(1.0)
}

/// Expected calibration error over fifteen equal bins (Guo et al. 2017), of a probability, whether
/// it is so, and a weight.
pub(crate) fn calibration_error(predicted: &[(f32, bool, f32)]) -> f64 {
    let total = |wanted: bool| -> f64 {
        let these = predicted.iter().filter(|one| one.1 == wanted);
        these.map(|one| f64::from(one.2)).sum::<f64>().max(1e-9)
    };
    let totals = [total(false), total(true)];
    let mut bins = [(0.0f64, 0.0f64); 15];
    for (p, is, weight) in predicted {
        let weight = f64::from(*weight) / totals[usize::from(*is)] / 2.0;
        let bin = &mut bins[((p * 15.0) as usize).min(14)];
        bin.0 += f64::from(*p) * weight;
        bin.1 += f64::from(u8::from(*is)) * weight;
    }
    bins.iter().map(|(p, hits)| (p - hits).abs()).sum()
}

/// What the file of weights makes of a text: the worst of its views.
pub(crate) struct Scored<'a> {
    pub(crate) example: &'a Example,
    /// The sum of the attack before calibration.
    pub(crate) attack: f32,
    /// The sums of the harms.
    pub(crate) harms: [f32; HARMS],
}

impl<'a> Scored<'a> {
    pub(crate) fn of(model: &Model, eyes: &Eyes, example: &'a Example) -> Self {
        let mut scored = Self {
            example,
            attack: f32::MIN,
            harms: [f32::MIN; HARMS],
        };
        eyes.each(&example.text, |view| {
            let (attack, _, harms) = model.raw(view);
            scored.attack = scored.attack.max(attack);
            for (worst, harm) in scored.harms.iter_mut().zip(harms) {
                *worst = worst.max(harm);
            }
        });
        scored
    }
}

/// Scores `examples`.
pub(crate) fn all<'a>(model: &Model, eyes: &Eyes, examples: &'a [Example]) -> Vec<Scored<'a>> {
    examples
        .iter()
        .map(|example| Scored::of(model, eyes, example))
        .collect()
}

/// Cells of a table: ordinary texts, the share mistaken at `threshold`, attacks, the share caught,
/// and the area under the curve.
pub(crate) fn row(benign: &[f32], attacks: &[f32], threshold: f32) -> String {
    let share = |scores: &[f32]| {
        if scores.is_empty() {
            "–".to_owned()
        } else {
            format!("{:.1}", rate(scores, threshold))
        }
    };
    let area = if benign.is_empty() || attacks.is_empty() {
        "–".to_owned()
    } else {
        format!("{:.3}", auc(attacks, benign))
    };
    format!(
        "{} | {} | {} | {} | {area}",
        benign.len(),
        share(benign),
        attacks.len(),
        share(attacks)
    )
}
