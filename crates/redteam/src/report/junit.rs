//! The report as JUnit XML, which CI systems show: a test case for each family and each gate.

use super::{interval, percent, v1::Report};

/// The report as JUnit XML. A family of attacks fails where an attack of it reached its goal, which
/// CI shows; whether the run passes is said by the gates.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut cases = String::new();
    let (mut failed, mut errors) = (0, 0);
    for group in &report.families {
        let rate = format!(
            "{} of {} attempts, {} {}",
            group.failed,
            group.attempts,
            percent(group.rate),
            interval(group.rate)
        );
        let body = if group.failed > 0 {
            failed += 1;
            let refs = escaped(&group.refs.join(" "));
            format!("<failure message=\"{}\">{refs}</failure>", escaped(&rate))
        } else if group.attempts == 0 {
            errors += 1;
            "<error message=\"no attempt has an outcome\"/>".to_owned()
        } else {
            String::new()
        };
        cases.push_str(&case(&group.kind, &group.name, &body));
    }
    for gate in &report.gates {
        let body = if gate.passed {
            String::new()
        } else {
            failed += 1;
            let value = gate
                .value
                .map_or("nothing".to_owned(), |value| format!("{value:.4}"));
            let message = format!("measured {value}, bound {}", gate.bound);
            format!("<failure message=\"{}\"/>", escaped(&message))
        };
        cases.push_str(&case("gate", &gate.gate, &body));
    }
    let tests = report.families.len() + report.gates.len();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"bartizan \
         redteam {}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{errors}\" \
         time=\"{:.3}\">\n{cases}  </testsuite>\n</testsuites>\n",
        escaped(&report.target),
        report.seconds
    )
}

fn case(class: &str, name: &str, body: &str) -> String {
    let (class, name) = (escaped(class), escaped(name));
    if body.is_empty() {
        return format!("    <testcase classname=\"{class}\" name=\"{name}\"/>\n");
    }
    format!("    <testcase classname=\"{class}\" name=\"{name}\">{body}</testcase>\n")
}

/// A text as it stands in XML 1.0; characters that may not stand there are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(character),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_escaped() {
        assert_eq!(escaped("<a b=\"&\">\u{1}"), "&lt;a b=&quot;&amp;&quot;&gt;");
    }
}
