//! Formats of models other than pickles, and what stands beside models: configurations, templates,
//! code, notebooks.

mod backdoor;
mod binary;
mod config;
mod danger;
mod graph;
mod graphs;
mod keras;
mod markup;
mod notebook;
mod opaque;
mod rules;
mod source;
mod template;
mod text;
mod texts;
mod trees;
mod weights;

use std::collections::HashSet;

use bartizan_core::CheckError;
use bartizan_formats::ParseError;

pub(crate) use binary::{
    CoreMlFile, GgufFile, Hdf5File, MsgPackFile, NativeFile, OnnxFile, OpaqueFile, RFile,
    SafetensorsFile, TensorFlowFile, TfLiteFile, UbjsonFile,
};
pub(crate) use texts::{JsonFile, PlainFile, XmlFile};

use crate::Desk;

/// Words of a list, one a line; lines that begin with `#` are comments.
fn words(list: &'static str) -> HashSet<&'static str> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// A file that breaks its format is a finding and a gap; one that is too large is a gap.
fn failed(desk: &mut Desk<'_>, error: ParseError) -> Result<(), CheckError> {
    let message = error.to_string();
    match error {
        ParseError::Exhausted { limit, max } => Err(CheckError::Exhausted { limit, at: max }),
        ParseError::Io(_) => Err(CheckError::Unavailable(message.into())),
        _ => {
            desk.report(&rules::BROKEN, None, message.clone())?;
            Err(CheckError::Malformed(message.into()))
        }
    }
}

/// A name of the file as it may stand in a message: nothing but a dotted name, and short.
fn shown(name: &str) -> String {
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '>' | '-' | ':' | '?');
    let clean: String = name
        .chars()
        .take(80)
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    clean
}

#[cfg(test)]
mod tests;
