//! Whether the links of the documentation lead anywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use miette::{IntoDiagnostic as _, WrapErr as _};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Links from the book to files beside it go through the public repository.
const REPOSITORY: &str = "https://github.com/bartizan/bartizan/blob/main/";

/// Folders without documentation of ours.
const SKIPPED: [&str; 4] = ["target", "book", "corpus", "artifacts"];

/// One line for every relative link that leads nowhere, and for every page of the book that its
/// table of contents leaves out. Links to other sites are not followed: the check works offline.
pub(crate) fn broken(root: &Path) -> miette::Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    for path in markdown(root)? {
        let text = fs::read_to_string(&path)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read `{}`", path.display()))?;
        pages.insert(path, Page::read(&text));
    }
    let mut mistakes = Vec::new();
    for (path, page) in &pages {
        for link in &page.links {
            if let Some(mistake) = broken_link(root, path, link, &pages) {
                mistakes.push(format!("`{}`: {mistake}", path.display()));
            }
        }
    }
    mistakes.extend(unlisted(root, &pages));
    Ok(mistakes)
}

type Pages = BTreeMap<PathBuf, Page>;

fn broken_link(root: &Path, path: &Path, link: &str, pages: &Pages) -> Option<String> {
    let (folder, within) = match link.strip_prefix(REPOSITORY) {
        Some(within) => (root, within),
        None => (path.parent()?, link),
    };
    if within.contains("://") || within.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = within.split_once('#').unwrap_or((within, ""));
    let target = match file {
        "" => path.to_owned(),
        file => normal(&folder.join(file)),
    };
    if !target.exists() {
        return Some(format!("no file for the link `{link}`"));
    }
    let page = pages.get(&target)?;
    (!anchor.is_empty() && !page.anchors.contains(anchor))
        .then(|| format!("no heading for the link `{link}`"))
}

/// Pages of the book that nobody finds.
fn unlisted<'a>(root: &Path, pages: &'a Pages) -> impl Iterator<Item = String> + use<'a> {
    let book = normal(&root.join("docs/src"));
    let summary = book.join("SUMMARY.md");
    let listed: BTreeSet<PathBuf> = pages
        .get(&summary)
        .into_iter()
        .flat_map(|page| &page.links)
        .map(|link| normal(&book.join(link)))
        .chain([summary.clone()])
        .collect();
    pages
        .keys()
        .filter(move |path| path.starts_with(&book) && !listed.contains(*path))
        .map(move |path| format!("`{}` is not in `{}`", path.display(), summary.display()))
}

/// What a Markdown file links to, and what can be linked to in it.
#[derive(Debug, Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    let times = seen.entry(slug.clone()).or_default();
                    page.anchors.insert(match *times {
                        0 => slug,
                        times => format!("{slug}-{times}"),
                    });
                    *times += 1;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        page
    }
}

/// The id of a heading, the same on GitHub and in mdBook: lower case, blanks as `-`, only letters,
/// digits, `-`, and `_`.
pub(crate) fn slug(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            _ => c.is_alphanumeric().then_some(c),
        })
        .collect()
}

/// The Markdown files below `folder`, in order.
fn markdown(folder: &Path) -> miette::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_diagnostic()? {
            let path = entry.into_diagnostic()?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || SKIPPED.contains(&&*name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(normal(&path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// `path` without `.` and, as far as it goes, without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_the_ids_of_github() {
        assert_eq!(
            slug("`prompt.dan-mode`: what it finds"),
            "promptdan-mode-what-it-finds"
        );
        let page = Page::read("# One\n\n## One\n\n[x](a.md#b) ![y](c.png)\n\n`[z](d.md)`");
        assert_eq!(page.anchors, ["one", "one-1"].map(String::from).into());
        assert_eq!(page.links, ["a.md#b", "c.png"]);
    }

    #[test]
    fn dead_links_and_unlisted_pages_are_named() {
        let folder = std::env::temp_dir().join(format!("bartizan-links-{}", std::process::id()));
        let book = folder.join("docs/src");
        fs::create_dir_all(&book).unwrap();
        fs::write(book.join("SUMMARY.md"), "- [A](a.md)\n").unwrap();
        fs::write(
            book.join("a.md"),
            "# A\n[self](#a) [no](#b) [gone](c.md) [b](b.md#x)\n",
        )
        .unwrap();
        fs::write(book.join("b.md"), "# B\n[web](https://example.org/x.md)\n").unwrap();
        let mistakes = broken(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let told: Vec<_> = mistakes
            .iter()
            .filter_map(|m| m.split_once(": "))
            .map(|m| m.1)
            .collect();
        assert_eq!(
            told,
            [
                "no heading for the link `#b`",
                "no file for the link `c.md`",
                "no heading for the link `b.md#x`"
            ]
        );
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        assert!(mistakes.last().unwrap().contains("b.md` is not in"));
    }
}
