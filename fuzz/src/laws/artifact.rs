use bartizan_core::Severity;
use bartizan_formats::{Bytes, archive::zip};
use bartizan_supply::{Artifact, ScanLimits, Scanned, scan};

/// Small enough for many runs in a second.
const LIMITS: ScanLimits = ScanLimits {
    max_unpacked_bytes: 1 << 20,
    max_members: 1_000,
    max_depth: 4,
    max_steps: 1 << 18,
    max_findings: 1_000,
};

/// Most files of an archive in these laws.
const FILES: u64 = 1_000;

/// A call that is certain to be found.
const CALL: &[u8] = b"\x80\x04cos\nsystem\n)R0";

/// Pickles: whatever follows a call, the call is found; findings lie in the file, and the same bytes
/// have the same report.
pub fn pickle(data: &[u8]) {
    let scanned = look(data);
    assert_eq!(look(data), scanned, "the report changed");
    let called = look(&[CALL, data].concat());
    let found = called[0]
        .report
        .findings
        .iter()
        .any(|finding| finding.rule.severity == Severity::Critical);
    assert!(found, "a call was lost");
}

/// Zip archives: what is listed lies in the file, and no lie makes the walk endless.
pub fn zip_walk(data: &[u8]) {
    look(data);
    let Ok(archive) = zip(&Bytes(data), FILES) else {
        return;
    };
    for entry in &archive.entries {
        if let Some(at) = entry.data_at {
            assert!(entry.header_at < at, "bytes before their header");
        }
    }
}

fn look(data: &[u8]) -> Vec<Scanned> {
    let artifact = Artifact {
        path: "file",
        source: &Bytes(data),
    };
    let scanned = scan(&artifact, &LIMITS);
    for one in &scanned {
        assert!(!one.report.coverage.is_empty(), "nothing was asked");
        for span in one
            .report
            .findings
            .iter()
            .filter_map(|finding| finding.span)
        {
            assert!(span.start() <= one.bytes, "a place behind the end");
        }
    }
    scanned
}
