use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::LoadError;

/// What a label of a classifier says of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// Nothing is wrong with it.
    Benign,
    /// It tries to override instructions.
    Injection,
    /// It tries to switch the model's safety policy off.
    Jailbreak,
    /// It is harmful to people.
    Harm,
}

/// The meaning of every label of a classifier, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meanings(Vec<Meaning>);

/// Words of published labels, lower case, and what they mean.
const KNOWN: &[(&str, Meaning)] = &[
    ("benign", Meaning::Benign),
    ("safe", Meaning::Benign),
    ("legit", Meaning::Benign),
    ("normal", Meaning::Benign),
    ("no_injection", Meaning::Benign),
    ("non-toxic", Meaning::Benign),
    ("injection", Meaning::Injection),
    ("malicious", Meaning::Injection),
    ("unsafe", Meaning::Injection),
    ("attack", Meaning::Injection),
    ("jailbreak", Meaning::Jailbreak),
    ("toxic", Meaning::Harm),
    ("harmful", Meaning::Harm),
];

impl Meanings {
    /// The meanings of `labels`: what `said` says, else what their names say.
    ///
    /// Two labels without names (`LABEL_0`, `LABEL_1`) mean benign and injection, as Prompt Guard 2
    /// has it.
    ///
    /// # Errors
    /// When a label's meaning is not known, when `said` names a label that there is not, and when
    /// all labels mean ordinary text or none does.
    pub fn of(labels: &[String], said: &BTreeMap<String, Meaning>) -> Result<Self, LoadError> {
        if let Some(label) = said.keys().find(|label| !labels.contains(label)) {
            return Err(LoadError::UnknownLabel {
                label: label.clone(),
                known: labels.join(", "),
            });
        }
        let nameless = [
            ("LABEL_0", Meaning::Benign),
            ("LABEL_1", Meaning::Injection),
        ];
        let is_nameless = labels.len() == 2;
        let meaning = |label: &String| {
            let lower = label.to_lowercase();
            let known = KNOWN.iter().find(|(name, _)| *name == lower);
            let nameless = nameless
                .iter()
                .find(|(name, _)| is_nameless && name == label);
            said.get(label)
                .or(known.or(nameless).map(|(_, meaning)| meaning))
                .copied()
                .ok_or_else(|| LoadError::Label {
                    label: label.clone(),
                })
        };
        let meanings: Vec<Meaning> = labels.iter().map(meaning).collect::<Result<_, _>>()?;
        let benign = meanings.iter().filter(|m| **m == Meaning::Benign).count();
        if benign == 0 || benign == meanings.len() {
            return Err(LoadError::OneSided);
        }
        Ok(Self(meanings))
    }

    /// Whether a label has that meaning.
    #[must_use]
    pub fn know(&self, meaning: Meaning) -> bool {
        self.0.contains(&meaning)
    }

    /// The probability of a meaning, from the probabilities of the labels.
    #[must_use]
    pub fn sum(&self, probabilities: &[f32], meaning: Meaning) -> f32 {
        let pairs = self.0.iter().zip(probabilities);
        pairs.filter(|(m, _)| **m == meaning).map(|(_, p)| p).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[&str], said: &[(&str, Meaning)]) -> Result<Vec<Meaning>, String> {
        let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        let said = said.iter().map(|&(l, m)| (l.to_owned(), m)).collect();
        let meanings = Meanings::of(&labels, &said).map_err(|error| error.to_string())?;
        Ok(meanings.0)
    }

    #[test]
    fn published_labels_are_known() {
        use Meaning::{Benign, Injection, Jailbreak};
        for (labels, expected) in [
            // Prompt Guard 2, Prompt Guard 1, ProtectAI, deepset.
            (&["LABEL_0", "LABEL_1"][..], &[Benign, Injection][..]),
            (
                &["BENIGN", "INJECTION", "JAILBREAK"],
                &[Benign, Injection, Jailbreak],
            ),
            (&["SAFE", "INJECTION"], &[Benign, Injection]),
            (&["LEGIT", "INJECTION"], &[Benign, Injection]),
        ] {
            assert_eq!(of(labels, &[]).unwrap(), expected);
        }
    }

    #[test]
    fn a_label_that_says_nothing_is_asked_about() {
        let error = of(&["ham", "spam"], &[("spam", Meaning::Injection)]).unwrap_err();
        assert!(error.contains("`ham`"), "{error}");
        let error = of(&["LABEL_0", "LABEL_1", "LABEL_2"], &[]).unwrap_err();
        assert!(error.contains("`LABEL_0`"), "{error}");
        let error = of(&["SAFE", "INJECTION"], &[("UNSAFE", Meaning::Harm)]).unwrap_err();
        assert!(
            error.contains("the classifier has SAFE, INJECTION"),
            "{error}"
        );
        assert!(of(&["SAFE", "BENIGN"], &[]).is_err());
    }
}
