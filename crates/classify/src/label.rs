//! What the heads look for.

/// Kinds of harm.
pub const HARMS: usize = 9;

/// A kind of harm that a head looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Harm {
    /// Sexual content.
    Sexual,
    /// Violence and physical harm.
    Violence,
    /// Hate against a group.
    Hate,
    /// Suicide and self-harm.
    SelfHarm,
    /// Harassment of a person.
    Harassment,
    /// Weapons, poisons, and malware.
    Dangerous,
    /// Fraud, theft, and other crime.
    Illegal,
    /// Insulting and obscene speech.
    Toxic,
    /// A request for help with harm of any kind.
    Request,
}

impl Harm {
    /// Every kind, in the order of the heads.
    pub const ALL: [Self; HARMS] = [
        Self::Sexual,
        Self::Violence,
        Self::Hate,
        Self::SelfHarm,
        Self::Harassment,
        Self::Dangerous,
        Self::Illegal,
        Self::Toxic,
        Self::Request,
    ];

    /// The name used in rule ids and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sexual => "sexual",
            Self::Violence => "violence",
            Self::Hate => "hate",
            Self::SelfHarm => "self-harm",
            Self::Harassment => "harassment",
            Self::Dangerous => "dangerous",
            Self::Illegal => "illegal",
            Self::Toxic => "toxic",
            Self::Request => "harmful-request",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_heads_is_the_order_of_the_kinds() {
        for (at, harm) in Harm::ALL.into_iter().enumerate() {
            assert_eq!(harm as usize, at);
        }
    }
}
