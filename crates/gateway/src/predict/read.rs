//! A tensor is checked while it is read: a value that does not fit is never stored.

use super::{
    DType, FeatureRule, InputSpec, SpecError, Tensor,
    reader::{NotJson, Reader, Scalar},
};

/// Mistakes that are told at once; reading stops there.
const MOST_ERRORS: usize = 16;

/// Why an input is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is no JSON.
    NotJson(usize),
    /// It does not fit the specification.
    Spec(Vec<SpecError>),
}

impl From<NotJson> for Misfit {
    fn from(NotJson(at): NotJson) -> Self {
        Self::NotJson(at)
    }
}

impl From<SpecError> for Misfit {
    fn from(error: SpecError) -> Self {
        Self::Spec(vec![error])
    }
}

impl SpecError {
    pub(super) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
        }
    }
}

impl InputSpec {
    /// Reads rows from JSON: one row, or a list of rows. The library's door to the specification
    /// (`IF-26`).
    ///
    /// # Errors
    /// Every way in which the input does not fit, up to 16.
    pub fn validate(&self, json: &[u8]) -> Result<Tensor, Vec<SpecError>> {
        if json.len() > self.max_payload_bytes {
            let problem = format!("has more than {} bytes", self.max_payload_bytes);
            return Err(vec![SpecError::new("input", problem)]);
        }
        let mut reader = Reader::new(json);
        let read = self.read(&mut reader, "input");
        let read = read.and_then(|tensor| Ok(reader.end().map(|()| tensor)?));
        read.map_err(|misfit| match misfit {
            Misfit::Spec(errors) => errors,
            Misfit::NotJson(at) => {
                vec![SpecError::new("input", format!("is no JSON at byte {at}"))]
            }
        })
    }

    /// Reads one row, or a list of rows, that stands at `place`.
    pub(super) fn read(&self, reader: &mut Reader<'_>, place: &str) -> Result<Tensor, Misfit> {
        let rank = self.shape.len();
        let is_batch = reader.is_empty_list() || reader.lists_ahead() > rank;
        if is_batch {
            return self.read_batch(reader, place);
        }
        let mut pending = Pending::new(self, place);
        pending.read(reader, &self.shape)?;
        pending.finish(1)
    }

    /// Reads a list of rows that stands at `place`.
    pub(super) fn read_batch(
        &self,
        reader: &mut Reader<'_>,
        place: &str,
    ) -> Result<Tensor, Misfit> {
        let mut pending = Pending::new(self, place);
        let mut rows = 0;
        let is_list = reader.list(|number, reader| {
            if number >= self.max_batch {
                let problem = format!("has more than {} rows", self.max_batch);
                return Err(Misfit::from(SpecError::new(place, problem)));
            }
            rows = number + 1;
            pending.at(number, reader, &self.shape)
        })?;
        if !is_list {
            return Err(SpecError::new(place, "is not a list").into());
        }
        if rows == 0 && !self.allow_empty_batch {
            return Err(SpecError::new(place, "has no row").into());
        }
        pending.finish(rows)
    }

    /// Reads `rows` rows as one flat list.
    pub(super) fn read_flat(
        &self,
        reader: &mut Reader<'_>,
        place: &str,
        rows: usize,
    ) -> Result<Tensor, Misfit> {
        let mut pending = Pending::new(self, place);
        pending.read(reader, &[rows.saturating_mul(self.width())])?;
        pending.finish(rows)
    }

    /// What is wrong with one value, if anything is.
    fn problem(&self, scalar: Scalar, feature: usize) -> Result<f64, String> {
        let value = match scalar {
            Scalar::Bool(value) if self.dtype == DType::Bool => {
                return Ok(f64::from(u8::from(value)));
            }
            _ if self.dtype == DType::Bool => return Err("is neither true nor false".into()),
            Scalar::Number(value) if value.is_finite() => value,
            _ => return Err("is not a finite number".into()),
        };
        let (least, most, is_whole) = self.dtype.range();
        if is_whole && value.fract() != 0.0 {
            return Err("is not a whole number".into());
        }
        let rule = self.features.iter().find(|rule| rule.index == feature);
        within(value, Some(least), Some(most))?;
        within(value, self.min, self.max)?;
        match rule {
            Some(rule) => rule.check(value).map(|()| value),
            None => Ok(value),
        }
    }

    /// Every mistake in the specification itself: the key, and what is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        let width = self.width();
        if width == 0 || width > 16 << 20 {
            mistakes.push((
                "shape",
                "a row must have from 1 to 16,777,216 values".into(),
            ));
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            mistakes.push(("max", format!("`{max}` is below `min`")));
        }
        if [self.min, self.max].into_iter().flatten().any(f64::is_nan) {
            mistakes.push(("min", "`NaN` is no bound".into()));
        }
        if self.max_payload_bytes == 0 {
            mistakes.push(("max-payload-bytes", "must be at least 1".into()));
        }
        if self.max_batch == 0 {
            mistakes.push(("max-batch", "must be at least 1".into()));
        }
        for rule in &self.features {
            if rule.index >= width {
                let message = format!("there is no feature {}, a row has {width}", rule.index);
                mistakes.push(("features", message));
            }
        }
        mistakes
    }
}

impl FeatureRule {
    fn check(&self, value: f64) -> Result<(), String> {
        let checked = if self.integer && value.fract() != 0.0 {
            Err("is not a whole number".to_owned())
        } else if !(self.one_of.is_empty() || self.one_of.contains(&value)) {
            Err("is none of the values that it may take".to_owned())
        } else {
            within(value, self.min, self.max)
        };
        checked.map_err(|problem| {
            if self.name.is_empty() {
                problem
            } else {
                format!("(`{}`) {problem}", self.name)
            }
        })
    }
}

fn within(value: f64, min: Option<f64>, max: Option<f64>) -> Result<(), String> {
    match (min, max) {
        (Some(min), _) if value < min => Err(format!("is below the minimum of {min}")),
        (_, Some(max)) if value > max => Err(format!("is above the maximum of {max}")),
        _ => Ok(()),
    }
}

impl DType {
    /// Least and largest value, and whether it is whole.
    const fn range(self) -> (f64, f64, bool) {
        const SAFE: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Bool => (0.0, 1.0, true),
            Self::Int8 => (-128.0, 127.0, true),
            Self::Int16 => (-32_768.0, 32_767.0, true),
            Self::Int32 => (-2_147_483_648.0, 2_147_483_647.0, true),
            Self::Int64 => (-SAFE, SAFE, true),
            Self::UInt8 => (0.0, 255.0, true),
            Self::UInt16 => (0.0, 65_535.0, true),
            Self::UInt32 => (0.0, 4_294_967_295.0, true),
            Self::UInt64 => (0.0, SAFE, true),
            Self::Float16 => (-65_504.0, 65_504.0, false),
            Self::Float32 => (f32::MIN as f64, f32::MAX as f64, false),
            Self::Float64 => (f64::MIN, f64::MAX, false),
        }
    }

    /// The name in the Open Inference Protocol.
    #[must_use]
    pub const fn open_inference(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::UInt8 => "UINT8",
            Self::UInt16 => "UINT16",
            Self::UInt32 => "UINT32",
            Self::UInt64 => "UINT64",
            Self::Float16 => "FP16",
            Self::Float32 => "FP32",
            Self::Float64 => "FP64",
        }
    }
}

/// A tensor in the making.
struct Pending<'s> {
    spec: &'s InputSpec,
    place: String,
    width: usize,
    values: Vec<f64>,
    /// Values read so far, stored or not.
    seen: usize,
    errors: Vec<SpecError>,
}

impl<'s> Pending<'s> {
    fn new(spec: &'s InputSpec, place: &str) -> Self {
        Self {
            spec,
            place: place.to_owned(),
            width: spec.width().max(1),
            values: Vec::new(),
            seen: 0,
            errors: Vec::new(),
        }
    }

    /// Reads the value with that number in the list at the current place.
    fn at(
        &mut self,
        number: usize,
        reader: &mut Reader<'_>,
        shape: &[usize],
    ) -> Result<(), Misfit> {
        let outer = self.place.len();
        self.place.push_str(&format!("[{number}]"));
        let read = self.read(reader, shape);
        self.place.truncate(outer);
        read
    }

    fn read(&mut self, reader: &mut Reader<'_>, shape: &[usize]) -> Result<(), Misfit> {
        let Some((&length, inner)) = shape.split_first() else {
            return self.value(reader);
        };
        let mut count = 0;
        let is_list = reader.list(|number, reader| {
            count = number + 1;
            if number < length {
                return self.at(number, reader, inner);
            }
            if number == length {
                let place = format!("{}[{number}]", self.place);
                self.error(place, "is one too many")?;
            }
            reader.scalar()?;
            Ok(())
        })?;
        if !is_list {
            reader.scalar()?;
            let place = self.place.clone();
            return self.error(place, "is not a list");
        }
        if count < length {
            let place = format!("{}[{count}]", self.place);
            self.error(place, "is missing")?;
        }
        Ok(())
    }

    fn value(&mut self, reader: &mut Reader<'_>) -> Result<(), Misfit> {
        let feature = self.seen % self.width;
        self.seen += 1;
        match self.spec.problem(reader.scalar()?, feature) {
            // What cannot become a tensor any more is looked at, but not kept.
            Ok(value) if self.errors.is_empty() => self.values.push(value),
            Ok(_) => {}
            Err(problem) => {
                let place = self.place.clone();
                self.error(place, problem)?;
            }
        }
        Ok(())
    }

    fn error(&mut self, place: String, problem: impl Into<String>) -> Result<(), Misfit> {
        self.values = Vec::new();
        self.errors.push(SpecError::new(place, problem));
        if self.errors.len() >= MOST_ERRORS {
            return Err(Misfit::Spec(std::mem::take(&mut self.errors)));
        }
        Ok(())
    }

    fn finish(self, rows: usize) -> Result<Tensor, Misfit> {
        if !self.errors.is_empty() {
            return Err(Misfit::Spec(self.errors));
        }
        Ok(Tensor {
            values: self.values,
            rows,
            shape: self.spec.shape.clone(),
            dtype: self.spec.dtype,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(spec: &InputSpec, json: &str, expected: &str) {
        let told = match spec.validate(json.as_bytes()) {
            Ok(tensor) => format!("{} of {:?}", tensor.rows(), tensor.shape()),
            Err(errors) => errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; "),
        };
        assert_eq!(told, expected, "{json}");
    }

    fn spec(shape: &[usize]) -> InputSpec {
        InputSpec {
            shape: shape.to_vec(),
            ..InputSpec::default()
        }
    }

    #[test]
    fn rows_batches_and_deeper_shapes() {
        let flat = spec(&[2]);
        check(&flat, "[1, -2.5]", "1 of [2]");
        check(&flat, "[[1, 2], [3, 4]]", "2 of [2]");
        check(&flat, "[[1, 2], [3]]", "`input[1][1]` is missing");
        check(
            &flat,
            "[[1, 2], [3, 4, 5, 6]]",
            "`input[1][2]` is one too many",
        );
        check(&flat, "[[1, 2], 3]", "`input[1]` is not a list");
        check(&flat, "[1, [2]]", "`input[1]` is not a finite number");
        check(&flat, "{}", "`input` is not a list");
        check(&flat, "[1, 2] x", "`input` is no JSON at byte 7");
        let deep = spec(&[2, 2]);
        check(&deep, "[[1, 2], [3, 4]]", "1 of [2, 2]");
        check(&deep, "[[[1, 2], [3, 4]]]", "1 of [2, 2]");
        check(
            &deep,
            "[[[1, 2], [3, 4000]]]",
            "`input[0][1][1]` is above the maximum of 1000",
        );
        check(&spec(&[]), "7", "1 of []");
        check(&spec(&[]), "[7, 8]", "2 of []");
    }

    /// What S4's validator raised over, let through, or looked at too late.
    #[test]
    fn ws_53_input_validator() {
        let flat = spec(&[2]);
        check(&flat, r#"["a", 1]"#, "`input[0]` is not a finite number");
        check(
            &flat,
            r#"["a", {"b": 1}]"#,
            "`input[0]` is not a finite number; `input[1]` is not a finite number",
        );
        check(
            &flat,
            r#"[["a"], [null]]"#,
            "`input[0][0]` is not a finite number; `input[0][1]` is missing; `input[1][0]` is not a finite number; `input[1][1]` is missing",
        );
        check(&flat, "[]", "`input` has no row");
        check(&flat, "[[], [1, 2]]", "`input[0][0]` is missing");
        check(
            &flat,
            "[NaN, Infinity]",
            "`input[0]` is not a finite number; `input[1]` is not a finite number",
        );
        check(
            &flat,
            "[1e400, -1e400]",
            "`input[0]` is not a finite number; `input[1]` is not a finite number",
        );
        let open = InputSpec {
            allow_empty_batch: true,
            ..flat.clone()
        };
        check(&open, "[]", "0 of [2]");
        let small = InputSpec {
            max_payload_bytes: 10,
            ..flat.clone()
        };
        check(&small, "[1, 2, 3, 4]", "`input` has more than 10 bytes");
        let few = InputSpec {
            max_batch: 2,
            ..flat
        };
        check(
            &few,
            "[[1, 2], [1, 2], [1, 2]]",
            "`input` has more than 2 rows",
        );
    }

    #[test]
    fn types_and_rules_of_features() {
        let with = |dtype| InputSpec {
            dtype,
            min: None,
            max: None,
            ..spec(&[1])
        };
        check(&with(DType::UInt8), "[255]", "1 of [1]");
        check(
            &with(DType::UInt8),
            "[256]",
            "`input[0]` is above the maximum of 255",
        );
        check(
            &with(DType::Int8),
            "[1.5]",
            "`input[0]` is not a whole number",
        );
        check(&with(DType::Bool), "[true]", "1 of [1]");
        check(
            &with(DType::Bool),
            "[1]",
            "`input[0]` is neither true nor false",
        );
        check(
            &with(DType::Float32),
            "[true]",
            "`input[0]` is not a finite number",
        );
        check(
            &with(DType::Float16),
            "[70000]",
            "`input[0]` is above the maximum of 65504",
        );
        assert!(with(DType::Float32).validate(b"[1e39]").is_err());
        assert!(with(DType::Float64).validate(b"[1e39]").is_ok());
        let ruled = InputSpec {
            features: vec![
                FeatureRule {
                    index: 1,
                    name: "age".into(),
                    min: Some(0.0),
                    max: Some(120.0),
                    integer: true,
                    ..FeatureRule::default()
                },
                FeatureRule {
                    index: 0,
                    one_of: vec![0.0, 1.0],
                    ..FeatureRule::default()
                },
            ],
            ..spec(&[2])
        };
        check(&ruled, "[1, 40]", "1 of [2]");
        check(
            &ruled,
            "[2, 40.5]",
            "`input[0]` is none of the values that it may take; `input[1]` (`age`) is not a whole number",
        );
        check(
            &ruled,
            "[[1, 40], [0, 121]]",
            "`input[1][1]` (`age`) is above the maximum of 120",
        );
    }

    #[test]
    fn a_specification_is_checked_too() {
        let keys = |spec: &InputSpec| {
            spec.check()
                .into_iter()
                .map(|(key, _)| key)
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(&InputSpec::default()), Vec::<&str>::new());
        let bad = InputSpec {
            shape: vec![0],
            min: Some(2.0),
            max: Some(1.0),
            max_batch: 0,
            max_payload_bytes: 0,
            features: vec![FeatureRule::default()],
            ..InputSpec::default()
        };
        assert_eq!(
            keys(&bad),
            ["shape", "max", "max-payload-bytes", "max-batch", "features"]
        );
        assert_eq!(spec(&[usize::MAX, 2]).check().len(), 1);
    }

    proptest! {
        #[test]
        fn what_is_read_fits(rows in 1_usize..4, values in proptest::collection::vec(-2000.0..2000.0_f64, 12)) {
            let spec = spec(&[3]);
            let batch: Vec<&[f64]> = values.chunks_exact(3).take(rows).collect();
            let json = serde_json::to_vec(&batch).unwrap();
            let fits = batch.iter().copied().flatten().all(|value| value.abs() <= 1000.0);
            match spec.validate(&json) {
                Ok(tensor) => {
                    prop_assert!(fits);
                    prop_assert_eq!(tensor.rows(), rows);
                    prop_assert_eq!(tensor.values(), &values[..rows * 3]);
                }
                Err(_) => prop_assert!(!fits),
            }
        }

        #[test]
        fn never_panics(text in r#"[\[\]{},0-9.NaeE"-]{0,40}"#) {
            let _ = spec(&[2]).validate(text.as_bytes());
        }
    }
}
