//! Which release of which distribution it is (`os-release(5)`).

use crate::bom::Ecosystem;

/// Whether a file says what the system is.
pub(crate) fn is_release(path: &str) -> bool {
    matches!(path, "etc/os-release" | "usr/lib/os-release")
}

/// The ecosystem and the release as OSV names it: `Debian:12`, `Ubuntu:22.04`, `Alpine:v3.19`.
pub(crate) fn release(text: &str) -> Option<(Ecosystem, String)> {
    let field = |name: &str| {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.trim().trim_matches(['"', '\'']))
    };
    let version = field("VERSION_ID")?;
    let numbers: Vec<&str> = version.split('.').collect();
    match field("ID")? {
        "debian" => Some((Ecosystem::Debian, (*numbers.first()?).to_owned())),
        "ubuntu" => Some((Ecosystem::Ubuntu, version.to_owned())),
        "alpine" => match numbers.as_slice() {
            [major, minor, ..] => Some((Ecosystem::Alpine, format!("v{major}.{minor}"))),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_named_as_osv_does() {
        for (text, expected) in [
            (
                "ID=debian\nVERSION_ID=\"12\"\n",
                Some((Ecosystem::Debian, "12")),
            ),
            (
                "ID=alpine\nVERSION_ID=3.19.1\n",
                Some((Ecosystem::Alpine, "v3.19")),
            ),
            (
                "NAME=x\nID=ubuntu\nVERSION_ID='22.04'\n",
                Some((Ecosystem::Ubuntu, "22.04")),
            ),
            ("ID=debian\n", None),
            ("ID=fedora\nVERSION_ID=40\n", None),
        ] {
            let expected = expected.map(|(ecosystem, name)| (ecosystem, name.to_owned()));
            assert_eq!(release(text), expected, "{text}");
        }
    }
}
