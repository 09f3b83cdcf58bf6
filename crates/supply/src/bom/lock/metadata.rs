use super::LockError;
use crate::bom::{Ecosystem, Package};

/// The metadata of an installed Python package (Core Metadata 2.4): its name, version, and licence.
pub(super) fn read(text: &str) -> Result<Vec<Package>, LockError> {
    // The header ends at the first empty line.
    let header = text.lines().take_while(|line| !line.is_empty());
    let fields: Vec<(&str, &str)> = header.filter_map(|line| line.split_once(": ")).collect();
    let field = |name: &str| {
        let found = fields
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    let (Some(name), Some(version)) = (field("Name"), field("Version")) else {
        return Err(LockError::Malformed("package metadata"));
    };
    let mut package = Package::new(Ecosystem::PyPi, name, Some(version));
    let classified = || {
        let classifiers = fields.iter().filter(|(name, _)| *name == "Classifier");
        let mut licences =
            classifiers.filter_map(|(_, value)| value.strip_prefix("License :: OSI Approved :: "));
        licences.next()
    };
    // A whole licence text is no name of one.
    let short = |text: &&str| text.len() <= 64 && !text.is_empty() && *text != "UNKNOWN";
    package.licence = field("License-Expression")
        .or_else(|| field("License").filter(short))
        .or_else(classified)
        .map(str::to_owned);
    Ok(vec![package])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_says_what_it_is() {
        let text = "Metadata-Version: 2.4\nName: Foo_Bar\nVersion: 1.0\nLicense-Expression: MIT\n\nName: not this\n";
        let [package] = read(text).unwrap().try_into().unwrap();
        assert_eq!(
            (
                package.name.as_str(),
                package.version.as_deref(),
                package.licence.as_deref()
            ),
            ("foo-bar", Some("1.0"), Some("MIT"))
        );
        assert!(read("hello").is_err());
    }
}
