//! The report as a page that stands alone.

use std::collections::BTreeMap;

use bartizan_core::Rule;
use maud::{Markup, html};

use super::{Entry, Line, Listing};
use crate::{
    exit::Exit,
    render::{
        evaluation::text::many,
        human::{plural, short},
        page::Page,
    },
};

/// The page: what it comes to, every file that is not clean, and what the rules are about.
pub(crate) fn page(listing: &Listing<'_>) -> String {
    let exit = listing.files.iter().map(Entry::exit);
    let exit = exit.fold(Exit::Clean, Exit::join);
    Page {
        title: &format!("Bartizan {}", listing.command),
        style: "",
        header: html! {
            header {
                h1 { "Bartizan " (listing.command) ": " (word(exit)) }
                p class="lead" {
                    (many(listing.files.len() as u64)) " "
                    (plural(listing.files.len(), "subject")) " looked at."
                }
            }
        },
        main: html! {
            (cards(listing))
            (left_out(listing))
            (findings(listing))
            (rules(listing))
            (looked_at(listing))
        },
        footer: html! {
            footer { p {
                "bartizan " (env!("CARGO_PKG_VERSION")) ", policy "
                code { (short(listing.policy_version)) } "."
            } }
        },
    }
    .render()
}

const fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Clean => "nothing found",
        Exit::Incomplete => "not everything was looked at",
        _ => "something was found",
    }
}

fn cards(listing: &Listing<'_>) -> Markup {
    html! {
        ul class="cards" {
            @for (severity, count) in listing.by_severity() {
                li { span { (severity.as_str()) } b { (many(count as u64)) } }
            }
        }
    }
}

/// What nobody can vouch for, before everything else.
fn left_out(listing: &Listing<'_>) -> Markup {
    let open: Vec<&Entry<'_>> = listing
        .files
        .iter()
        .filter(|file| !file.gaps.is_empty())
        .collect();
    html! {
        @if !open.is_empty() {
            div class="warn" role="note" {
                p { strong { "Not everything was looked at. What is listed here is not clean." } }
                ul { @for file in open { @for (check, why) in &file.gaps {
                    li { code { (file.path) } ": " (check) ": " (why) }
                } } }
            }
        }
    }
}

fn findings(listing: &Listing<'_>) -> Markup {
    let lines = || {
        let files = listing.files.iter();
        files.flat_map(|file| file.lines.iter().map(move |line| (file, line)))
    };
    html! {
        @if lines().next().is_some() {
            h2 { "Findings" }
            div class="scroll" { table {
                thead { tr { th scope="col" class="text" { "file" } th scope="col" class="text" { "place" }
                    th scope="col" class="text" { "severity" } th scope="col" class="text" { "rule" }
                    th scope="col" class="text" { "what" } th scope="col" class="text" { "leads to" } } }
                tbody { @for (file, line) in lines() { (row(file, line)) } }
            } }
        }
    }
}

fn row(file: &Entry<'_>, line: &Line<'_>) -> Markup {
    let rule = &line.finding.rule;
    html! {
        tr {
            th scope="row" class="text" { code { (file.path) } }
            td class="text" { (line.place) }
            td class="text" { (rule.severity.as_str()) }
            td class="text" { a href={ "#" (rule.id) } { code { (rule.id) } } }
            td class="text" { (line.text()) }
            td class="text" {
                @match line.waived {
                    Some(why) => { (why) }
                    None => { strong class="failed" { (line.reason.action.as_str()) } }
                }
            }
        }
    }
}

fn rules(listing: &Listing<'_>) -> Markup {
    let lines = listing.files.iter().flat_map(|file| &file.lines);
    let rules: BTreeMap<&str, &Rule> = lines
        .map(|line| -> (&str, &Rule) { (&line.finding.rule.id, &line.finding.rule) })
        .collect();
    html! {
        @if !rules.is_empty() {
            h2 { "Rules" }
            @for (id, rule) in rules {
                h3 id=(id) { (rule.title) " " code { (id) } }
                p { (rule.why) }
                p { strong { "What to do: " } (rule.fix) }
            }
        }
    }
}

fn looked_at(listing: &Listing<'_>) -> Markup {
    html! {
        h2 { "What was looked at" }
        details {
            summary { (many(listing.files.len() as u64)) " " (plural(listing.files.len(), "subject")) }
            div class="scroll" { table {
                thead { tr { th scope="col" class="text" { "subject" } th scope="col" class="text" { "what it is" }
                    th scope="col" class="text" { "checks" } th scope="col" class="text" { "" } } }
                tbody { @for file in &listing.files { tr {
                    th scope="row" class="text" { code { (file.path) } }
                    td class="text" { (file.about) }
                    td class="text" { (file.checks.join(", ")) }
                    @let exit = file.exit();
                    td class={ "text " @if exit == Exit::Clean { "passed" } @else { "failed" } } { (word(exit)) }
                } } }
            } }
        }
    }
}
