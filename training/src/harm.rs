//! What the harm sets say, in the terms of the heads.

pub(crate) use bartizan_classify::{HARMS, Harm};

/// Per head: 1 it is, 0 it is not, -1 nobody said.
pub(crate) fn labels(
    source: &str,
    label: &str,
    category: &str,
    categories: &[String],
) -> [i8; HARMS] {
    let mut heads = [-1; HARMS];
    let mut set = |harm: Harm, value: i8| heads[harm as usize] = value;
    match (source, label) {
        (_, "safe") => return [0; HARMS],
        ("openai_moderation_eval", _) => {
            let has = |names: &[&str]| categories.iter().any(|c| names.contains(&c.as_str()));
            let one = |names: &[&str]| i8::from(has(names));
            set(Harm::Sexual, one(&["S", "S3"]));
            set(Harm::Violence, one(&["V", "V2"]));
            set(Harm::Hate, one(&["H", "H2"]));
            set(Harm::SelfHarm, one(&["SH"]));
            set(Harm::Harassment, one(&["HR"]));
            if has(&["H", "H2", "HR"]) {
                set(Harm::Toxic, 1);
            } else if label == "not_toxic" {
                for harm in [Harm::Toxic, Harm::Dangerous, Harm::Illegal, Harm::Request] {
                    set(harm, 0);
                }
            }
        }
        ("surge_toxicity", _) => {
            set(Harm::Toxic, i8::from(label == "toxic"));
            if label == "not_toxic" {
                return [0; HARMS];
            }
        }
        _ => {
            set(Harm::Request, 1);
            set(Harm::Toxic, 0);
            if let Some(harm) = named(category) {
                for other in [
                    Harm::Sexual,
                    Harm::Violence,
                    Harm::Hate,
                    Harm::SelfHarm,
                    Harm::Dangerous,
                    Harm::Illegal,
                    Harm::Harassment,
                ] {
                    set(other, i8::from(other == harm));
                }
            }
        }
    }
    heads
}

/// The head that a set's own category belongs to.
fn named(category: &str) -> Option<Harm> {
    Some(match category {
        "Adult Content" | "Sexual content" | "Sexual/Adult content" => Harm::Sexual,
        "Physical Harm" | "Physical harm" | "Violence" => Harm::Violence,
        "Hate, harassment and discrimination" | "Hate/Harass/Violence" => Harm::Hate,
        "harassment_bullying" | "Harassment/Discrimination" => Harm::Harassment,
        "Malware Viruses" | "Malware/Hacking" | "cybercrime_intrusion" | "chemical_biological" => {
            Harm::Dangerous
        }
        "Illegal Activity"
        | "Fraud/Deception"
        | "illegal"
        | "Economic Harm"
        | "Economic harm"
        | "Illegal goods and services"
        | "Non-violent crimes" => Harm::Illegal,
        _ => return None,
    })
}
