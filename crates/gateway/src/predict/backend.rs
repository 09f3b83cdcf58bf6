use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DType, Tensor};
use crate::fault::{Fault, FaultKind};

/// A model that scores rows.
pub trait ModelBackend: Send + Sync + 'static {
    /// One list of scores per row of `input`, all of the same length.
    ///
    /// # Errors
    /// When the model cannot be reached or answers with what cannot be used.
    fn predict<'a>(&'a self, input: &'a Tensor) -> BoxFuture<'a, Result<Scores, Fault>>;

    /// Whether it would answer now.
    fn is_ready(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { true })
    }

    /// Whether it is the built-in model that only shows how it works.
    fn is_demonstration(&self) -> bool {
        false
    }
}

/// What a model says about rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Scores {
    /// A probability per class, one list per row.
    Classes(Vec<Vec<f64>>),
    /// Numbers that are no probabilities, one list per row.
    Values(Vec<Vec<f64>>),
}

/// Posts JSON to a configured upstream; implemented over the upstream client, which knows the
/// address, bounds time and size, and keeps credentials.
pub trait PostJson: Send + Sync + 'static {
    /// The body of a successful answer.
    ///
    /// # Errors
    /// Any other outcome, without the upstream's words.
    fn post<'a>(
        &'a self,
        upstream: &'a str,
        path: &'a str,
        body: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, Fault>>;

    /// Whether the upstream would answer now.
    fn is_ready<'a>(&'a self, upstream: &'a str) -> BoxFuture<'a, bool> {
        let _ = upstream;
        Box::pin(async { true })
    }
}

/// The protocol that an upstream speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Open Inference Protocol, `POST /v2/models/{model}/infer`: KServe, Triton, MLServer.
    #[default]
    OpenInference,
    /// TensorFlow Serving, `POST /v1/models/{model}:predict`.
    TensorflowServing,
    /// `POST /predict` with `features`, answering `predictions` or `probabilities`.
    Plain,
}

/// A model behind an upstream.
pub struct UpstreamModel {
    post: Arc<dyn PostJson>,
    upstream: String,
    model: String,
    protocol: Protocol,
}

/// Most classes or values per row.
const MOST_SCORES: usize = 100_000;

impl UpstreamModel {
    /// The model of that name behind `upstream`.
    #[must_use]
    pub fn new(
        post: Arc<dyn PostJson>,
        upstream: impl Into<String>,
        model: impl Into<String>,
        protocol: Protocol,
    ) -> Self {
        Self {
            post,
            upstream: upstream.into(),
            model: model.into(),
            protocol,
        }
    }

    fn path(&self) -> String {
        let model = &self.model;
        match self.protocol {
            Protocol::OpenInference => format!("/v2/models/{model}/infer"),
            Protocol::TensorflowServing => format!("/v1/models/{model}:predict"),
            Protocol::Plain => "/predict".to_owned(),
        }
    }

    fn body(&self, input: &Tensor) -> Value {
        let rows = || {
            input
                .iter()
                .map(|row| nested(row, input))
                .collect::<Vec<_>>()
        };
        match self.protocol {
            Protocol::OpenInference => {
                let mut shape = vec![input.rows()];
                shape.extend_from_slice(input.shape());
                let data: Vec<Value> = input.values().iter().map(|v| number(*v, input)).collect();
                json!({"inputs": [{
                    "name": "input-0",
                    "shape": shape,
                    "datatype": input.dtype().open_inference(),
                    "data": data,
                }]})
            }
            Protocol::TensorflowServing => json!({"instances": rows()}),
            Protocol::Plain => json!({"features": rows()}),
        }
    }

    fn scores(&self, answer: &Value, rows: usize) -> Option<Scores> {
        let lists = match self.protocol {
            Protocol::OpenInference => {
                let outputs = answer.get("outputs")?.as_array()?;
                let named = |output: &&Value| {
                    let name = output
                        .get("name")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    name.contains("prob") || name.contains("score")
                };
                let is_number = |output: &&Value| {
                    let kind = output.get("datatype").and_then(Value::as_str);
                    kind.is_some_and(|kind| !matches!(kind, "BYTES" | "BOOL"))
                };
                let output = outputs
                    .iter()
                    .find(named)
                    .or_else(|| outputs.iter().find(is_number))?;
                let mut flat = Vec::new();
                flatten(output.get("data")?, &mut flat)?;
                let width = flat.len().checked_div(rows)?;
                if width == 0 || flat.len() != width.checked_mul(rows)? {
                    return None;
                }
                flat.chunks_exact(width).map(<[f64]>::to_vec).collect()
            }
            Protocol::TensorflowServing => lists(answer.get("predictions")?)?,
            Protocol::Plain => lists(
                answer
                    .get("probabilities")
                    .or_else(|| answer.get("predictions"))?,
            )?,
        };
        classify(lists, rows)
    }
}

impl ModelBackend for UpstreamModel {
    fn predict<'a>(&'a self, input: &'a Tensor) -> BoxFuture<'a, Result<Scores, Fault>> {
        Box::pin(async move {
            let body = Bytes::from(self.body(input).to_string());
            let answer = self.post.post(&self.upstream, &self.path(), body).await?;
            serde_json::from_slice(&answer)
                .ok()
                .and_then(|answer| self.scores(&answer, input.rows()))
                .ok_or_else(|| {
                    Fault::new(
                        FaultKind::BadGateway,
                        "upstream-answer",
                        "the model answered with what cannot be used",
                    )
                })
        })
    }

    fn is_ready(&self) -> BoxFuture<'_, bool> {
        self.post.is_ready(&self.upstream)
    }
}

/// Scores that are within 0 and 1 and sum to 1 in every row are probabilities.
fn classify(lists: Vec<Vec<f64>>, rows: usize) -> Option<Scores> {
    let width = lists.first().map_or(0, Vec::len);
    let fits = lists.len() == rows
        && (1..=MOST_SCORES).contains(&width)
        && lists.iter().all(|list| list.len() == width)
        && lists.iter().flatten().all(|score| score.is_finite());
    if !fits {
        return None;
    }
    let is_distribution = |list: &Vec<f64>| {
        list.len() > 1
            && list
                .iter()
                .all(|score| (-1e-6..=1.0 + 1e-6).contains(score))
            && (list.iter().sum::<f64>() - 1.0).abs() < 1e-3
    };
    Some(if lists.iter().all(is_distribution) {
        Scores::Classes(lists)
    } else {
        Scores::Values(lists)
    })
}

fn lists(value: &Value) -> Option<Vec<Vec<f64>>> {
    value
        .as_array()?
        .iter()
        .map(|row| {
            let mut flat = Vec::new();
            flatten(row, &mut flat)?;
            Some(flat)
        })
        .collect()
}

fn flatten(value: &Value, out: &mut Vec<f64>) -> Option<()> {
    match value {
        Value::Number(number) => out.push(number.as_f64()?),
        Value::Array(items) => {
            for item in items {
                flatten(item, out)?;
            }
        }
        _ => return None,
    }
    (out.len() <= MOST_SCORES * 16).then_some(())
}

fn number(value: f64, input: &Tensor) -> Value {
    match input.dtype() {
        DType::Bool => Value::Bool(value != 0.0),
        DType::Float16 | DType::Float32 | DType::Float64 => json!(value),
        // Whole numbers to 2^53 by their type.
        _ => json!(value as i64),
    }
}

/// A flat row in the shape that the model takes.
fn nested(row: &[f64], input: &Tensor) -> Value {
    fn build(row: &[f64], shape: &[usize], input: &Tensor) -> Value {
        match shape.split_first() {
            None => row
                .first()
                .map_or(Value::Null, |value| number(*value, input)),
            Some((&length, inner)) => {
                let width = row.len().checked_div(length).unwrap_or(0).max(1);
                let items = row.chunks(width).map(|part| build(part, inner, input));
                Value::Array(items.collect())
            }
        }
    }
    build(row, input.shape(), input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::InputSpec;

    struct Answers(&'static str);

    impl PostJson for Answers {
        fn post<'a>(
            &'a self,
            _upstream: &'a str,
            _path: &'a str,
            _body: Bytes,
        ) -> BoxFuture<'a, Result<Bytes, Fault>> {
            Box::pin(async { Ok(Bytes::from_static(self.0.as_bytes())) })
        }
    }

    fn tensor() -> Tensor {
        let spec = InputSpec {
            shape: vec![1, 2],
            ..InputSpec::default()
        };
        spec.validate(b"[[[1, 2]], [[3, 4.5]]]").unwrap()
    }

    async fn check(protocol: Protocol, answer: &'static str, expected: Option<Scores>) {
        let model = UpstreamModel::new(Arc::new(Answers(answer)), "u", "m", protocol);
        let got = model.predict(&tensor()).await;
        match expected {
            Some(expected) => assert_eq!(got.unwrap(), expected),
            None => assert_eq!(got.unwrap_err().kind, FaultKind::BadGateway),
        }
    }

    #[tokio::test]
    async fn what_upstreams_answer() {
        let classes = || Some(Scores::Classes(vec![vec![0.25, 0.75], vec![0.5, 0.5]]));
        let values = || Some(Scores::Values(vec![vec![7.0], vec![8.0]]));
        check(
            Protocol::OpenInference,
            r#"{"model_name": "m", "outputs": [{"name": "label", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]}, {"name": "probabilities", "datatype": "FP32", "shape": [2, 2], "data": [0.25, 0.75, 0.5, 0.5]}]}"#,
            classes(),
        )
        .await;
        check(
            Protocol::TensorflowServing,
            r#"{"predictions": [[0.25, 0.75], [0.5, 0.5]]}"#,
            classes(),
        )
        .await;
        check(
            Protocol::TensorflowServing,
            r#"{"predictions": [7, 8]}"#,
            values(),
        )
        .await;
        check(Protocol::Plain, r#"{"predictions": [[7], [8]]}"#, values()).await;
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"predictions": [1]}"#,
            r#"{"predictions": [[1], [1, 2]]}"#,
            r#"{"predictions": ["a", "b"]}"#,
            r#"{"predictions": [[], []]}"#,
        ] {
            check(Protocol::Plain, bad, None).await;
        }
    }

    #[test]
    fn what_upstreams_are_asked() {
        let body = |protocol| {
            let post = Arc::new(Answers(""));
            UpstreamModel::new(post, "u", "m", protocol).body(&tensor())
        };
        assert_eq!(
            body(Protocol::OpenInference)["inputs"][0],
            json!({"name": "input-0", "shape": [2, 1, 2], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 4.5]})
        );
        assert_eq!(
            body(Protocol::TensorflowServing),
            json!({"instances": [[[1.0, 2.0]], [[3.0, 4.5]]]})
        );
    }
}
