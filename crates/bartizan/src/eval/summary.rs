//! From results to numbers.

use bartizan_core::{Category, Layer};
use bartizan_measure::{
    Bootstrap, Estimate, Interval, Ranking, Scores, delong, delong_paired, paired_difference,
};

use super::{
    Counting, Results, Rows, gates,
    judging::Judges,
    misses::Worst,
    results::{Column, Seeing},
    v1,
};
use crate::cli::Eval;

/// False-positive rates at which the recall is given.
const RATES: [f64; 3] = [0.001, 0.01, 0.05];

/// Bins of the reliability diagram.
const BINS: u32 = 10;

/// Points that are kept of a curve.
const POINTS: usize = 400;

/// Under what conditions the results came to be.
pub(crate) struct Setting<'a> {
    pub(crate) arguments: &'a Eval,
    pub(crate) counting: &'a Counting<'a>,
    pub(crate) judges: &'a Judges,
    pub(crate) rules_version: &'a str,
    /// What it is compared with: its name, its kind, and the version of its rules.
    pub(crate) against: Option<(&'a str, &'static str, &'a str)>,
    /// Rows that were not drawn.
    pub(crate) not_drawn: u64,
    pub(crate) jobs: usize,
    /// From the first row to the last, in nanoseconds.
    pub(crate) nanos: u64,
}

/// The numbers.
pub(crate) fn summarise(
    rows: &Rows<'_>,
    results: &Results,
    setting: &Setting<'_>,
) -> v1::Evaluation {
    let arguments = setting.arguments;
    let mut rates = RATES.to_vec();
    for &(rate, _) in &arguments.gates.min_recall_at {
        if !rates.contains(&rate) {
            rates.push(rate);
        }
    }
    rates.sort_by(f64::total_cmp);
    let numbers = Numbers {
        results,
        rates,
        bootstrap: Bootstrap {
            replicates: arguments.bootstrap,
            seed: arguments.seed,
        },
    };
    let first = results.scores(&results.first.whole);
    let mut stack = numbers.detector("stack", &results.first.whole, &first);
    numbers.add_intervals(&mut stack, &first);
    let against = setting.against.zip(results.second.as_ref());
    let against =
        against.map(|(other, second)| numbers.comparison(setting, other, &stack, &first, second));
    let confusion = results.confusion(&results.first.whole);
    let [incomplete_positives, incomplete_negatives] = results.incomplete;
    let unusable = rows.unusable();
    let gates = gates::judged(&arguments.gates, &stack);
    v1::Evaluation {
        version: 1,
        tool: v1::Tool {
            name: "bartizan",
            version: env!("CARGO_PKG_VERSION"),
        },
        policy_version: setting.judges.judge.policy().version().to_owned(),
        rules_version: setting.rules_version.to_owned(),
        complete: unusable == 0 && incomplete_positives + incomplete_negatives == 0,
        passed: gates.iter().all(|gate| gate.passed),
        setting: conditions(setting),
        files: files(rows),
        rows: v1::Rows {
            evaluated: results.len() as u64,
            positives: confusion.positives(),
            negatives: confusion.negatives(),
            not_drawn: setting.not_drawn,
            unusable,
            incomplete_positives,
            incomplete_negatives,
        },
        unusable: lost(rows),
        labels: numbers.labels(rows),
        layers: numbers.layers(&results.first),
        stack,
        silent_layers: results.first.silent().map(Layer::as_str).collect(),
        breakdowns: numbers.breakdowns(rows),
        against,
        errors: (arguments.errors > 0).then(|| errors(rows, results)),
        gates,
        speed: speed(results, setting),
    }
}

struct Numbers<'a> {
    results: &'a Results,
    rates: Vec<f64>,
    bootstrap: Bootstrap,
}

impl Numbers<'_> {
    fn detector(&self, name: &str, column: &Column, scores: &Scores) -> v1::Detector {
        let confusion = self.results.confusion(column);
        let ranking = scores.ranking();
        v1::Detector {
            name: name.to_owned(),
            confusion: confusion.into(),
            recall: confusion.recall().map(Into::into),
            false_positive_rate: confusion.false_positive_rate().map(Into::into),
            precision: confusion.precision().map(Into::into),
            accuracy: confusion.accuracy().map(Into::into),
            f1: confusion.f1(),
            matthews: confusion.matthews(),
            auc: delong(scores)
                .map(Into::into)
                .or_else(|| ranking.auc().map(bare)),
            average_precision: ranking.average_precision().map(bare),
            at_false_positive_rate: self
                .rates
                .iter()
                .filter_map(|&rate| at_rate(ranking, rate))
                .collect(),
            calibration: calibration(ranking),
            alone: None,
            curve: curve(ranking),
        }
    }

    /// The intervals that take time.
    fn add_intervals(&self, stack: &mut v1::Detector, scores: &Scores) {
        let rates: Vec<f64> = stack
            .at_false_positive_rate
            .iter()
            .map(|at| at.rate)
            .collect();
        let recall_at = |ranking: &Ranking, rate| {
            let operating = ranking.at_false_positive_rate(rate)?;
            Some(operating.confusion.recall()?.value)
        };
        let intervals = self.bootstrap.intervals(scores, |ranking| {
            let mut numbers = vec![ranking.average_precision(), expected_error(ranking)];
            numbers.extend(rates.iter().map(|&rate| recall_at(ranking, rate)));
            numbers
        });
        let mut intervals = intervals.into_iter();
        let mut next = || intervals.next().flatten();
        let precision = next();
        stack.average_precision = stack
            .average_precision
            .map(|number| with(number, precision));
        let error = next();
        if let Some(calibration) = &mut stack.calibration {
            calibration.expected_error = with(calibration.expected_error, error);
        }
        for at in &mut stack.at_false_positive_rate {
            let recall = next();
            at.recall = at.recall.map(|number| with(number, recall));
        }
    }

    fn layers(&self, seeing: &Seeing) -> Vec<v1::Detector> {
        let layers = seeing.layers.iter();
        layers
            .map(|(layer, column)| {
                let scores = self.results.scores(column);
                let mut detector = self.detector(layer.as_str(), column, &scores);
                let [positives, negatives] = seeing.alone.get(layer).copied().unwrap_or_default();
                detector.alone = Some(v1::Alone {
                    positives,
                    negatives,
                });
                detector
            })
            .collect()
    }

    /// Labels as they are written, with the side they are on; a label is on one side only.
    fn labels(&self, rows: &Rows<'_>) -> Vec<v1::Label> {
        let Some(dimension) = rows.dimensions.all().first() else {
            return Vec::new();
        };
        let counted = self.results.confusions(&self.results.first.whole, 0);
        let mut labels: Vec<v1::Label> = counted
            .iter()
            .zip(&dimension.values)
            .filter(|(confusion, _)| confusion.all() > 0)
            .map(|(confusion, label)| v1::Label {
                label: label.clone(),
                positive: confusion.positives() > 0,
                rows: confusion.all(),
            })
            .collect();
        labels.sort_by(|a, b| (b.positive, b.rows, &a.label).cmp(&(a.positive, a.rows, &b.label)));
        labels
    }

    /// The dimensions that tell rows apart.
    fn breakdowns(&self, rows: &Rows<'_>) -> Vec<v1::Breakdown> {
        let dimensions = rows.dimensions.all().iter().enumerate();
        dimensions
            .map(|(number, dimension)| (dimension, self.groups(number, &dimension.values)))
            .filter(|(dimension, groups)| {
                groups.len() > 1 || (dimension.is_asked && dimension.name != "label")
            })
            .map(|(dimension, groups)| v1::Breakdown {
                by: dimension.name.clone(),
                groups,
            })
            .collect()
    }

    fn groups(&self, dimension: usize, values: &[String]) -> Vec<v1::Group> {
        let whole = &self.results.first.whole;
        let counted = self.results.confusions(whole, dimension);
        let cases = self.results.cases_by(whole, dimension);
        let against = self.results.second.as_ref();
        let against = against.map(|second| self.results.confusions(&second.whole, dimension));
        let mut groups: Vec<v1::Group> = counted
            .iter()
            .zip(values)
            .zip(&cases)
            .enumerate()
            .filter(|(_, ((confusion, _), _))| confusion.all() > 0)
            .map(|(number, ((confusion, value), cases))| {
                let other = against.as_ref().and_then(|all| all.get(number));
                v1::Group {
                    value: value.clone(),
                    positives: confusion.positives(),
                    negatives: confusion.negatives(),
                    recall: confusion.recall().map(Into::into),
                    false_positive_rate: confusion.false_positive_rate().map(Into::into),
                    auc: Ranking::new(cases).auc(),
                    recall_against: other.and_then(|other| other.recall()).map(Into::into),
                    false_positive_rate_against: other
                        .and_then(|other| other.false_positive_rate())
                        .map(Into::into),
                }
            })
            .collect();
        groups.sort_by(|a, b| {
            let rows = |group: &v1::Group| group.positives + group.negatives;
            (rows(b), &a.value).cmp(&(rows(a), &b.value))
        });
        groups
    }

    fn comparison(
        &self,
        setting: &Setting<'_>,
        (name, kind, rules_version): (&str, &'static str, &str),
        first: &v1::Detector,
        first_scores: &Scores,
        second: &Seeing,
    ) -> v1::Comparison {
        let scores = self.results.scores(&second.whole);
        let mut stack = self.detector("stack", &second.whole, &scores);
        self.add_intervals(&mut stack, &scores);
        let [positives, negatives] = self.results.discordant(second);
        let confusion = self.results.confusion(&second.whole);
        let paired = |discordant, cases, first: Option<v1::Number>, second: Option<v1::Number>| {
            Some(v1::Difference {
                first: first?.value,
                second: second?.value,
                difference: paired_difference(discordant, cases)?.into(),
                test: Some(v1::McNemar {
                    only_first: discordant.only_first,
                    only_second: discordant.only_second,
                    p: discordant.mcnemar(),
                }),
            })
        };
        let minus = |a: Option<f64>, b: Option<f64>| Some(b? - a?);
        let intervals = self.bootstrap.paired(first_scores, &scores, |a, b| {
            vec![
                minus(a.average_precision(), b.average_precision()),
                minus(expected_error(a), expected_error(b)),
            ]
        });
        let interval = |number: usize| intervals.get(number).copied().flatten();
        let apart = |first: Option<v1::Number>, second: Option<v1::Number>, interval| {
            let (first, second) = (first?.value, second?.value);
            Some(v1::Difference {
                first,
                second,
                difference: with(bare(second - first), interval),
                test: None,
            })
        };
        let area = delong_paired(first_scores, &scores);
        let error_of = |detector: &v1::Detector| {
            let calibration = detector.calibration.as_ref();
            calibration.map(|calibration| calibration.expected_error)
        };
        let policy = setting.judges.against.as_ref().map(|judge| judge.policy());
        v1::Comparison {
            name: name.to_owned(),
            kind,
            policy_version: policy.map_or("", |policy| policy.version()).to_owned(),
            rules_version: rules_version.to_owned(),
            recall: paired(positives, confusion.positives(), first.recall, stack.recall),
            false_positive_rate: paired(
                negatives,
                confusion.negatives(),
                first.false_positive_rate,
                stack.false_positive_rate,
            ),
            auc: apart(
                first.auc,
                stack.auc,
                area.and_then(|area| area.difference.interval),
            ),
            average_precision: apart(
                first.average_precision,
                stack.average_precision,
                interval(0),
            ),
            expected_error: apart(error_of(first), error_of(&stack), interval(1)),
            stack,
        }
    }
}

/// A number without an interval.
const fn bare(value: f64) -> v1::Number {
    v1::Number {
        value,
        low: None,
        high: None,
    }
}

fn with(number: v1::Number, interval: Option<Interval>) -> v1::Number {
    Estimate {
        value: number.value,
        interval,
    }
    .into()
}

fn expected_error(ranking: &Ranking) -> Option<f64> {
    bartizan_measure::Calibration::of(ranking, BINS).map(|calibration| calibration.expected_error)
}

fn at_rate(ranking: &Ranking, rate: f64) -> Option<v1::AtRate> {
    let operating = ranking.at_false_positive_rate(rate)?;
    Some(v1::AtRate {
        rate,
        threshold: operating.threshold.map(rounded),
        recall: operating
            .confusion
            .recall()
            .map(|recall| bare(recall.value)),
        false_positive_rate: operating.confusion.false_positive_rate()?.value,
        resolved: operating.is_resolved,
    })
}

fn calibration(ranking: &Ranking) -> Option<v1::Calibration> {
    let calibration = bartizan_measure::Calibration::of(ranking, BINS)?;
    let bins = calibration.bins.iter().map(|bin| v1::Bin {
        low: bin.low,
        high: bin.high,
        rows: bin.cases,
        mean_score: bin.mean_score.map(rounded),
        positives: bin.share().map(Into::into),
    });
    Some(v1::Calibration {
        expected_error: bare(calibration.expected_error),
        maximum_error: calibration.maximum_error,
        brier: calibration.brier,
        bins: bins.collect(),
    })
}

/// The points of a curve, of many a part: the first, the last, and some between.
fn curve(ranking: &Ranking) -> Vec<v1::Point> {
    let all = ranking.levels().len() + 1;
    let every = all.div_ceil(POINTS).max(1);
    ranking
        .points()
        .enumerate()
        .filter(|(number, _)| number % every == 0 || number + 1 == all)
        .map(|(_, point)| v1::Point {
            true_positives: point.true_positives,
            false_positives: point.false_positives,
        })
        .collect()
}

/// A score without the digits that its storage adds.
fn rounded(score: f64) -> f64 {
    (score * 1e6).round() / 1e6
}

fn conditions(setting: &Setting<'_>) -> v1::Setting {
    let (arguments, counting) = (setting.arguments, setting.counting);
    v1::Setting {
        origin: counting.origin.as_str(),
        direction: counting.direction.as_str(),
        sink: counting.sink.map(|sink| sink.to_string()),
        score: counting.score.as_str(),
        caught: counting.caught.as_str(),
        categories: counting
            .categories
            .iter()
            .copied()
            .map(Category::as_str)
            .collect(),
        sample: arguments.sample.map(|size| size.get() as u64),
        seed: arguments.seed,
        bootstrap: arguments.bootstrap,
    }
}

fn files(rows: &Rows<'_>) -> Vec<v1::File> {
    let files = rows.files.iter();
    files
        .map(|file| {
            let (text, label, id) = file.columns.clone();
            v1::File {
                name: file.name.clone(),
                format: file.format.as_str(),
                text_column: text,
                label_column: label,
                id_column: id,
                rows: file.rows,
                unusable: file.unusable,
            }
        })
        .collect()
}

fn lost(rows: &Rows<'_>) -> Vec<v1::Unusable> {
    let lost = rows.lost.iter();
    lost.map(|(why, lost)| v1::Unusable {
        why: why.as_str(),
        rows: lost.rows,
        first: lost.first.iter().map(|&place| rows.place(place)).collect(),
        help: why.help(),
    })
    .collect()
}

fn errors(rows: &Rows<'_>, results: &Results) -> v1::Errors {
    let label = |group: Option<&u32>| {
        let dimension = rows.dimensions.all().first();
        let value = dimension
            .zip(group)
            .and_then(|(dimension, &group)| dimension.values.get(group as usize));
        value.cloned().unwrap_or_default()
    };
    let list = |worst: &Worst| -> Vec<v1::Miss> {
        worst
            .rows()
            .map(|miss| v1::Miss {
                place: rows.place((miss.file, miss.line)),
                id: miss.id.clone(),
                label: label(miss.groups.first()),
                score: rounded(miss.score),
                rules: miss.rules.clone(),
                text: miss.text.clone(),
            })
            .collect()
    };
    v1::Errors {
        wrongly_caught: list(&results.wrongly_caught),
        missed: list(&results.missed),
        all_wrongly_caught: results.wrongly_caught.all,
        all_missed: results.missed.all,
    }
}

fn speed(results: &Results, setting: &Setting<'_>) -> v1::Speed {
    let [p50_nanos, p99_nanos] = results.times([0.5, 0.99]);
    let [rows, nanos] = [results.len() as u64, setting.nanos].map(number);
    v1::Speed {
        threads: setting.jobs as u64,
        nanos: setting.nanos,
        rows_per_second: if nanos > 0.0 { rows / nanos * 1e9 } else { 0.0 },
        p50_nanos,
        p99_nanos,
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
const fn number(count: u64) -> f64 {
    count as f64
}
