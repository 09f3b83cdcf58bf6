use std::fmt;

use bartizan_core::Severity;
use serde::{Serialize, Serializer};

/// A kind of attack or of control, with what it is called elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub struct FamilyInfo {
    /// Stable id, `area.kebab-name`.
    pub id: &'static str,
    /// What its tests do, in one line: lower case, no full stop.
    pub title: &'static str,
    /// Whether its texts should be stopped.
    pub kind: FamilyKind,
    /// How bad it is if a test of it reaches its goal.
    pub severity: Severity,
    /// OWASP Top 10 for LLM Applications 2025.
    pub owasp: &'static [&'static str],
    /// MITRE ATLAS techniques.
    pub atlas: &'static [&'static str],
}

/// What should happen to a family's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FamilyKind {
    /// They should be stopped.
    Attack,
    /// They should pass: what is stopped here is over-refusal.
    Control,
    /// Two texts that should be treated alike.
    Pair,
}

/// A family by reference; compares and prints by its id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Family(&'static FamilyInfo);

impl Family {
    /// Every family, in the order of reports.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        FAMILIES.iter().map(Self)
    }

    /// The family of that id.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::all().find(|family| family.id == id)
    }

    /// Its place in [`Self::all`].
    #[must_use]
    pub fn number(self) -> usize {
        FAMILIES
            .iter()
            .position(|info| info.id == self.0.id)
            .unwrap_or(FAMILIES.len())
    }

    /// Whether its texts should be stopped.
    #[must_use]
    pub fn is_attack(self) -> bool {
        self.0.kind == FamilyKind::Attack
    }
}

impl std::ops::Deref for Family {
    type Target = FamilyInfo;

    fn deref(&self) -> &FamilyInfo {
        self.0
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.id)
    }
}

const fn attack(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    owasp: &'static [&'static str],
    atlas: &'static [&'static str],
) -> FamilyInfo {
    FamilyInfo {
        id,
        title,
        kind: FamilyKind::Attack,
        severity,
        owasp,
        atlas,
    }
}

/// A control carries the ids of what it is the control of.
const fn control(
    id: &'static str,
    title: &'static str,
    kind: FamilyKind,
    owasp: &'static [&'static str],
    atlas: &'static [&'static str],
) -> FamilyInfo {
    FamilyInfo {
        id,
        title,
        kind,
        severity: Severity::Low,
        owasp,
        atlas,
    }
}

const INJECTION: &[&str] = &["LLM01:2025"];
const DIRECT: &[&str] = &["AML.T0051.000"];
const INDIRECT: &[&str] = &["AML.T0051.001"];
const JAILBREAK: &[&str] = &["AML.T0054"];
/// External harms (AML.T0048), of which .002 is societal and .003 to users.
const HARMS: &[&str] = &["AML.T0048.003"];

#[rustfmt::skip]
static FAMILIES: [FamilyInfo; 37] = [
    attack("injection.direct", "overrides the application's instructions outright", Severity::High, INJECTION, DIRECT),
    attack("injection.goal-hijack", "replaces the application's task with another", Severity::High, INJECTION, DIRECT),
    attack("injection.fake-roles", "imitates the marks that set roles apart", Severity::High, INJECTION, DIRECT),
    attack("injection.encoded", "asks to decode a text and to follow it", Severity::High, INJECTION, DIRECT),
    attack("injection.multilingual", "overrides instructions in another language", Severity::High, INJECTION, DIRECT),
    attack("injection.indirect", "gives orders from a document or a page", Severity::High, INJECTION, INDIRECT),
    attack("injection.image-text", "gives orders from the text of a picture or its metadata", Severity::High, INJECTION, INDIRECT),
    attack("jailbreak.persona", "a persona without rules, such as DAN", Severity::High, INJECTION, JAILBREAK),
    attack("jailbreak.role-play", "a scene in which a character answers what the model would not", Severity::High, INJECTION, JAILBREAK),
    attack("jailbreak.developer-mode", "an invented mode in which rules are off", Severity::High, INJECTION, JAILBREAK),
    attack("jailbreak.hypothetical", "fiction and thought experiments as a pretext", Severity::Medium, INJECTION, JAILBREAK),
    attack("jailbreak.authority", "an invented right to an answer", Severity::High, INJECTION, JAILBREAK),
    attack("jailbreak.prefix", "forces how the answer begins, and forbids refusals", Severity::High, INJECTION, JAILBREAK),
    attack("jailbreak.emotional", "pity, guilt, or threats as a lever", Severity::Medium, INJECTION, JAILBREAK),
    attack("jailbreak.inversion", "asks for the opposite, or for what not to do", Severity::Medium, INJECTION, JAILBREAK),
    attack("jailbreak.decomposition", "a request in harmless pieces", Severity::Medium, INJECTION, JAILBREAK),
    attack("jailbreak.encoding", "a request in code or cipher", Severity::High, INJECTION, JAILBREAK),
    attack("jailbreak.escalation", "small steps over several turns", Severity::High, INJECTION, JAILBREAK),
    attack("jailbreak.many-shot", "invented examples in which the model obeys", Severity::High, INJECTION, JAILBREAK),
    attack("extraction.system-prompt", "asks for the instructions that the model was given", Severity::Medium, &["LLM07:2025"], &["AML.T0056"]),
    attack("extraction.training-data", "asks for texts that the model was trained on", Severity::Medium, &["LLM02:2025"], &["AML.T0057"]),
    attack("leak.system-prompt", "an answer that repeats the instructions", Severity::High, &["LLM07:2025"], &["AML.T0056"]),
    attack("leak.personal-data", "an answer with a person's data", Severity::High, &["LLM02:2025"], &["AML.T0057"]),
    attack("leak.secret", "an answer with a key or password", Severity::High, &["LLM02:2025"], &["AML.T0057"]),
    attack("agent.tool-abuse", "makes an agent call a tool that it should not call", Severity::High, &["LLM06:2025"], &["AML.T0053"]),
    attack("agent.tool-poisoning", "gives orders from the description of a tool", Severity::High, &["LLM06:2025", "LLM03:2025"], &["AML.T0053", "AML.T0051.001"]),
    attack("agent.exfiltration", "makes an agent carry data out", Severity::High, &["LLM06:2025", "LLM02:2025"], &["AML.T0053", "AML.T0057"]),
    attack("output.hazard", "an answer that is dangerous where it is shown or run", Severity::High, &["LLM05:2025"], &["AML.T0050"]),
    attack("amplification", "makes the model work without end", Severity::Medium, &["LLM10:2025"], &["AML.T0029"]),
    attack("harm.request", "asks plainly for help with harm", Severity::Medium, INJECTION, HARMS),
    attack("harm.toxicity", "asks for insults and hate", Severity::Medium, &["LLM09:2025"], HARMS),
    attack("imported", "from a file of the user, of no known family", Severity::Medium, INJECTION, DIRECT),
    control("bias.pair", "two texts that differ in a group of people only", FamilyKind::Pair, &["LLM09:2025"], &["AML.T0048.002"]),
    control("control.benign", "ordinary texts", FamilyKind::Control, INJECTION, DIRECT),
    control("control.hard-benign", "harmless texts that look like attacks", FamilyKind::Control, INJECTION, DIRECT),
    control("control.safe-contrast", "harmless questions with the words of harmful ones", FamilyKind::Control, INJECTION, HARMS),
    control("control.output", "harmless answers", FamilyKind::Control, &["LLM05:2025"], &["AML.T0050"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_told_apart_and_carry_their_ids() {
        for (number, family) in Family::all().enumerate() {
            assert_eq!(Family::named(family.id), Some(family));
            assert_eq!(family.number(), number);
            assert!(!family.owasp.is_empty() && !family.atlas.is_empty());
            assert!(
                family
                    .owasp
                    .iter()
                    .all(|id| id.starts_with("LLM") && id.ends_with(":2025"))
            );
            assert!(family.atlas.iter().all(|id| id.starts_with("AML.T")));
        }
        let jailbreaks = Family::all().filter(|family| family.id.starts_with("jailbreak."));
        assert!(jailbreaks.count() >= 7);
        assert_eq!(Family::named("jailbreak"), None);
    }
}
