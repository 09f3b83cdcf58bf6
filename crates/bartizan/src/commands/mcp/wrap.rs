//! `bartizan mcp wrap`: a client on our standard streams, a server below us.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use bartizan_gateway::mcp::{Heard, Program, lines};
use bartizan_mcp::{Action, Malformed, Outcome, Record, Session, Side, Who};
use serde_json::json;

use super::place::{Here, Place, Way};
use crate::{
    cli::McpWrap,
    clock,
    exit::Exit,
    output,
    problem::{Problem, Problems},
};

/// How often waiting requests are looked after.
const TICK: Duration = Duration::from_secs(1);

/// Goes on until either side ends.
pub(super) fn run(arguments: &McpWrap) -> Result<Exit, Problems> {
    let place = Place::new(&arguments.server, |_, _| {})?;
    let Way::Program(command, variables) = &place.way else {
        let message = "`wrap` stands before a program; addresses are served by the gateway";
        let help =
            "name the server under `mcp.servers`, start `bartizan serve`, and use `/mcp/NAME`";
        return Err(Problem::new(message).help(help).into());
    };
    let record = arguments.record.as_ref().map(|path| {
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.map_err(|error| Problem::new(format!("cannot write {}: {error}", path.display())))
    });
    let record = record.transpose()?;
    let max = place.gate.config().limits.max_message_bytes;
    let (sender, heard) = channel();
    let from_server = sender.clone();
    let program = Program::start(command, variables.clone(), max, move |heard| {
        from_server.send((Side::Server, heard)).is_ok()
    });
    let program = program.map_err(|error| {
        let name = command.first().map_or("", String::as_str);
        Problem::new(format!("cannot start `{name}`: {error}"))
    })?;
    thread::spawn(move || {
        lines(io::stdin(), max, |heard| {
            sender.send((Side::Client, heard)).is_ok()
        });
    });
    let session = Session::new(std::sync::Arc::clone(&place.gate), Who::default());
    let mut wrap = Wrap {
        place,
        program,
        session,
        world: Here::new(),
        record,
    };
    let mut is_left = false;
    loop {
        // What was asked before the client closed its side is still answered.
        if is_left && wrap.session.is_idle() {
            return wrap.end(Side::Client);
        }
        let next = match heard.recv_timeout(TICK) {
            Ok(next) => Some(next),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return wrap.end(Side::Client),
        };
        let ended = match next {
            None => {
                let actions = wrap.session.tick(&mut wrap.world);
                wrap.perform(actions)?
            }
            Some((side, Heard::Line(line))) => {
                let actions = match side {
                    Side::Client => wrap.session.from_client(&line, &mut wrap.world),
                    Side::Server => wrap.session.from_server(&line, &mut wrap.world),
                };
                wrap.perform(actions)?
            }
            Some((Side::Client, Heard::Ended)) => {
                is_left = true;
                None
            }
            Some((Side::Server, Heard::Ended)) => Some(Side::Server),
            Some((side, Heard::TooLong)) => {
                return Err(broken(side, &Malformed::TooLong(max)).into());
            }
        };
        if let Some(side) = ended {
            return wrap.end(side);
        }
    }
}

struct Wrap {
    place: Place,
    program: Program,
    session: Session,
    world: Here,
    record: Option<File>,
}

impl Wrap {
    /// Does what is to be done; gives the side that has ended, if one has.
    fn perform(&mut self, actions: Vec<Action>) -> Result<Option<Side>, Problem> {
        let is_learned = actions
            .iter()
            .any(|action| matches!(action, Action::Learned));
        if is_learned {
            self.place.keep_pins()?;
        }
        for action in actions {
            match action {
                Action::ToServer(message) => {
                    if let Err(error) = self.program.send(message.bytes) {
                        let message = format!("the server does not read: {error}");
                        return Err(Problem::new(message));
                    }
                }
                Action::ToClient(message) => {
                    let mut line = message.bytes;
                    line.push(b'\n');
                    if !output::data(&line)? {
                        return Ok(Some(Side::Client));
                    }
                }
                Action::Record(record) => self.keep(&record)?,
                Action::Asked(_) => output::note(
                    "a call waits for a person, whom only the gateway can ask; it was refused",
                ),
                Action::Learned => {}
                Action::Close(side, why) => return Err(broken(side, &why)),
            }
        }
        Ok(None)
    }

    fn keep(&mut self, record: &Record) -> Result<(), Problem> {
        let is_call = record.method == "tools/call";
        if record.outcome == Outcome::Passed && !is_call {
            return Ok(());
        }
        let (name, rules) = (record.name.as_deref(), record.rules().join(" "));
        if record.outcome > Outcome::Redacted {
            let name = name.map(|name| format!(" `{}`", name.escape_debug()));
            let name = name.unwrap_or_default();
            output::note(&format!(
                "{}{name} {}: {rules}",
                record.method,
                record.outcome.as_str()
            ));
        }
        let Some(file) = &mut self.record else {
            return Ok(());
        };
        let line = json!({
            "at": clock::now(),
            "server": self.place.gate.name(),
            "from": match record.from { Side::Client => "client", Side::Server => "server" },
            "method": record.method,
            "name": name,
            "outcome": record.outcome.as_str(),
            "rules": record.rules(),
        });
        // A call that cannot be recorded is not made.
        writeln!(file, "{line}").map_err(|error| Problem::new(format!("cannot record: {error}")))
    }

    /// The client has gone, or the server has.
    fn end(mut self, side: Side) -> Result<Exit, Problems> {
        let status = self.program.end();
        match (side, status) {
            (Side::Client, _) => Ok(Exit::Clean),
            (Side::Server, Ok(status)) => {
                let code = status.code().and_then(|code| u8::try_from(code).ok());
                output::note("the server has ended");
                Ok(Exit::Command(code.unwrap_or(1)))
            }
            (Side::Server, Err(error)) => {
                Err(Problem::new(format!("the server has ended: {error}")).into())
            }
        }
    }
}

fn broken(side: Side, why: &Malformed) -> Problem {
    let (who, help) = match side {
        Side::Client => ("client", "send one message of JSON-RPC 2.0 on each line"),
        Side::Server => (
            "server",
            "a server writes nothing but messages to its standard output; its log goes to standard error",
        ),
    };
    Problem::new(format!("the {who} does not keep to the protocol: {why}")).help(help)
}
