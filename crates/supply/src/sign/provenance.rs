use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Statement, Subject, VerifyError};

/// The predicate of SLSA provenance 1.0.
const PREDICATE: &str = "https://slsa.dev/provenance/v1";

/// What `externalParameters` and `internalParameters` mean here (SLSA 1.0, "buildType").
const BUILD_TYPE: &str =
    "https://github.com/bartizan/bartizan/docs/src/guides/signing.md#provenance";

/// The fields of a record, under the names that people know from model registries.
pub const PROVENANCE_FIELDS: [&str; 17] = [
    "model_name",
    "model_version",
    "model_hash",
    "framework",
    "training_data_hash",
    "training_data_uri",
    "code_commit",
    "code_repo",
    "training_started",
    "training_completed",
    "hyperparameters",
    "metrics",
    "dependencies",
    "environment",
    "author",
    "approvals",
    "notes",
];

/// How a model came to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// What the model is called.
    pub model_name: String,
    /// Its version.
    pub model_version: String,
    /// The SHA-256 that `bartizan hash` says about it, hexadecimal.
    pub model_hash: String,
    /// What trained it.
    pub framework: String,
    /// The SHA-256 that `bartizan hash` says about the data; empty if none was named.
    pub training_data_hash: String,
    /// Where the data came from.
    pub training_data_uri: String,
    /// The commit of the code.
    pub code_commit: String,
    /// Where the code is kept.
    pub code_repo: String,
    /// When the command started, RFC 3339.
    pub training_started: String,
    /// When it ended, RFC 3339.
    pub training_completed: String,
    /// What it was told.
    pub hyperparameters: Map<String, Value>,
    /// What it reached.
    pub metrics: Map<String, Value>,
    /// What was installed, as `name==version`.
    pub dependencies: Vec<String>,
    /// Where it ran: system, processor, command, runtime.
    pub environment: Map<String, Value>,
    /// Who ran it.
    pub author: String,
    /// Who agreed to it, and when.
    pub approvals: Vec<Value>,
    /// Anything else.
    pub notes: String,
}

/// What only the run itself knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// How it ended.
    pub exit_code: Option<i32>,
    /// What recorded it: name and version.
    pub recorder: String,
}

impl Provenance {
    /// The in-toto statement about the model, after SLSA provenance 1.0.
    #[must_use]
    pub fn to_statement(&self, facts: &RunFacts) -> Statement {
        let mut sources = Vec::new();
        if !self.code_commit.is_empty() {
            sources.push(json!({
                "digest": { "gitCommit": self.code_commit },
                "name": "code",
                "uri": self.code_repo,
            }));
        }
        if !self.training_data_hash.is_empty() || !self.training_data_uri.is_empty() {
            let mut data = json!({ "name": "training-data", "uri": self.training_data_uri });
            if let (Some(fields), false) =
                (data.as_object_mut(), self.training_data_hash.is_empty())
            {
                fields.insert(
                    "digest".to_owned(),
                    json!({ "sha256": self.training_data_hash }),
                );
            }
            sources.push(data);
        }
        let predicate = json!({
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "approvals": self.approvals,
                    "author": self.author,
                    "command": facts.command,
                    "framework": self.framework,
                    "hyperparameters": self.hyperparameters,
                    "modelName": self.model_name,
                    "modelVersion": self.model_version,
                    "notes": self.notes,
                },
                "internalParameters": {
                    "dependencies": self.dependencies,
                    "environment": self.environment,
                },
                "resolvedDependencies": sources,
            },
            "runDetails": {
                "builder": { "id": facts.recorder },
                "byproducts": [{
                    "annotations": { "exitCode": facts.exit_code, "metrics": self.metrics },
                    "name": "metrics",
                }],
                "metadata": {
                    "finishedOn": self.training_completed,
                    "startedOn": self.training_started,
                },
            },
        });
        let subject = Subject::sha256(&self.model_name, &self.model_hash);
        Statement::new(vec![subject], PREDICATE, predicate)
    }

    /// Reads a statement that was verified.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn from_statement(statement: &Statement) -> Result<Self, VerifyError> {
        if statement.predicate_type != PREDICATE {
            return Err(VerifyError::Predicate {
                found: statement.predicate_type.clone(),
                expected: PREDICATE,
            });
        }
        let [subject] = statement.subject.as_slice() else {
            return Err(VerifyError::Statement("it is not about exactly one model"));
        };
        let at = |path: &str| statement.predicate.pointer(path);
        let text = |path: &str| {
            at(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let map = |path: &str| {
            at(path)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let list = |path: &str| {
            at(path)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let sources = list("/buildDefinition/resolvedDependencies");
        let source = |name: &str, path: &str| {
            let named = |source: &&Value| source.get("name").and_then(Value::as_str) == Some(name);
            let source = sources.iter().find(named)?;
            source.pointer(path)?.as_str().map(str::to_owned)
        };
        let outside = "/buildDefinition/externalParameters";
        let inside = "/buildDefinition/internalParameters";
        Ok(Self {
            model_name: text(&format!("{outside}/modelName")),
            model_version: text(&format!("{outside}/modelVersion")),
            model_hash: subject.digest.get("sha256").cloned().unwrap_or_default(),
            framework: text(&format!("{outside}/framework")),
            training_data_hash: source("training-data", "/digest/sha256").unwrap_or_default(),
            training_data_uri: source("training-data", "/uri").unwrap_or_default(),
            code_commit: source("code", "/digest/gitCommit").unwrap_or_default(),
            code_repo: source("code", "/uri").unwrap_or_default(),
            training_started: text("/runDetails/metadata/startedOn"),
            training_completed: text("/runDetails/metadata/finishedOn"),
            hyperparameters: map(&format!("{outside}/hyperparameters")),
            metrics: map("/runDetails/byproducts/0/annotations/metrics"),
            dependencies: list(&format!("{inside}/dependencies"))
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            environment: map(&format!("{inside}/environment")),
            author: text(&format!("{outside}/author")),
            approvals: list(&format!("{outside}/approvals")),
            notes: text(&format!("{outside}/notes")),
        })
    }

    /// The seventeen fields as one flat object, in the order of [`PROVENANCE_FIELDS`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_comes_back() {
        let number = |name: &str| Map::from_iter([(name.to_owned(), json!(0.5))]);
        let record = Provenance {
            model_name: "m".to_owned(),
            model_version: "1".to_owned(),
            model_hash: "aa".to_owned(),
            framework: "torch".to_owned(),
            training_data_hash: "bb".to_owned(),
            training_data_uri: "s3://data".to_owned(),
            code_commit: "cc".to_owned(),
            code_repo: "https://example.com/r".to_owned(),
            training_started: "2026-01-01T00:00:00Z".to_owned(),
            training_completed: "2026-01-02T00:00:00Z".to_owned(),
            hyperparameters: number("lr"),
            metrics: number("f1"),
            dependencies: vec!["numpy==2.4.0".to_owned()],
            environment: number("load"),
            author: "a".to_owned(),
            approvals: vec![json!({ "by": "b" })],
            notes: "n".to_owned(),
        };
        let facts = RunFacts {
            command: vec!["train".to_owned()],
            exit_code: Some(0),
            recorder: "bartizan".to_owned(),
        };
        let statement = record.to_statement(&facts);
        let read = Statement::parse(&statement.to_json()).unwrap();
        assert_eq!(Provenance::from_statement(&read).unwrap(), record);
        let flat = record.to_json();
        for field in PROVENANCE_FIELDS {
            let value = flat.get(field).unwrap();
            assert_ne!(*value, json!(""), "{field}");
        }
        assert_eq!(flat.as_object().unwrap().len(), PROVENANCE_FIELDS.len());
    }
}
