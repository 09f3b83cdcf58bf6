//! What the net makes of sources that it has not seen: every source is left out once.

use bartizan_classify::{Calibration, HARMS, Harm, PROFILES, Thresholds};

use crate::{
    calibrate::{self, Weighted},
    data::{Example, Label},
    evaluate::Scored,
    export::Measured,
    net::{Net, Rows},
    train::{self, Plan, Teacher, Vocabulary},
};

/// Sources of attacks that are left out together, since they resemble each other.
const FAMILIES: [&[&str]; 6] = [
    &["inthewild_jailbreak_llms", "gptfuzz"],
    &[
        "sap200",
        "jbb_artifacts_pair",
        "llmail_inject_sample",
        "embedded_llmail_emails",
    ],
    &[
        "deepset",
        "hackaprompt_sample",
        "compass_ctf",
        "goodwiins_multilang",
        "goodwiins_seed",
        "hinglish",
        "fuzzyai",
    ],
    &[
        "own_direct",
        "own_mixed",
        "own_leak",
        "own_role_spoof",
        "own_indirect_bare",
        "own_jailbreak",
        "own_multilingual",
        "own_obfuscated",
    ],
    &[
        "jbb_artifacts_gcg",
        "jbb_artifacts_dsn",
        "jbb_artifacts_prompt_with_random_search",
        "adaptive_attacks",
        "embedded_bipia_email",
    ],
    &[
        "safety_prompts_zh",
        "trustllm_jailbreak",
        "embedded_agentdojo_travel",
        "embedded_agentdojo_workspace",
    ],
];

/// What a net that has not seen its source makes of a text.
pub(crate) struct Unseen {
    pub(crate) source: String,
    pub(crate) label: Label,
    /// The sum of the attack, and of a jailbreak among attacks.
    pub(crate) sums: (f32, f32),
    /// One over the root of the size of its source: a source of 100 texts counts 10.
    pub(crate) weight: f32,
}

/// The fold that leaves `source` out; `None` for what is made here.
fn fold(source: &str) -> Option<usize> {
    if source.starts_with("made_") || source.starts_with("contrast_") {
        return None;
    }
    // A document and the same document with an attack in it stay together.
    let attack = source
        .strip_prefix("doc_")
        .map(|rest| format!("embedded_{rest}"));
    let name = attack.as_deref().unwrap_or(source);
    FAMILIES
        .iter()
        .position(|family| family.contains(&name))
        .or_else(|| {
            let sum: usize = name.bytes().map(usize::from).sum();
            Some(sum % FAMILIES.len())
        })
}

/// Learns once per fold and scores what was left out.
pub(crate) fn cross(all: &[Example], teacher: &Teacher, plan: Plan) -> Vec<Unseen> {
    let mut unseen = Vec::new();
    for number in 0..FAMILIES.len() {
        let (held, kept): (Vec<&Example>, Vec<&Example>) = all
            .iter()
            .partition(|example| fold(&example.source) == Some(number));
        let vocabulary = Vocabulary::new(&kept, teacher);
        let net = train::train(&kept, &vocabulary, plan);
        for example in held {
            if let (Some(label), false) = (example.label, train::is_harm(example)) {
                unseen.push(Unseen {
                    source: example.source.clone(),
                    label,
                    sums: sums(&net, &vocabulary, example),
                    weight: 1.0,
                });
            }
        }
    }
    let sizes = unseen.iter().fold(
        std::collections::HashMap::<(String, bool), f32>::new(),
        |mut sizes, one| {
            *sizes
                .entry((one.source.clone(), one.label.is_attack()))
                .or_default() += 1.0;
            sizes
        },
    );
    for one in &mut unseen {
        let size = sizes[&(one.source.clone(), one.label.is_attack())];
        one.weight = 1.0 / size.sqrt();
    }
    unseen
}

fn sums(net: &Net, vocabulary: &Vocabulary, example: &Example) -> (f32, f32) {
    let rows: Vec<Rows> = example
        .tokens
        .iter()
        .map(|token| vocabulary.rows(token))
        .collect();
    let forward = net.forward(&rows);
    forward
        .windows
        .iter()
        .map(|window| {
            let heads = net.answer(&window.features).heads;
            (train::margin(&heads), heads[2] - heads[1])
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap_or((-20.0, 0.0))
}

/// Shares of ordinary text and of text that looks like an attack which may be listed, doubted, and
/// refused, by profile.
pub(crate) const SHARES: [([f64; 3], [f64; 3]); PROFILES] = [
    ([0.030, 0.020, 0.012], [0.15, 0.10, 0.06]),
    ([0.015, 0.008, 0.004], [0.08, 0.05, 0.025]),
    ([0.006, 0.003, 0.001], [0.04, 0.02, 0.008]),
];

/// Shares of ordinary text that may be listed, doubted, and refused for one kind of harm.
const HARM_SHARES: [[f64; 3]; PROFILES] = [
    [0.010, 0.005, 0.002],
    [0.004, 0.002, 0.001],
    [0.002, 0.001, 0.0005],
];

/// Whether it is text that people write when they think of nothing of the kind. Encoded text that
/// hides nothing is not.
pub(crate) fn is_ordinary(one: &Unseen) -> bool {
    one.label == Label::Benign && one.source != "own_obfuscated_benign"
}

/// Calibration and thresholds of the attack heads; those of harms are set later.
pub(crate) fn measure(unseen: &[Unseen]) -> Measured {
    let scores: Vec<Weighted> = unseen
        .iter()
        .map(|one| (one.sums.0, one.label.is_attack(), one.weight))
        .collect();
    let attack = calibrate::platt(&scores);
    let kinds: Vec<Weighted> = unseen
        .iter()
        .filter(|one| one.label.is_attack())
        .map(|one| (one.sums.1, one.label == Label::Jailbreak, one.weight))
        .collect();
    let jailbreak = calibrate::platt(&kinds);
    let of = |fits: &dyn Fn(&Unseen) -> bool| -> Vec<(f32, f32)> {
        let these = unseen.iter().filter(|one| fits(one));
        these.map(|one| (one.sums.0, one.weight)).collect()
    };
    let (ordinary, hard) = (of(&is_ordinary), of(&|one| one.label == Label::BenignHard));
    let plain = Calibration {
        slope: 1.0,
        offset: 0.0,
    };
    let mut calibrations = [plain; 2 + HARMS];
    calibrations[0] = attack;
    calibrations[1] = jailbreak;
    let thresholds = SHARES.map(|(of_ordinary, of_hard)| {
        let a = calibrate::thresholds(&ordinary, attack, of_ordinary);
        let b = calibrate::thresholds(&hard, attack, of_hard);
        let both = Thresholds {
            flag: a.flag.max(b.flag),
            ask: a.ask.max(b.ask),
            block: a.block.max(b.block),
        };
        [both; 1 + HARMS]
    });
    Measured {
        calibrations,
        thresholds,
    }
}

impl Measured {
    /// The same with calibrations and thresholds of harms, from the held-out part of the harm sets
    /// and from ordinary text.
    pub(crate) fn with_harms(&self, harm: &[Scored<'_>], ordinary: &[Scored<'_>]) -> Self {
        let mut measured = self.clone();
        let ordinary: Vec<&Scored<'_>> = ordinary
            .iter()
            .filter(|one| one.example.label == Some(Label::Benign))
            .collect();
        for kind in Harm::ALL {
            let at = kind as usize;
            let mut scores: Vec<Weighted> = harm
                .iter()
                .filter_map(|one| {
                    let said = one.example.harms?[at];
                    (said >= 0).then_some((one.harms[at], said == 1, 1.0))
                })
                .collect();
            scores.extend(ordinary.iter().map(|one| (one.harms[at], false, 0.1)));
            let calibration = calibrate::platt(&scores);
            measured.calibrations[2 + at] = calibration;
            let benign: Vec<(f32, f32)> = ordinary.iter().map(|one| (one.harms[at], 1.0)).collect();
            for (thresholds, shares) in measured.thresholds.iter_mut().zip(HARM_SHARES) {
                thresholds[1 + at] = calibrate::thresholds(&benign, calibration, shares);
            }
        }
        measured
    }
}
