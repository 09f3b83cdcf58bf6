use std::borrow::Cow;

use bartizan_core::{CheckError, Confidence, Rule, Span};
use bartizan_formats::{Format, text_of};
use bartizan_supply::{Artifact, Desk, Inspector};

use super::{Known, Leak, SecretScanner, Where, notebook::Cells};

/// The longest file that is read, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// What holds text that people and programs read as such.
const TEXTS: &[Format] = &[Format::Text, Format::Json, Format::Xml];

/// What can hold secrets only where nothing that is read here would show them: pixels and samples.
const SILENT: &[Format] = &[Format::Empty, Format::Image, Format::Media, Format::Font];

/// What hands its members on.
const CONTAINERS: &[Format] = &[
    Format::Zip,
    Format::Tar,
    Format::SevenZip,
    Format::Gzip,
    Format::Zlib,
    Format::Bzip2,
    Format::Xz,
    Format::Lzma,
    Format::Zstd,
    Format::Lz4,
];

/// Knows keys, tokens, and passwords in files.
#[derive(Debug)]
pub struct SecretFiles {
    scanner: SecretScanner,
    known: Known,
    /// Whether files are looked at that are no text.
    binaries: bool,
}

impl SecretFiles {
    /// Looks at texts, and at the strings of everything else: for a search for secrets alone.
    #[must_use]
    pub const fn everywhere(scanner: SecretScanner, known: Known) -> Self {
        Self {
            scanner,
            known,
            binaries: true,
        }
    }

    /// Looks at texts: for a scan whose other inspectors know what the rest is.
    #[must_use]
    pub const fn in_texts(scanner: SecretScanner, known: Known) -> Self {
        Self {
            scanner,
            known,
            binaries: false,
        }
    }

    /// What was accepted, and what was seen.
    #[must_use]
    pub const fn known(&self) -> &Known {
        &self.known
    }

    /// Reports every secret in `text` that was not accepted; `shift` says where a place of the text
    /// is in the artifact, and `name` what is told about a line.
    fn report(
        &self,
        text: &[u8],
        place: Where<'_>,
        desk: &mut Desk<'_>,
        span: impl Fn(Span) -> Option<Span>,
        name: impl Fn(usize, usize) -> String,
    ) -> Result<(), CheckError> {
        for leak in self.scanner.look(text, place)? {
            let secret = text.get(leak.secret.clone()).unwrap_or_default();
            let Some(hash) = self.known.new_hash(&leak, place, secret) else {
                continue;
            };
            let name = name(leak.line, leak.secret.start);
            let message = format!("{name}{} bytes, keyed hash {hash}", secret.len());
            let at = span(Span::from_range(leak.secret));
            let confidence = Confidence::clamped(leak.confidence);
            desk.report_as(&leak.rule, at, confidence, message)?;
        }
        Ok(())
    }

    /// The secrets in what a commit added that were not accepted; `line` says where a line of it is
    /// in the file.
    ///
    /// # Errors
    /// When not everything was looked at; what was found until then is in `found`.
    pub fn inspect_lines(
        &self,
        text: &[u8],
        place: Where<'_>,
        line: impl Fn(usize) -> usize,
        found: &mut Vec<Added>,
    ) -> Result<(), CheckError> {
        let is_text = !text.contains(&0);
        let read = if is_text {
            Cow::Borrowed(text)
        } else {
            strings(text)
        };
        for mut leak in self.scanner.look(&read, place)? {
            leak.line = line(leak.line);
            let secret = read.get(leak.secret.clone()).unwrap_or_default();
            if let Some(hash) = self.known.new_hash(&leak, place, secret) {
                let bytes = secret.len();
                found.push(Added { leak, hash, bytes });
            }
        }
        if is_text { Ok(()) } else { Err(only_strings()) }
    }
}

/// A secret that a commit added.
#[derive(Clone, Debug)]
pub struct Added {
    /// What it is; its line is one of the file.
    pub leak: Leak,
    /// The keyed hash of rule, path, and secret, in hexadecimal.
    pub hash: String,
    /// Its length.
    pub bytes: usize,
}

impl Inspector for SecretFiles {
    fn name(&self) -> &'static str {
        "secrets"
    }

    /// Its rules are those of the guard, or were loaded.
    fn rules(&self) -> &'static [&'static Rule] {
        &[]
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        let all = |of: &[Format]| formats.iter().all(|format| of.contains(format));
        formats.iter().any(|format| TEXTS.contains(format)) || self.binaries && !all(CONTAINERS)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let is_any = |desk: &Desk<'_>, of: &[Format]| {
            desk.formats().iter().any(|format| of.contains(format))
        };
        if is_any(desk, SILENT) {
            return Ok(());
        }
        if artifact.source.len() > MAX_BYTES {
            return Err(CheckError::Exhausted {
                limit: "bytes of a file",
                at: MAX_BYTES,
            });
        }
        desk.spend(artifact.source.len() >> 10)?;
        let bytes = artifact.source.read(0, MAX_BYTES);
        let bytes = bytes.map_err(|_| CheckError::Unavailable("cannot read".into()))?;
        let place = Where {
            path: artifact.path,
            commit: None,
        };
        if !is_any(desk, TEXTS) {
            // Every byte keeps its place.
            self.report(&strings(&bytes), place, desk, Some, |_, _| String::new())?;
            return Err(only_strings());
        }
        let wide = matches!(bytes.get(..2), Some([0xFE, 0xFF] | [0xFF, 0xFE]));
        if wide {
            // Its places are no places of the file.
            let text = text_of(&bytes);
            let name = |line, _| format!("line {line}: ");
            return self.report(text.as_bytes(), place, desk, |_| None, name);
        }
        let cells = if artifact.path.ends_with(".ipynb") {
            Cells::of(&text_of(&bytes))
        } else {
            Cells::default()
        };
        let name = |_, at| {
            cells
                .at(at)
                .map_or_else(String::new, |cell| format!("{cell}: "))
        };
        self.report(&bytes, place, desk, Some, name)
    }
}

/// The printable stretches of `bytes` where they stand, and line ends for everything else.
fn strings(bytes: &[u8]) -> Cow<'static, [u8]> {
    let keep = |byte: &u8| match byte {
        b'\t' | b' '..=b'~' => *byte,
        _ => b'\n',
    };
    Cow::Owned(bytes.iter().map(keep).collect())
}

fn only_strings() -> CheckError {
    CheckError::Unavailable("the file is no text: only its strings were looked at".into())
}

#[cfg(test)]
mod tests {
    use bartizan_formats::Bytes;
    use bartizan_supply::{ARCHIVES, ScanLimits, Scanned, scan_with};

    use super::*;
    use crate::secrets::Ignored;

    const KEY: &str = "ghp_x7Kp2mQ9vRt4Zw8LbN3cYh6Jd1Sf5GaUoTe0";

    fn look(path: &str, bytes: &[u8]) -> Vec<Scanned> {
        let known = Known::new(&[0; 32], None, Ignored::default(), "");
        let files = SecretFiles::everywhere(SecretScanner::standard().unwrap(), known);
        let mut inspectors = ARCHIVES.to_vec();
        inspectors.push(&files);
        let source = Bytes(bytes);
        let artifact = Artifact {
            path,
            source: &source,
        };
        scan_with(&artifact, &ScanLimits::default(), &inspectors)
    }

    #[test]
    fn texts_have_places_and_no_secret_is_told() {
        let text = format!("a\ntoken = \"{KEY}\"\n");
        let scanned = look("a.env", text.as_bytes());
        let finding = &scanned[0].report.findings[0];
        assert_eq!(finding.span.unwrap().as_range(), 11..51);
        assert!(
            finding.message.starts_with("40 bytes, keyed hash "),
            "{}",
            finding.message
        );
        assert!(!format!("{scanned:?}").contains("x7Kp"));
        assert!(scanned[0].report.is_complete());
    }

    #[test]
    fn strings_of_binaries_are_read_and_the_rest_is_a_gap() {
        let mut bytes = vec![0, 1, 2, 0xFF];
        bytes.extend_from_slice(KEY.as_bytes());
        bytes.push(0);
        let scanned = look("a.bin", &bytes);
        assert_eq!(scanned[0].report.findings.len(), 1);
        assert!(!scanned[0].report.is_complete());
        assert!(
            look("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\0")[0]
                .report
                .is_complete()
        );
    }

    #[test]
    fn wide_text_is_read() {
        let wide: Vec<u8> = format!("\u{feff}a\ntoken='{KEY}'")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let scanned = look("a.txt", &wide);
        assert!(
            scanned[0].report.findings[0]
                .message
                .starts_with("line 2: ")
        );
    }

    #[test]
    fn notebooks_are_named_by_cell() {
        let text = format!(
            "{{\"cells\": [{{\"cell_type\": \"code\", \"source\": [\"t = '{KEY}'\\n\"], \"outputs\": []}}], \"nbformat\": 4}}"
        );
        let scanned = look("a.ipynb", text.as_bytes());
        assert!(
            scanned[0].report.findings[0]
                .message
                .starts_with("cell 0: "),
            "{scanned:?}"
        );
    }
}
