//! The reference pages of the book.

mod cli;
mod console;
mod coverage;
mod entities;
mod rules;
mod secrets;

use std::{collections::BTreeMap, path::Path};

use bartizan_core::RuleRef;
use bartizan_guard::{GuardBuilder, Settings, leak::WordLists, session, shape};
use bartizan_text::{
    names::{NameKind, NamesConfig},
    pii::PiiConfig,
};
use miette::IntoDiagnostic as _;

use crate::{
    generate::{Generated, Program},
    packs,
};

/// Every reference page, and every page with commands.
pub(crate) fn files(program: &Program, fresh: bool) -> miette::Result<Vec<Generated>> {
    let known = Known::load()?;
    let page = |path: &str, content| Generated {
        path: path.to_owned(),
        content,
    };
    let mut files = console::files(program, fresh)?;
    files.extend([
        page("docs/src/reference/rules.md", rules::page(&known)),
        page("docs/src/reference/entities.md", entities::page(&known)?),
        page("docs/src/reference/secrets.md", secrets::page(&known)),
        page("docs/src/reference/coverage.md", coverage::page(&known)),
        page("docs/src/reference/cli.md", cli::page(program)?),
    ]);
    Ok(files)
}

/// What stands at the top of every page.
const NOTICE: &str = "<!-- Made by `cargo xtask generate`; do not edit. -->";

/// Everything that can be reported.
struct Known {
    /// Rules by id.
    rules: BTreeMap<String, RuleRef>,
    /// Family and languages of the rules of packs, by id.
    packs: BTreeMap<String, (Option<String>, Vec<String>)>,
}

impl Known {
    fn load() -> miette::Result<Self> {
        let set = packs::load(Path::new("packs"))?;
        let packs = set
            .packs()
            .flat_map(|pack| pack.rules())
            .map(|info| {
                let family = info.family.map(str::to_owned);
                (info.rule.id.to_string(), (family, info.languages.to_vec()))
            })
            .collect();
        let settings = Settings {
            pii: everything(),
            names: NamesConfig {
                kinds: NameKind::ALL.to_vec(),
                ..NamesConfig::default()
            },
            ..Settings::default()
        };
        let builder = GuardBuilder::standard(&settings, set).into_diagnostic()?;
        // Only a program gives a guard lists of words.
        let builder = builder.check(Box::new(WordLists::new(&[]).into_diagnostic()?));
        let outside = shape::RULES.into_iter().chain(session::RULES);
        let outside = outside.chain(bartizan_agents::RULES);
        let rules = builder
            .build()
            .rules()
            .into_iter()
            .chain(outside.map(RuleRef::Static))
            .chain(bartizan_supply::rules().into_iter().map(RuleRef::Static))
            .chain(bartizan_supply::sign::rules())
            .chain(bartizan_supply::vuln::rules())
            .chain(bartizan_rag::rules())
            .chain(bartizan_posture::config::rules::pages())
            .chain(bartizan_mcp::RULES.map(RuleRef::Static))
            .map(|rule| (rule.id.to_string(), rule))
            .collect();
        Ok(Self { rules, packs })
    }

    /// The rules of the areas that `wanted` takes, by id.
    fn of(&self, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = &RuleRef> {
        self.rules
            .values()
            .filter(move |rule| wanted(area(&rule.id)))
    }
}

/// The configuration that looks for every entity.
fn everything() -> PiiConfig {
    PiiConfig {
        enable: entities::OFF.map(str::to_owned).to_vec(),
        ..PiiConfig::default()
    }
}

/// The part of a rule's id before the dot.
fn area(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// `text` as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
