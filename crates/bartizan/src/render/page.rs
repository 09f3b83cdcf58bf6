//! The frame of every page that stands alone: no scripts, nothing loaded.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a page may do: show itself.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page, part by part.
pub(crate) struct Page<'a> {
    /// Its title.
    pub(crate) title: &'a str,
    /// Rules of style beside the shared ones.
    pub(crate) style: &'static str,
    /// What stands above everything.
    pub(crate) header: Markup,
    /// What it is about.
    pub(crate) main: Markup,
    /// What stands below everything.
    pub(crate) footer: Markup,
}

impl Page<'_> {
    /// The page as HTML.
    pub(crate) fn render(self) -> String {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(CONTENT_POLICY);
                    title { (self.title) }
                    style { (PreEscaped(include_str!("page.css"))) (PreEscaped(self.style)) }
                }
                body {
                    (self.header)
                    main { (self.main) }
                    (self.footer)
                }
            }
        }
        .into_string()
    }
}
