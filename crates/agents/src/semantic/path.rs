use crate::encodings::percent_decoded;

/// Beginnings of absolute paths that belong to the system.
const SYSTEM: &[&str] = &[
    "/etc",
    "/proc",
    "/sys",
    "/dev",
    "/root",
    "/boot",
    "/run",
    "/var/run",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "c:/windows",
    "c:/program files",
];
/// Names that hold secrets, wherever they lie.
const SECRET: &[&str] = &[
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".docker",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".env",
    "id_rsa",
    "id_ed25519",
    "shadow",
    "authorized_keys",
    ".bash_history",
];
/// Names that are devices on Windows, with or without an extension.
const DEVICES: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "lpt1", "lpt2", "lpt3",
];

/// What is wrong with `path`, if it must lie in one of `roots`, or anywhere but in the system's
/// folders where there are none.
///
/// Names alone are looked at: whoever opens the file must not follow links out of the folder.
pub(crate) fn unsafe_path(path: &str, roots: &[String]) -> Option<&'static str> {
    let mut plain = path.trim().to_owned();
    // A second decoding is one more than any honest caller needs.
    for _ in 0..2 {
        plain = percent_decoded(&plain).into_owned();
    }
    let plain = plain.replace(['\u{2215}', '\u{2044}', '\u{ff0f}'], "/");
    let plain = plain.replace(['\\', '\u{ff3c}'], "/").to_lowercase();
    if plain.contains('\0') || plain.chars().any(char::is_control) {
        return Some("holds a control character");
    }
    if plain.starts_with("//") {
        return Some("names another machine or a device");
    }
    let plain = plain
        .strip_prefix("file:///")
        .map_or(plain.clone(), |rest| format!("/{rest}"));
    let names: Vec<&str> = plain.split('/').filter(|name| !name.is_empty()).collect();
    // Two dots in a disguise: full-width, or with spaces and dots that Windows drops.
    let climbs = |name: &&str| {
        let name = name.replace(['\u{ff0e}', '\u{2024}'], ".");
        let name = name.trim();
        name.len() >= 2 && name.chars().all(|c| c == '.' || c == ' ')
    };
    if names.iter().any(climbs) {
        return Some("climbs out of its folder");
    }
    if plain.starts_with('~') || plain.contains("$home") || plain.contains("%userprofile%") {
        return Some("is in a home folder");
    }
    if names.iter().any(|name| SECRET.contains(name)) {
        return Some("names a file of secrets");
    }
    let stem = |name: &&str| name.split('.').next().unwrap_or_default().to_owned();
    if names
        .iter()
        .any(|name| DEVICES.contains(&stem(name).as_str()))
    {
        return Some("names a device");
    }
    let has_drive = plain.as_bytes().get(1) == Some(&b':');
    let after = if has_drive {
        plain.get(2..).unwrap_or_default()
    } else {
        &plain
    };
    if after.contains(':') && names.iter().any(|name| name.contains("::")) {
        return Some("names a stream of a file");
    }
    let within = |root: &str| {
        let root = root.trim_end_matches('/').to_lowercase();
        plain == root || plain.starts_with(&format!("{root}/"))
    };
    if !roots.is_empty() {
        let is_absolute = plain.starts_with('/') || has_drive;
        let inside = roots.iter().any(|root| within(root));
        return (is_absolute && !inside || !is_absolute && !roots.iter().any(|root| root == "."))
            .then_some("is outside its folders");
    }
    SYSTEM
        .iter()
        .any(|root| within(root))
        .then_some("is in a folder of the system")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ag_18_paths_stay_in_their_folders() {
        for path in [
            "../../etc/passwd",
            "docs/../../x",
            "..%2f..%2fetc/passwd",
            "%252e%252e/x",
            "..\\..\\windows",
            "\u{ff0e}\u{ff0e}/x",
            ".. /x",
            "/etc/passwd",
            "file:///etc/passwd",
            "~/.ssh/id_rsa",
            "/home/me/.ssh/config",
            "a\0b",
            "\\\\server\\share",
            "nul.txt",
            "notes.txt::$DATA",
            "C:\\Windows\\System32",
        ] {
            assert!(unsafe_path(path, &[]).is_some(), "{path}");
        }
        for path in [
            "notes.txt",
            "/home/me/notes..txt",
            "docs/a b.md",
            "C:/work/x",
            "/data/con.d/x",
        ] {
            let expected = path.contains("con.d");
            assert_eq!(unsafe_path(path, &[]).is_some(), expected, "{path}");
        }
    }

    #[test]
    fn a_root_holds_what_is_below_it() {
        let roots = ["/srv/files".to_owned()];
        assert_eq!(unsafe_path("/srv/files/a.txt", &roots), None);
        for path in ["/srv/files2/a.txt", "/srv", "a.txt", "/srv/files/../x"] {
            assert!(unsafe_path(path, &roots).is_some(), "{path}");
        }
        assert_eq!(unsafe_path("a.txt", &[".".to_owned()]), None);
    }
}
