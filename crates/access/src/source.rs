//! Policy files: read, checked against the schema, every mistake with its place.

use std::{collections::BTreeSet, str::FromStr as _};

use cedar_policy::{
    EntityTypeName, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator,
};
use miette::Diagnostic;

use crate::config::unknown;

/// Bytes of a policy file at most.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// A file of policies in the Cedar language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name, for messages.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// What is wrong with a policy file, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// Its line, from 1; 0 where it is unknown.
    pub line: u64,
    /// Its column in characters, from 1; 0 where it is unknown.
    pub column: u64,
    /// What is wrong; lower case, no full stop.
    pub message: String,
}

impl PolicyFile {
    /// Its policies under their `@id`, or the file's name and their number.
    pub(crate) fn read(
        &self,
        schema: &Schema,
        scopes: &[&str],
    ) -> Result<Vec<Policy>, Vec<Mistake>> {
        if self.text.len() > MAX_BYTES {
            let message = format!("has more than {MAX_BYTES} bytes");
            return Err(vec![self.mistake(None, message)]);
        }
        let set = PolicySet::from_str(&self.text).map_err(|errors| {
            let all = errors.iter();
            all.map(|error| self.told(error)).collect::<Vec<_>>()
        })?;
        let mut mistakes = Vec::new();
        if set.templates().next().is_some() {
            let message = "templates are not taken; name the principal and the resource";
            mistakes.push(self.mistake(self.text.find('?'), message.to_owned()));
        }
        let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        mistakes.extend(result.validation_errors().map(|error| self.told(error)));
        let mut policies: Vec<Policy> = set.policies().cloned().collect();
        policies.sort_by_key(|policy| number(policy.id()));
        let mut ids = BTreeSet::new();
        let mut named = Vec::with_capacity(policies.len());
        for (place, policy) in (1..).zip(&policies) {
            let id = policy
                .annotation("id")
                .filter(|id| !id.is_empty())
                .map_or_else(|| format!("{}#{place}", self.name), str::to_owned);
            if !ids.insert(id.clone()) {
                let message = format!("two policies have the id `{id}`; decisions name policies");
                mistakes.push(self.mistake(self.text.rfind(&id), message));
            }
            mistakes.extend(self.scopes_of(policy, scopes));
            named.push(policy.new_id(PolicyId::new(id)));
        }
        if mistakes.is_empty() {
            Ok(named)
        } else {
            // One fault is told once for each kind of resource that it is found with.
            mistakes.sort();
            mistakes.dedup_by_key(|mistake| (mistake.line, mistake.column));
            Err(mistakes)
        }
    }

    /// Scopes are a closed set, which the schema cannot say.
    fn scopes_of(&self, policy: &Policy, known: &[&str]) -> Vec<Mistake> {
        let Ok(scope) = EntityTypeName::from_str("Scope") else {
            return Vec::new();
        };
        let named = policy.entity_literals().into_iter();
        let named = named.filter(|entity| *entity.type_name() == scope);
        named
            .filter(|entity| !known.contains(&entity.id().unescaped()))
            .map(|entity| {
                let name = entity.id().unescaped();
                let at = self.text.find(&format!("Scope::\"{name}\""));
                self.mistake(at, unknown("scope", name, known.iter().copied()))
            })
            .collect()
    }

    fn told(&self, error: &(impl Diagnostic + ?Sized)) -> Mistake {
        let at = error
            .labels()
            .and_then(|mut labels| labels.next())
            .map(|label| label.offset());
        let mut message = error.to_string();
        if let Some(id) = message.strip_prefix("for policy `")
            && let Some((_, rest)) = id.split_once("`, ")
        {
            // The number of the policy, which the place says better.
            message = rest.to_owned();
        }
        if let Some(help) = error.help() {
            message = format!("{message}; hint: {help}");
        }
        self.mistake(at, message)
    }

    fn mistake(&self, at: Option<usize>, message: String) -> Mistake {
        let before = at.and_then(|at| self.text.get(..at));
        let (line, column) = before.map_or((0, 0), |before| {
            let start = before.rfind('\n').map_or(0, |at| at + 1);
            let column = before.get(start..).unwrap_or_default().chars().count();
            (before.matches('\n').count() as u64 + 1, column as u64 + 1)
        });
        Mistake {
            file: self.name.clone(),
            line,
            column,
            message,
        }
    }
}

/// The parser numbers policies `policy0`, `policy1`, ...
fn number(id: &PolicyId) -> usize {
    let text: &str = id.as_ref();
    text.trim_start_matches("policy")
        .parse()
        .unwrap_or(usize::MAX)
}
