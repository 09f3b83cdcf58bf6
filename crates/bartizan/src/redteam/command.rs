use std::{
    io::{Read, Write},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use bartizan_core::{Direction, Origin};
use bartizan_redteam::{Answer, Attempt, Reply, Target, TargetError};
use serde_json::json;

use crate::clock::Stopwatch;

/// A program that is started for each attempt: messages as JSON on its standard input, the answer on
/// its standard output. An exit code other than 0 is an error, 3 a refusal.
pub(crate) struct CommandTarget {
    pub(crate) program: PathBuf,
    pub(crate) timeout: Duration,
    /// Whether the program has a system prompt of its own.
    pub(crate) has_prompt: bool,
}

/// Most bytes of an answer.
const MAX_ANSWER: u64 = 4 << 20;

/// Between two looks at whether a program has ended.
const LOOK: Duration = Duration::from_millis(1);

/// The exit code of a program that stopped an attempt.
const STOPPED: i32 = 3;

impl Target for CommandTarget {
    fn ask(&self, attempt: &Attempt<'_>) -> Result<Reply, TargetError> {
        if attempt.test.direction == Direction::Output {
            return Err(TargetError::Unfit);
        }
        let messages: Vec<_> = attempt
            .turns
            .iter()
            .filter(|turn| !(self.has_prompt && turn.origin == Origin::System))
            .map(|turn| json!({ "origin": turn.origin, "kind": turn.kind, "text": turn.text }))
            .collect();
        let input = json!({ "messages": messages }).to_string();
        let mut child = Command::new(&self.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| TargetError::Unreachable)?;
        let watch = Stopwatch::start();
        let answer = self.exchange(&mut child, input);
        let status = answer.as_ref().and_then(|_| self.ended(&mut child, &watch));
        let (Some(answer), Some(status)) = (answer, status) else {
            // It did not end in time; nobody waits for it any more.
            let _ = child.kill();
            let _ = child.wait();
            return Err(TargetError::Unreachable);
        };
        match status.code() {
            Some(0) => Ok(Reply::Answered(Answer::of(String::from_utf8_lossy(
                &answer,
            )))),
            Some(STOPPED) => Ok(Reply::Answered(Answer::stopped())),
            _ => Err(TargetError::Crashed),
        }
    }
}

impl CommandTarget {
    /// Writes and reads at once, so that neither waits for the other; `None` when time is up.
    fn exchange(&self, child: &mut Child, input: String) -> Option<Vec<u8>> {
        let (mut stdin, stdout) = (child.stdin.take()?, child.stdout.take()?);
        let (done, answer) = mpsc::channel();
        // Both end when the program does, which is killed when time is up.
        thread::spawn(move || {
            // A program that does not read its input may still answer.
            let _ = stdin.write_all(input.as_bytes());
        });
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(MAX_ANSWER).read_to_end(&mut bytes);
            let _ = done.send(read.map(|_| bytes));
        });
        answer.recv_timeout(self.timeout).ok()?.ok()
    }

    /// How the program ended, which may be long after it closed its output; `None` when time is up.
    fn ended(&self, child: &mut Child, watch: &Stopwatch) -> Option<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait().ok()? {
                return Some(status);
            }
            if Duration::from_nanos(watch.nanos()) >= self.timeout {
                return None;
            }
            thread::sleep(LOOK);
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use bartizan_redteam::{Chain, named};

    use super::*;

    fn ask(script: &str, timeout: Duration) -> Result<Reply, TargetError> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("target");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let target = CommandTarget {
            program,
            timeout,
            has_prompt: false,
        };
        let suite = named("smoke").unwrap().unwrap();
        let attempt = Attempt::new(&suite.tests[0], &Chain::default(), 1).unwrap();
        target.ask(&attempt)
    }

    #[test]
    fn programs_answer_refuse_crash_and_hang() {
        let long = Duration::from_secs(60);
        let said = ask("cat >/dev/null; echo hello", long).unwrap();
        assert_eq!(said, Reply::Answered(Answer::of("hello\n")));
        let echoed = ask("cat", long).unwrap();
        let Reply::Answered(answer) = echoed else {
            panic!("programs answer")
        };
        assert!(answer.text.contains("\"origin\":\"user\""));
        let stopped = ask("exit 3", long).unwrap();
        assert_eq!(stopped, Reply::Answered(Answer::stopped()));
        assert_eq!(ask("exit 1", long), Err(TargetError::Crashed));
        let hung = ask("exec sleep 600", Duration::from_millis(50));
        assert_eq!(hung, Err(TargetError::Unreachable));
    }

    #[test]
    fn a_program_that_closes_its_output_and_lives_on_is_not_waited_for() {
        let lives = "echo hello; exec sleep 600 >&-";
        let said = ask(lives, Duration::from_millis(200));
        assert_eq!(said, Err(TargetError::Unreachable));
    }
}
