use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};

/// A server that is a program: a message on each line of its standard input and output (revision
/// 2025-11-25, "Transports": stdio). What it writes to its standard error goes to ours, unread.
///
/// Ends with this value: its input is closed, and what does not end by itself is killed.
#[derive(Debug)]
pub struct Program {
    child: Child,
    input: Option<SyncSender<Vec<u8>>>,
}

/// What comes from a program, or from whoever started us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line, without its end.
    Line(Vec<u8>),
    /// A line longer than allowed. Nothing comes after it.
    TooLong,
    /// The end.
    Ended,
}

/// Messages that wait until the program reads them; more mean that it does not.
const MAX_WAITING: usize = 256;
/// How long a program may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// Variables that a server inherits: those that finding programs and folders takes, and nothing that
/// could be a secret of ours.
const INHERITED: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "TERM",
    "TMPDIR",
    "TZ",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
];

impl Program {
    /// Starts a program. It inherits all variables if `variables` is `None`, and otherwise those that
    /// every program needs beside `variables`. `each` hears what it says, on a thread of its own,
    /// until it gives `false`.
    ///
    /// # Errors
    /// When there is no such program, or it cannot be started.
    pub fn start(
        command: &[impl AsRef<std::ffi::OsStr>],
        variables: Option<Vec<(String, String)>>,
        max_line: usize,
        each: impl FnMut(Heard) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let [program, arguments @ ..] = command else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut start = Command::new(program);
        start
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        if let Some(variables) = variables {
            let inherited = INHERITED.iter().filter_map(|name| {
                let value: OsString = std::env::var_os(name)?;
                Some((*name, value))
            });
            start.env_clear().envs(inherited).envs(variables);
        }
        let mut child = start.spawn()?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (input, messages) = sync_channel::<Vec<u8>>(MAX_WAITING);
        // Ends when the program reads no more, or when this value is gone.
        thread::spawn(move || {
            for mut message in messages {
                message.push(b'\n');
                if stdin
                    .write_all(&message)
                    .and_then(|()| stdin.flush())
                    .is_err()
                {
                    return;
                }
            }
        });
        thread::spawn(move || lines(stdout, max_line, each));
        Ok(Self {
            child,
            input: Some(input),
        })
    }

    /// Sends a message: JSON on one line.
    ///
    /// # Errors
    /// When the program has ended, or does not read.
    pub fn send(&self, message: Vec<u8>) -> io::Result<()> {
        let input = self.input.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        input.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => io::ErrorKind::WouldBlock.into(),
            TrySendError::Disconnected(_) => io::ErrorKind::BrokenPipe.into(),
        })
    }

    /// Says that nothing more comes, and waits for the end of the program; kills it if it does not
    /// end by itself.
    ///
    /// # Errors
    /// When nobody knows how it ended.
    pub fn end(&mut self) -> io::Result<ExitStatus> {
        self.input = None;
        let step = Duration::from_millis(10);
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(step);
            waited += step;
        }
        let _ = self.child.kill();
        self.child.wait()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.input = None;
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads lines of at most `max` bytes until `each` gives `false`, a line is longer, or the end comes.
/// Empty lines are read over.
pub fn lines(source: impl Read, max: usize, mut each: impl FnMut(Heard) -> bool) {
    let mut source = BufReader::new(source);
    loop {
        let mut line = Vec::new();
        // With the end of a line of either kind.
        let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(2);
        let read = source.by_ref().take(limit).read_until(b'\n', &mut line);
        if !matches!(read, Ok(1..)) {
            each(Heard::Ended);
            return;
        }
        if line.pop_if(|last| *last == b'\n').is_some() {
            line.pop_if(|last| *last == b'\r');
        }
        if line.len() > max {
            each(Heard::TooLong);
            return;
        }
        if !line.is_empty() && !each(Heard::Line(line)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn heard(text: &str, max: usize) -> Vec<Heard> {
        let mut all = Vec::new();
        lines(text.as_bytes(), max, |heard| {
            all.push(heard);
            true
        });
        all
    }

    #[test]
    fn lines_are_bounded() {
        let line = |text: &str| Heard::Line(text.into());
        assert_eq!(
            heard("ab\r\n\ncd", 2),
            [line("ab"), line("cd"), Heard::Ended]
        );
        assert_eq!(heard("ab\nabc\nd\n", 2), [line("ab"), Heard::TooLong]);
    }

    #[test]
    fn a_program_is_spoken_to_and_ends() {
        let (sender, receiver) = channel();
        let mut cat = Program::start(&["cat"], Some(Vec::new()), 100, move |heard| {
            sender.send(heard).is_ok()
        })
        .unwrap();
        cat.send(b"one".to_vec()).unwrap();
        assert_eq!(receiver.recv().unwrap(), Heard::Line(b"one".to_vec()));
        assert!(cat.end().unwrap().success());
        assert_eq!(receiver.recv().unwrap(), Heard::Ended);
        assert!(cat.send(b"two".to_vec()).is_err());
    }

    #[test]
    fn a_program_does_not_get_our_variables() {
        let (sender, receiver) = channel();
        let variables = Some(vec![("GIVEN".to_owned(), "yes".to_owned())]);
        // Cargo sets this one for every test.
        let script = ["sh", "-c", "echo \"$GIVEN $CARGO_MANIFEST_DIR.\""];
        let _shell = Program::start(&script, variables, 100, move |heard| {
            sender.send(heard).is_ok()
        });
        assert_eq!(receiver.recv().unwrap(), Heard::Line(b"yes .".to_vec()));
    }
}
