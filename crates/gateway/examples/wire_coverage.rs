//! Prints the page of the reference about the coverage of the wire formats.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(bartizan_gateway::wire::coverage::markdown().as_bytes())
}
