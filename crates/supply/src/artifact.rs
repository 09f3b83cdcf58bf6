use bartizan_formats::Source;

/// One file, or one member of an archive, to be judged by its bytes.
#[derive(Clone, Copy)]
pub struct Artifact<'a> {
    /// Where it stands below the root of the scan, with `/`; members of archives follow a `!`, as in
    /// `model.zip!data.pkl`. Decides nothing but what a loader decides by name.
    pub path: &'a str,
    /// Its bytes.
    pub source: &'a dyn Source,
}
