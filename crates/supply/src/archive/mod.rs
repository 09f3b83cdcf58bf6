//! Archives and compressed files: what is in them is looked at as if it stood beside them.

mod packed;
mod rules;
mod sevenz;
mod tar;
mod torch;
mod zip;

use bartizan_core::{CheckError, Span};
use bartizan_formats::{ParseError, archive::Unpacked};
pub(crate) use packed::Packed;
pub(crate) use sevenz::SevenZips;
pub(crate) use tar::Tars;
pub(crate) use zip::Zips;

use crate::Desk;

/// Whether a member of that path would be written outside the folder that it is unpacked to.
fn escapes(path: &str) -> bool {
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    path.starts_with(['/', '\\'])
        || is_drive
        || path.split(['/', '\\']).any(|component| component == "..")
        || path.contains('\0')
}

/// Whether a link at `path` to `target` leads out of the folder.
fn link_escapes(path: &str, target: &str) -> bool {
    if target.starts_with(['/', '\\']) || target.as_bytes().get(1) == Some(&b':') {
        return true;
    }
    let mut depth = path.split(['/', '\\']).count().saturating_sub(1);
    for component in target.split(['/', '\\']) {
        match component {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}

/// Reports a path that leads out.
fn check_path(path: &str, at: u64, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    if escapes(path) {
        let words = "a path that is absolute or goes up";
        desk.report(&rules::SLIP, Span::new(at, at), words)?;
    }
    Ok(())
}

/// Reports a link that leads out.
fn check_link(path: &str, target: &str, at: u64, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    if escapes(path) || link_escapes(path, target) {
        let words = "a link to a path that is absolute or goes up";
        desk.report(&rules::LINK, Span::new(at, at), words)?;
    }
    Ok(())
}

/// How much more comes out than goes in, before it is a bomb.
const RATIO: u64 = 100;

/// Accounts for what came out, lets `then` look at it also when it is not everything, and returns the
/// error that kept the rest.
fn settle(
    packed: u64,
    unpacked: Unpacked,
    desk: &mut Desk<'_>,
    then: impl FnOnce(&[u8], &mut Desk<'_>) -> Result<(), CheckError>,
) -> Result<(), CheckError> {
    let Unpacked { bytes, outcome } = unpacked;
    let came = bytes.len() as u64;
    if matches!(outcome, Err(ParseError::Exhausted { .. })) && came / RATIO > packed {
        desk.report(&rules::BOMB, None, "more comes out than is allowed")?;
    }
    // Spent before the look, so that what is unpacked inside has only the rest.
    let spent = desk.unpacked(came);
    let looked = if bytes.is_empty() && outcome.is_err() {
        Ok(())
    } else {
        then(&bytes, desk)
    };
    outcome.map_err(CheckError::from)?;
    looked?;
    spent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_out_are_seen() {
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a\\..\\..\\x",
            "C:\\x",
            "a\0",
        ] {
            assert!(escapes(path), "{path}");
        }
        for path in ["a/b", "a..b", "..a", "archive/data.pkl"] {
            assert!(!escapes(path), "{path}");
        }
        assert!(link_escapes("a/b", "../../x"));
        assert!(!link_escapes("a/b", "../x"));
        assert!(link_escapes("b", "/etc/passwd"));
    }
}
