use bartizan_gateway::record::{Receipt, RequestId, find};
use bartizan_ledger::{Folder, Reader};
use serde_json::json;

use super::{gateways, problem, trust_of, write};
use crate::{
    cli::{PlainFormat, Prove},
    exit::Exit,
    output,
    problem::{Problem, Problems},
};

/// The events that end a request; one of them is what a receipt is about.
const ENDS: [&str; 3] = ["llm_interaction", "ml_audit", "abandoned"];

/// Prints the proof of a request's entry.
pub(super) fn run(arguments: &Prove) -> Result<Exit, Problems> {
    let dir = gateways(arguments.dir.as_deref(), &arguments.place)?;
    let (folder, trust) = (Folder::shared(&dir), trust_of(&dir)?);
    let (reader, signed) = Reader::newest(&folder, &trust).map_err(problem)?;
    let (index, others) = place(&arguments.receipt, &reader)?;
    let (proof, entry) = reader.prove(index, &signed).map_err(problem)?;
    let proof = proof.to_string();
    if let Some(file) = &arguments.output {
        write(file, proof.as_bytes())?;
    }
    if let Some(file) = &arguments.entry {
        write(file, &entry)?;
    }
    let text = match arguments.place.format {
        PlainFormat::Json => {
            let others: Vec<_> = others
                .iter()
                .map(|other| json!({ "index": other.index, "event": other.kind }))
                .collect();
            let report = json!({
                "version": 1,
                "index": index,
                "size": signed.checkpoint.size,
                "entry": String::from_utf8_lossy(&entry),
                "proof": proof,
                "entries_of_request": others,
                "key": trust.ledger.to_string(),
            });
            format!("{report}\n")
        }
        PlainFormat::Human if arguments.output.is_some() => {
            format!("entry {index} of {} is proved\n", signed.checkpoint.size)
        }
        PlainFormat::Human => proof,
    };
    output::stdout(&text)?;
    if arguments.place.format == PlainFormat::Human {
        for other in others.iter().filter(|other| other.index != index) {
            output::note(&format!(
                "entry {} ({}) belongs to the same request",
                other.index, other.kind
            ));
        }
    }
    Ok(Exit::Clean)
}

/// The number of the entry that is meant, and all entries of its request.
fn place(receipt: &str, reader: &Reader<'_>) -> Result<(u64, Vec<Receipt>), Problem> {
    if let Ok(index) = receipt.parse() {
        return Ok((index, Vec::new()));
    }
    let Ok(request) = receipt.parse::<RequestId>() else {
        return Err(
            Problem::new("this is neither a request's id nor an entry's number")
                .help("the header `x-bartizan-request-id` of an answer has the id"),
        );
    };
    let found = find(reader, request).map_err(problem)?;
    let end = found
        .iter()
        .find(|receipt| ENDS.contains(&receipt.kind.as_str()));
    let Some(index) = end.or(found.first()).map(|receipt| receipt.index) else {
        return Err(
            Problem::new(format!("the ledger knows no request `{request}`"))
                .help("a request shows up in the ledger within a second"),
        );
    };
    Ok((index, found))
}
