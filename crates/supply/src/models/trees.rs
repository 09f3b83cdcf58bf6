//! XGBoost's models as JSON: trees whose parts must fit each other.

use bartizan_core::CheckError;
use bartizan_formats::Json;

use super::rules::BROKEN;
use crate::Desk;

/// Whether a value is such a model.
pub(super) fn is_xgboost(json: &Json) -> bool {
    json.get("learner")
        .is_some_and(|learner| learner.get("gradient_booster").is_some())
}

/// Weighs every tree: arrays as long as its nodes, children that are nodes.
pub(super) fn xgboost(json: &Json, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let params = json
        .get("learner")
        .and_then(|learner| learner.get("learner_model_param"));
    let mut wrong = None;
    for key in ["num_feature", "num_class", "num_target"] {
        let text = params.and_then(|params| params.text(key));
        if text.is_some_and(|text| text.parse::<u32>().is_err()) {
            wrong = Some("a count of the model is no count");
        }
    }
    json.visit(&mut |_, value| {
        if value.get("left_children").is_some() {
            wrong = wrong.or(fault(value));
        }
    });
    match wrong {
        Some(what) => desk.report(&BROKEN, None, what),
        None => Ok(()),
    }
}

fn fault(tree: &Json) -> Option<&'static str> {
    let count = tree
        .get("tree_param")
        .and_then(|param| param.text("num_nodes"));
    let count = count.and_then(|count| count.parse::<usize>().ok());
    let Some(count) = count else {
        return Some("a tree does not say how many nodes it has");
    };
    for key in [
        "left_children",
        "right_children",
        "split_indices",
        "split_conditions",
        "parents",
    ] {
        if tree.get(key).map(|array| array.items().len()) != Some(count) {
            return Some("a tree's arrays do not fit its nodes");
        }
    }
    for key in ["left_children", "right_children"] {
        for child in tree.get(key).map_or(&[][..], Json::items) {
            let is_node = match child {
                Json::Integer(-1) => true,
                Json::Integer(child) => {
                    usize::try_from(*child).is_ok_and(|child| child < count && child > 0)
                }
                _ => false,
            };
            if !is_node {
                return Some("a tree's branch leads to no node");
            }
        }
    }
    goes_round(tree, count).then_some("a tree's branches go round in a circle or meet")
}

/// Whether a node can be reached from the root in two ways.
fn goes_round(tree: &Json, count: usize) -> bool {
    let mut seen = vec![false; count];
    let mut queue = vec![0_usize];
    while let Some(node) = queue.pop() {
        let Some(seen) = seen.get_mut(node) else {
            continue;
        };
        if std::mem::replace(seen, true) {
            return true;
        }
        for key in ["left_children", "right_children"] {
            let child = tree.get(key).and_then(|array| array.items().get(node));
            if let Some(child) = child.and_then(Json::as_u64) {
                queue.extend(usize::try_from(child));
            }
        }
    }
    false
}
