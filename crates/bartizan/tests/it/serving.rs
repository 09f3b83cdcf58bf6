//! A gateway as a process, and its folder.
#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for another process"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::helpers::Run;

/// A folder for the data and the configuration of one gateway.
pub(crate) struct Home {
    folder: TempDir,
}

/// A gateway that runs; killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
    /// What it printed when it started.
    pub(crate) welcome: String,
    errors: mpsc::Receiver<String>,
}

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn id(&self) -> String {
        let line = self
            .head
            .lines()
            .find_map(|line| line.strip_prefix("x-bartizan-request-id: "));
        line.unwrap().to_owned()
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.within(
            Command::new(assert_cmd::cargo::cargo_bin("bartizan")),
            arguments,
        )
    }

    pub(crate) fn within(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .current_dir(self.folder.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("NO_COLOR", "1")
            .args(arguments)
            .stdin(Stdio::null());
        for name in [
            "BARTIZAN_CONFIG",
            "BARTIZAN_POLICY",
            "BARTIZAN_KEY",
            "BARTIZAN_DATA",
            "BARTIZAN_LOG",
            "CREDENTIALS_DIRECTORY",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn serve(&self, more: &[&str]) -> Serving {
        let arguments = [
            &["serve", "--listen", "127.0.0.1:0", "--data", "data"],
            more,
        ]
        .concat();
        Serving::start(self.command(&arguments))
    }

    pub(crate) fn explain(&self, id: &str) -> Run {
        self.run(&["explain", id, "--data", "data"])
    }
}

impl Serving {
    pub(crate) fn start(mut command: Command) -> Self {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        let (say, said) = mpsc::channel();
        let (complain, errors) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = complain.send(line);
            }
        });
        let mut welcome = String::new();
        let until = Instant::now() + Duration::from_secs(60);
        // Everything is printed at once; what follows the address comes right after it.
        while let Ok(line) = said.recv_timeout(until.saturating_duration_since(Instant::now())) {
            welcome.push_str(&line);
            welcome.push('\n');
            if welcome.contains("data in ") {
                break;
            }
        }
        while let Ok(line) = said.recv_timeout(Duration::from_millis(300)) {
            welcome.push_str(&line);
            welcome.push('\n');
        }
        let address = welcome
            .lines()
            .find_map(|line| line.strip_prefix("listening at http://"));
        let Some(address) = address.map(str::to_owned) else {
            let _ = child.kill();
            let errors: Vec<String> = errors.iter().collect();
            panic!("it does not listen: {welcome} {errors:?}");
        };
        Self {
            child,
            address,
            welcome,
            errors,
        }
    }

    /// The key that it printed.
    pub(crate) fn key(&self) -> Option<String> {
        let line = self.welcome.lines().map(str::trim);
        line.filter(|line| line.starts_with("bz_"))
            .map(str::to_owned)
            .next()
    }

    pub(crate) fn send(&self, method: &str, path: &str, key: &str, body: &str) -> Got {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Got {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn chat(&self, key: &str, text: &str) -> Got {
        let body = json!({"model": "echo", "messages": [{"role": "user", "content": text}]});
        self.send("POST", "/v1/chat/completions", key, &body.to_string())
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it goes on");
    }

    /// Waits for words in its log.
    pub(crate) fn logs(&self, words: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while let Ok(line) = self
            .errors
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if line.contains(words) {
                return;
            }
        }
        panic!("the log does not say `{words}`");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}
