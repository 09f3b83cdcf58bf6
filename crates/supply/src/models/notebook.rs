use bartizan_core::CheckError;
use bartizan_formats::Json;

use super::{
    rules::{CODE_ATTACK, NOTEBOOK_HTML, NOTEBOOK_SCRIPT},
    source::source,
};
use crate::Desk;

/// Parts of scripts that talk to the server, to others, or to the notebook's kernel.
const ACTIVE: &[&str] = &[
    "kernel.execute",
    "IPython.notebook.kernel",
    "document.cookie",
    "XMLHttpRequest",
    "fetch(",
    "WebSocket(",
    "eval(",
    "atob(",
    "localStorage",
    "navigator.sendBeacon",
    "/api/contents",
    "/api/kernels",
    "/api/terminals",
];

/// Marks of plotting libraries, whose scripts fetch their own parts.
const PLOTS: &[&str] = &[
    "Plotly",
    "plotly",
    "Bokeh",
    "bokeh",
    "vega",
    "mpld3",
    "HoloViews",
    "folium",
    "altair",
];

/// Whether a value is a Jupyter notebook.
pub(super) fn is_notebook(json: &Json) -> bool {
    json.get("nbformat").is_some()
        && (json.get("cells").is_some() || json.get("worksheets").is_some())
}

/// Weighs the code of a notebook's cells and what their outputs would run.
pub(super) fn notebook(json: &Json, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let sheets = json.get("worksheets").map_or(&[][..], Json::items);
    let cells = json.get("cells").map_or(&[][..], Json::items).iter();
    let cells = cells.chain(
        sheets
            .iter()
            .flat_map(|sheet| sheet.get("cells").map_or(&[][..], Json::items)),
    );
    for (index, cell) in cells.enumerate() {
        let text = text_of(cell.get("source").or_else(|| cell.get("input")));
        if cell.text("cell_type") == Some("code") {
            code(&text, index, desk)?;
        } else if is_script(&text) {
            desk.report(
                &NOTEBOOK_SCRIPT,
                None,
                format!("cell {index}: the text holds a script"),
            )?;
        }
        for output in cell.get("outputs").map_or(&[][..], Json::items) {
            show(output, index, desk)?;
        }
    }
    Ok(())
}

/// Lines of a cell come as one text or as a list.
fn text_of(value: Option<&Json>) -> String {
    let Some(value) = value else {
        return String::new();
    };
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.items().iter().filter_map(Json::as_str).collect(),
    }
}

/// A cell's Python, with IPython's own lines read for themselves.
fn code(text: &str, index: usize, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let mut python = String::new();
    let mut shell = Vec::new();
    let first = text.trim_start().lines().next().unwrap_or_default();
    let whole_shell = [
        "%%bash",
        "%%sh",
        "%%script",
        "%%!",
        "%%system",
        "%%cmd",
        "%%powershell",
    ]
    .iter()
    .any(|magic| first.starts_with(magic));
    let foreign = whole_shell
        || [
            "%%html",
            "%%javascript",
            "%%js",
            "%%latex",
            "%%svg",
            "%%markdown",
        ]
        .iter()
        .any(|magic| first.starts_with(magic));
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start();
        if whole_shell
            || bare.starts_with('!')
            || bare.starts_with("%sx")
            || bare.starts_with("%system")
        {
            shell.push(bare.trim_start_matches('!'));
            python.push('\n');
        } else if foreign || bare.starts_with('%') {
            python.push('\n');
        } else {
            // `x = !command`
            let assigned = line.split_once("= !").or_else(|| line.split_once("=!"));
            shell.extend(assigned.map(|(_, command)| command));
            python.push_str(if assigned.is_some() { "\n" } else { line });
        }
    }
    if shell.iter().any(|line| is_hostile(line)) {
        desk.report(
            &CODE_ATTACK,
            None,
            format!("cell {index}: a command fetches and runs a program"),
        )?;
    }
    if foreign && !whole_shell && is_script(text) {
        desk.report(
            &NOTEBOOK_SCRIPT,
            None,
            format!("cell {index}: a script acts on the page"),
        )?;
    }
    source(&python, &format!("cell {index}, "), desk)
}

/// Whether a line fetches a program and runs it, or opens a shell to another machine.
pub(super) fn is_hostile(line: &str) -> bool {
    let fetches = ["curl ", "wget ", "base64 -d", "base64 --decode"]
        .iter()
        .any(|word| line.contains(word));
    let runs = [
        "| sh", "|sh", "| bash", "|bash", "| python", "|python", "| sudo", "&& sh ", "; sh ",
        "&& bash ", "; bash ", "&& chmod", "; chmod",
    ]
    .iter()
    .any(|word| line.contains(word));
    let opens = ["/dev/tcp/", "nc -e", "ncat -e", "bash -i", "mkfifo "]
        .iter()
        .any(|word| line.contains(word));
    let sends = ["/etc/passwd", "/etc/shadow", ".ssh/", ".aws/"]
        .iter()
        .any(|word| line.contains(word));
    fetches && (runs || sends) || opens
}

/// Markup that runs by itself and acts.
fn is_script(text: &str) -> bool {
    let folded = text.to_ascii_lowercase();
    let handler = [
        "onerror=",
        "onload=",
        "onclick=",
        "onmouseover=",
        "onfocus=",
        "ontoggle=",
        "javascript:",
    ]
    .iter()
    .any(|word| folded.contains(word));
    let acts = ACTIVE.iter().any(|word| text.contains(word));
    let embeds = folded.contains("<iframe")
        && (folded.contains("srcdoc=") || folded.contains("src=\"data:"));
    handler && folded.contains('<') || embeds || folded.contains("<script") && acts
}

fn show(output: &Json, index: usize, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let data = output.get("data").unwrap_or(output);
    for (kind, value) in data.entries() {
        let is_markup = matches!(
            kind.as_str(),
            "text/html" | "image/svg+xml" | "html" | "svg" | "text/markdown"
        );
        let is_code = matches!(
            kind.as_str(),
            "application/javascript" | "text/javascript" | "javascript"
        );
        if !is_markup && !is_code {
            continue;
        }
        let text = text_of(Some(value));
        let plots = PLOTS.iter().any(|mark| text.contains(mark));
        let kernel = text.contains("kernel.execute") || text.contains("document.cookie");
        let acts = is_script(&text) || is_code && ACTIVE.iter().any(|word| text.contains(word));
        if kernel || acts && !plots {
            desk.report(
                &NOTEBOOK_SCRIPT,
                None,
                format!("cell {index}: an output acts on the page"),
            )?;
        } else if is_code || text.contains("<script") {
            desk.report(
                &NOTEBOOK_HTML,
                None,
                format!("cell {index}: an output holds a script"),
            )?;
        }
    }
    Ok(())
}
