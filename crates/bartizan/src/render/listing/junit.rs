//! The report as JUnit XML, in the form that Jenkins and GitLab read
//! (<https://github.com/testmoapp/junitxml>): a suite per file, a case per finding and per check.

use maud::{Markup, html};

use super::{Entry, Line, Listing};

/// The document. A check that did not finish is an error, so that nobody takes it for a pass.
pub(crate) fn document(listing: &Listing<'_>) -> String {
    let all = Counts::sum(listing.files.iter().map(Counts::of));
    let body = html! {
        testsuites name={ "bartizan " (listing.command) } tests=(all.tests) failures=(all.failures)
            errors=(all.errors) skipped=(all.skipped)
        {
            @for file in &listing.files { (suite(file)) }
        }
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n",
        body.into_string()
    )
}

fn suite(file: &Entry<'_>) -> Markup {
    let counts = Counts::of(file);
    let passed = passed(file);
    html! {
        testsuite name=(file.path) tests=(counts.tests) failures=(counts.failures)
            errors=(counts.errors) skipped=(counts.skipped)
        {
            @for line in &file.lines { (case(file, line)) }
            @for (check, why) in &file.gaps {
                testcase classname=(file.path) name={ "check " (check) } {
                    error type="incomplete" message=(why) {}
                }
            }
            @for check in passed {
                testcase classname=(file.path) name={ "check " (check) } {}
            }
        }
    }
}

fn case(file: &Entry<'_>, line: &Line<'_>) -> Markup {
    let rule = &line.finding.rule;
    let place = if line.place.is_empty() {
        String::new()
    } else {
        format!(" at {}", line.place)
    };
    html! {
        testcase classname=(file.path) name={ (rule.id) (place) } {
            @match line.waived {
                Some(why) => { skipped message={ (why) ": " (line.text()) } {} }
                None => {
                    failure type=(rule.severity.as_str()) message=(line.text()) {
                        (rule.title) ". " (rule.why) " " (rule.fix)
                    }
                }
            }
        }
    }
}

/// The checks that finished.
fn passed<'a>(file: &'a Entry<'_>) -> impl Iterator<Item = &'a &'static str> {
    let is_open = |check: &str| file.gaps.iter().any(|(open, _)| *open == check);
    file.checks.iter().filter(move |check| !is_open(check))
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of(file: &Entry<'_>) -> Self {
        let skipped = file.lines.iter().filter(|line| line.waived.is_some());
        let skipped = skipped.count();
        Self {
            tests: file.lines.len() + file.gaps.len() + passed(file).count(),
            failures: file.lines.len() - skipped,
            errors: file.gaps.len(),
            skipped,
        }
    }

    fn sum(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            tests: sum.tests + one.tests,
            failures: sum.failures + one.failures,
            errors: sum.errors + one.errors,
            skipped: sum.skipped + one.skipped,
        })
    }
}
