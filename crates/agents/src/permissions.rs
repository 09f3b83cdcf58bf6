use std::collections::BTreeSet;

use crate::Risk;

/// What an agent may use. A hand-off never widens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Tools; `None` for all.
    pub tools: Option<BTreeSet<String>>,
    /// The highest class.
    pub max_risk: Risk,
    /// Calls that are left.
    pub steps: u32,
    /// Milliseconds that are left.
    pub time_ms: u64,
}

impl Permissions {
    /// Whether a call of `tool`, which is of class `risk`, is among them.
    #[must_use]
    pub fn allow(&self, tool: &str, risk: Risk) -> bool {
        risk <= self.max_risk
            && self.steps > 0
            && self.time_ms > 0
            && self.tools.as_ref().is_none_or(|tools| tools.contains(tool))
    }

    /// What an agent with `own` permissions may do on behalf of this one: what both may.
    #[must_use]
    pub fn hand_off(&self, own: &Self) -> Self {
        let tools = match (&self.tools, &own.tools) {
            (None, tools) | (tools, None) => tools.clone(),
            (Some(left), Some(right)) => Some(left.intersection(right).cloned().collect()),
        };
        Self {
            tools,
            max_risk: self.max_risk.min(own.max_risk),
            steps: self.steps.min(own.steps),
            time_ms: self.time_ms.min(own.time_ms),
        }
    }
}

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A step calls what the agent may not use.
    #[error("step {step} calls a tool that is not open to this agent")]
    NotPermitted {
        /// The step, from 1.
        step: usize,
    },
    /// More steps than are left.
    #[error("the plan has {steps} steps and {left} are left")]
    TooLong {
        /// Steps of the plan.
        steps: usize,
        /// Steps that are left.
        left: u32,
    },
}

/// Checks a declared plan, a list of tools with their classes, before its first step.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_plan(permissions: &Permissions, plan: &[(&str, Risk)]) -> Result<(), PlanError> {
    if plan.len() > permissions.steps as usize {
        return Err(PlanError::TooLong {
            steps: plan.len(),
            left: permissions.steps,
        });
    }
    match plan
        .iter()
        .position(|(tool, risk)| !permissions.allow(tool, *risk))
    {
        Some(at) => Err(PlanError::NotPermitted { step: at + 1 }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn permissions() -> impl Strategy<Value = Permissions> {
        let risk = prop::sample::select(vec![Risk::Low, Risk::Medium, Risk::High, Risk::Critical]);
        let tools = prop::option::of(prop::collection::btree_set("[a-d]", 0..4));
        (tools, risk, 0_u32..3, 0_u64..3).prop_map(|(tools, max_risk, steps, time_ms)| {
            Permissions {
                tools,
                max_risk,
                steps,
                time_ms,
            }
        })
    }

    proptest! {
        #[test]
        fn ag_26_a_hand_off_allows_what_both_allow(a in permissions(), b in permissions()) {
            let both = a.hand_off(&b);
            for tool in ["a", "b", "c", "d"] {
                for risk in [Risk::Low, Risk::Medium, Risk::High, Risk::Critical] {
                    prop_assert_eq!(both.allow(tool, risk), a.allow(tool, risk) && b.allow(tool, risk));
                }
            }
        }
    }

    #[test]
    fn ag_16_a_plan_is_checked_before_its_first_step() {
        let permissions = Permissions {
            tools: Some(["read".to_owned(), "send".to_owned()].into()),
            max_risk: Risk::Low,
            steps: 2,
            time_ms: 1,
        };
        let read = ("read", Risk::Low);
        assert_eq!(check_plan(&permissions, &[read, read]), Ok(()));
        assert_eq!(
            check_plan(&permissions, &[read, ("send", Risk::High)]),
            Err(PlanError::NotPermitted { step: 2 })
        );
        assert_eq!(
            check_plan(&permissions, &[read, read, read]),
            Err(PlanError::TooLong { steps: 3, left: 2 })
        );
    }
}
