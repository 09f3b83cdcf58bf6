use super::{LockError, Reference};
use crate::bom::{Ecosystem, Package};

/// Reads pip's requirements files (pip documentation, "Requirements File Format").
///
/// What `-r`, `-c`, `-e`, and paths name is told by [`references`].
pub(super) fn read(text: &str) -> Result<Vec<Package>, LockError> {
    let mut packages = Vec::new();
    for (start, line) in logical_lines(text) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let line_end = text.get(start..).and_then(|rest| rest.find('\n'));
        let end = line_end.map_or(text.len(), |at| start + at);
        if let Some(mut package) = requirement(trimmed) {
            package.place = (start as u64, end as u64);
            packages.push(package);
        }
    }
    Ok(packages)
}

/// Files, folders, and addresses that are named instead of packages: other requirements (`-r`, `-c`),
/// code to install from where it stands (`-e`, a path), and archives.
pub(super) fn references(text: &str) -> Vec<Reference> {
    let lines = logical_lines(text).into_iter();
    let named = lines.filter_map(|(start, line)| {
        let target = reference(line.trim())?;
        let before = text.get(..start).unwrap_or_default();
        Some(Reference {
            target: target.to_owned(),
            line: before.matches('\n').count() + 1,
        })
    });
    named.collect()
}

/// Options of pip that name a file or a folder.
const NAMING: &[&str] = &[
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-e",
    "--editable",
];

fn reference(line: &str) -> Option<&str> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let line = line.split(" #").next()?.trim();
    let option = NAMING.iter().find_map(|option| {
        let rest = line.strip_prefix(option)?;
        // Short options take their value without a blank too, long ones after a sign.
        let is_value = rest.starts_with([' ', '\t', '=']) || option.len() == 2;
        is_value.then(|| rest.trim_start_matches([' ', '\t', '=']))
    });
    match option {
        Some(target) => Some(target),
        None if line.starts_with('-') || requirement(line).is_some() => None,
        None => line.split([' ', ';']).next(),
    }
}

/// Lines joined where they end in a backslash, with the byte at which they start.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    let mut continues = false;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let (body, more) = match body.strip_suffix('\\') {
            Some(body) => (body, true),
            None => (body, false),
        };
        match lines.last_mut() {
            Some((_, last)) if continues => {
                last.push(' ');
                last.push_str(body);
            }
            _ => lines.push((at, body.to_owned())),
        }
        continues = more;
        at += line.len();
    }
    lines
}

/// One requirement (PEP 508) with pip's options behind it.
pub(super) fn requirement(line: &str) -> Option<Package> {
    if line.starts_with('-') {
        return None;
    }
    // A comment starts at a blank and a hash sign.
    let line = line.split(" #").next()?;
    let (line, options) = match line.find(" --") {
        Some(at) => line.split_at(at),
        None => (line, ""),
    };
    // What stands behind the semicolon says where it is wanted; it is counted everywhere.
    let line = line.split(';').next()?.trim();
    let name_end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(line.len());
    let (name, rest) = line.split_at(name_end);
    if name.is_empty() || name.starts_with('.') || rest.starts_with(['/', ':', '\\']) {
        return None;
    }
    let rest = match rest.trim_start().strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1,
        None => rest,
    };
    let rest = rest.trim();
    let mut package = Package::new(Ecosystem::PyPi, name, None);
    if let Some(address) = rest.strip_prefix('@') {
        package.origin = Some(without_fragment(address.trim()));
    } else {
        let wanted = rest.trim_matches(['(', ')']).trim();
        match pinned(wanted) {
            Some(version) => package.version = Some(version.to_owned()),
            None => package.requirement = Some(wanted.to_owned()),
        }
    }
    for option in options.split_whitespace() {
        if let Some((algorithm, digits)) = option
            .strip_prefix("--hash=")
            .and_then(|hash| hash.split_once(':'))
        {
            package
                .hashes
                .push((algorithm.to_owned(), digits.to_owned()));
        }
    }
    Some(package)
}

fn without_fragment(address: &str) -> String {
    address.split('#').next().unwrap_or_default().to_owned()
}

/// The version, if `wanted` asks for exactly one.
pub(super) fn pinned(wanted: &str) -> Option<&str> {
    let version = wanted.strip_prefix("===").or(wanted.strip_prefix("=="))?;
    let version = version.trim();
    let is_one = !version.is_empty()
        && !version.contains(|c: char| c.is_whitespace() || ",*<>=!~".contains(c));
    is_one.then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        match requirement(line) {
            None => "none".to_owned(),
            Some(package) => format!(
                "{} {} {} {} {}",
                package.name,
                package.version.unwrap_or_default(),
                package.requirement.unwrap_or_default(),
                package.origin.unwrap_or_default(),
                package.hashes.len()
            ),
        }
    }

    #[test]
    fn requirements_are_read_as_pip_does() {
        for (line, expected) in [
            ("Flask==2.0.1", "flask 2.0.1   0"),
            (
                "torch[cuda] == 2.4.0+cpu ; python_version > '3.8'",
                "torch 2.4.0+cpu   0",
            ),
            ("numpy>=1.2,<2  # why", "numpy  >=1.2,<2  0"),
            ("numpy==1.*", "numpy  ==1.*  0"),
            ("numpy", "numpy    0"),
            ("requests (==2.0)", "requests 2.0   0"),
            ("x === 1.0-weird", "x 1.0-weird   0"),
            ("a==1 --hash=sha256:aa --hash=sha256:bb", "a 1   2"),
            (
                "pkg @ https://example.com/p.whl#sha256=aa",
                "pkg   https://example.com/p.whl 0",
            ),
            ("-r other.txt", "none"),
            ("-e .", "none"),
            ("./local", "none"),
            ("https://example.com/x.whl", "none"),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_package_is_named() {
        let text = "a==1\n-r base.txt\n--constraint=c.txt\n-rb.txt # why\n\n-e .[dev]\n./x.whl\n\
            https://example.com/x.whl --hash=sha256:aa\n--index-url https://example.com\n";
        let named = references(text);
        let said: Vec<_> = named
            .iter()
            .map(|one| (one.line, one.target.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (2, "base.txt"),
                (3, "c.txt"),
                (4, "b.txt"),
                (6, ".[dev]"),
                (7, "./x.whl"),
                (8, "https://example.com/x.whl"),
            ]
        );
    }

    #[test]
    fn continued_lines_are_one_and_places_are_lines() {
        let text = "# top\na==1 \\\n    --hash=sha256:aa\nb==2\n";
        let packages = read(text).unwrap();
        let said: Vec<_> = packages
            .iter()
            .map(|package| (package.name.as_str(), package.hashes.len(), package.place))
            .collect();
        assert_eq!(said, [("a", 1, (6, 12)), ("b", 0, (34, 38))]);
    }
}
