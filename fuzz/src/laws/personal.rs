use bartizan_govern::{ConsentEvent, Consents, FilesConfig, LineMatcher, SubjectKey};

use crate::input::Input;

/// Lines of files with personal data, and records of consent: any bytes can be looked at; a name
/// between spaces is found; what is read as consent is written as it was meant. The first line is a
/// name.
pub fn personal(data: &[u8]) {
    let mut input = Input::new(data);
    let name = String::from_utf8_lossy(input.line()).trim().to_owned();
    let rest = input.rest();
    for subject in ["", "a", "a.b"] {
        let lines = LineMatcher::new(&FilesConfig {
            subject: subject.to_owned(),
            time: "t".to_owned(),
            ..FilesConfig::default()
        });
        for line in rest.split(|byte| *byte == b'\n') {
            let _ = (lines.is_about(line, &name), lines.time_ms(line));
            let _ = lines.is_about_any(line, |_| false);
        }
        let is_word = name.chars().all(|c| c.is_ascii_alphanumeric()) && !name.is_empty();
        if is_word {
            assert!(lines.is_about(format!("\u{1} {name} \u{1}").as_bytes(), &name));
        }
    }
    let Ok(consents) = Consents::read(&String::from_utf8_lossy(rest)) else {
        return;
    };
    let written: String = consents.events(None).into_iter().map(ConsentEvent::line).collect();
    let again = Consents::read(&written).expect("what was written can be read");
    assert_eq!(again.events(None), consents.events(None));
    assert!(again.events(Some(&SubjectKey::derive(&[0; 32]).hash("nobody"))).is_empty());
}
