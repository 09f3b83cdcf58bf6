//! Python source: which of the names that it uses are a risk, and which together are an attack.

use bartizan_core::{CheckError, Rule};
use bartizan_formats::python::{Argument, Use, tokens, uses};
use bartizan_formats::python::{Token, TokenKind};

use super::rules::{CODE_ATTACK, CODE_NOTE, CODE_RISK};
use crate::Desk;

/// What a name does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// Runs a program.
    Command,
    /// Runs text or bytes as code.
    Evaluate,
    /// Builds objects as a file says.
    Load,
    /// Does so only with certain arguments.
    LoadIf,
    /// Loads native code.
    Native,
    /// Talks to another machine.
    Network,
    /// Makes readable what is not.
    Decode,
}

/// Names by what they do; one that ends in `.` stands for all below it.
#[rustfmt::skip]
const DEEDS: &[(&str, Deed)] = &[
    ("os.system", Deed::Command), ("os.popen", Deed::Command), ("os.startfile", Deed::Command),
    ("os.?", Deed::Command), ("subprocess.?", Deed::Command), ("posix.?", Deed::Command),
    ("builtins.?", Deed::Evaluate), ("__builtins__.?", Deed::Evaluate), ("importlib.?", Deed::Evaluate),
    ("os.execl", Deed::Command), ("os.execle", Deed::Command), ("os.execlp", Deed::Command),
    ("os.execlpe", Deed::Command), ("os.execv", Deed::Command), ("os.execve", Deed::Command),
    ("os.execvp", Deed::Command), ("os.execvpe", Deed::Command), ("os.spawnl", Deed::Command),
    ("os.spawnle", Deed::Command), ("os.spawnlp", Deed::Command), ("os.spawnv", Deed::Command),
    ("os.spawnve", Deed::Command), ("os.spawnvp", Deed::Command), ("os.spawnvpe", Deed::Command),
    ("os.posix_spawn", Deed::Command), ("os.posix_spawnp", Deed::Command), ("os.fork", Deed::Command),
    ("posix.system", Deed::Command), ("posix.popen", Deed::Command), ("nt.system", Deed::Command),
    ("subprocess.run", Deed::Command), ("subprocess.call", Deed::Command),
    ("subprocess.Popen", Deed::Command), ("subprocess.check_call", Deed::Command),
    ("subprocess.check_output", Deed::Command), ("subprocess.getoutput", Deed::Command),
    ("subprocess.getstatusoutput", Deed::Command), ("_posixsubprocess.", Deed::Command),
    ("pty.spawn", Deed::Command), ("commands.", Deed::Command), ("pexpect.", Deed::Command),
    ("asyncio.create_subprocess_shell", Deed::Command), ("asyncio.create_subprocess_exec", Deed::Command),
    
    ("invoke.run", Deed::Command), ("get_ipython.system", Deed::Command),
    ("eval", Deed::Evaluate), ("exec", Deed::Evaluate), ("compile", Deed::Evaluate),
    ("execfile", Deed::Evaluate), ("builtins.eval", Deed::Evaluate), ("builtins.exec", Deed::Evaluate),
    ("builtins.compile", Deed::Evaluate), ("__builtins__.eval", Deed::Evaluate), ("__builtins__.exec", Deed::Evaluate),
    ("__builtins__.compile", Deed::Evaluate), ("__builtins__.__import__", Deed::Evaluate),
    ("__builtins__.getattr", Deed::Evaluate), ("__builtins__.__dict__", Deed::Evaluate),
    ("builtins.__import__", Deed::Evaluate), ("code.InteractiveConsole", Deed::Evaluate),
    ("code.interact", Deed::Evaluate), ("runpy.", Deed::Evaluate), ("types.CodeType", Deed::Evaluate),
    ("types.FunctionType", Deed::Evaluate), ("marshal.loads", Deed::Evaluate),
    ("marshal.load", Deed::Evaluate), ("pandas.eval", Deed::Load), ("sympy.sympify", Deed::Load),
    ("importlib.util.spec_from_loader", Deed::Evaluate), ("zipimport.zipimporter", Deed::Evaluate),
    ("pickle.load", Deed::Load), ("pickle.loads", Deed::Load), ("pickle.Unpickler", Deed::Load),
    ("_pickle.load", Deed::Load), ("_pickle.loads", Deed::Load), ("_pickle.Unpickler", Deed::Load),
    ("cPickle.load", Deed::Load), ("cPickle.loads", Deed::Load), ("cPickle.Unpickler", Deed::Load),
    ("cloudpickle.load", Deed::Load), ("cloudpickle.loads", Deed::Load), ("dill.load", Deed::Load),
    ("dill.loads", Deed::Load), ("dill.Unpickler", Deed::Load), ("joblib.load", Deed::Load),
    ("sklearn.externals.joblib.load", Deed::Load), ("shelve.open", Deed::Load),
    ("jsonpickle.decode", Deed::Load), ("pandas.read_pickle", Deed::Load),
    ("yaml.unsafe_load", Deed::Load), ("yaml.unsafe_load_all", Deed::Load),
    ("yaml.full_load", Deed::LoadIf), ("yaml.load", Deed::LoadIf), ("yaml.load_all", Deed::LoadIf),
    ("ruamel.yaml.load", Deed::LoadIf), ("numpy.load", Deed::LoadIf), ("torch.load", Deed::LoadIf),
    ("torch.hub.load", Deed::LoadIf), ("keras.models.load_model", Deed::LoadIf),
    ("keras.saving.load_model", Deed::LoadIf), ("tensorflow.keras.models.load_model", Deed::LoadIf),
    ("keras.config.enable_unsafe_deserialization", Deed::Load),
    ("torch.serialization.add_safe_globals", Deed::Load),
    ("skops.io.load", Deed::LoadIf), ("skops.io.loads", Deed::LoadIf),
    ("ctypes.CDLL", Deed::Native), ("ctypes.PyDLL", Deed::Native), ("ctypes.WinDLL", Deed::Native),
    ("ctypes.cdll.", Deed::Native), ("ctypes.windll.", Deed::Native), ("cffi.FFI", Deed::Native),
    ("torch.ops.load_library", Deed::Native), ("torch.classes.load_library", Deed::Native),
    ("tensorflow.load_op_library", Deed::Native), ("tensorflow.load_library", Deed::Native),
    ("torch.utils.cpp_extension.load", Deed::Native),
    ("torch.utils.cpp_extension.load_inline", Deed::Native),
    ("socket.socket", Deed::Network), ("socket.create_connection", Deed::Network),
    ("urllib.request.urlopen", Deed::Network), ("urllib.request.urlretrieve", Deed::Network),
    ("urllib.request.Request", Deed::Network), ("urllib.urlopen", Deed::Network),
    ("urllib2.urlopen", Deed::Network), ("requests.get", Deed::Network),
    ("requests.post", Deed::Network), ("requests.put", Deed::Network),
    ("requests.request", Deed::Network), ("requests.Session", Deed::Network),
    ("httpx.get", Deed::Network), ("httpx.post", Deed::Network), ("httpx.Client", Deed::Network),
    ("aiohttp.ClientSession", Deed::Network), ("http.client.HTTPConnection", Deed::Network),
    ("http.client.HTTPSConnection", Deed::Network), ("smtplib.SMTP", Deed::Network),
    ("ftplib.FTP", Deed::Network), ("telnetlib.Telnet", Deed::Network), ("paramiko.", Deed::Network),
    ("base64.b64decode", Deed::Decode), ("base64.b85decode", Deed::Decode),
    ("base64.b32decode", Deed::Decode), ("base64.b16decode", Deed::Decode),
    ("base64.a85decode", Deed::Decode), ("base64.urlsafe_b64decode", Deed::Decode),
    ("base64.decodebytes", Deed::Decode), ("binascii.unhexlify", Deed::Decode),
    ("binascii.a2b_base64", Deed::Decode), ("bytes.fromhex", Deed::Decode),
    ("bytearray.fromhex", Deed::Decode), ("zlib.decompress", Deed::Decode),
    ("gzip.decompress", Deed::Decode), ("lzma.decompress", Deed::Decode), ("bz2.decompress", Deed::Decode),
    ("codecs.decode", Deed::Decode), ("chr", Deed::Decode),
];

/// Parts of texts that only an attack on the reader's machine has, wherever they stand.
const SIGNS: &[&str] = &[
    "/dev/tcp/",
    "bash -i",
    "sh -i ",
    "nc -e",
    "ncat -e",
    "mkfifo ",
    "powershell -e",
    "-EncodedCommand",
    "IEX(",
    "certutil -urlcache",
    "/etc/cron",
    ":(){ :|:& };:",
    "mimikatz",
    "xmrig",
    "stratum+tcp",
    "LD_PRELOAD=",
];

/// Parts that only an attack has in a command that is run.
const COMMANDS: &[&str] = &[
    "| sh",
    "|sh",
    "| bash",
    "|bash",
    "rm -rf /",
    "rm -rf ~",
    "chmod +x /tmp",
    "chmod 777 /",
    "crontab -",
    "authorized_keys",
    "import pty",
    "socket.socket(",
    "Invoke-Expression",
    "base64 -d",
];

/// Parts of texts that name secrets of the reader's machine.
const SECRETS: &[&str] = &[
    "/etc/shadow",
    "/etc/passwd",
    ".ssh/id_",
    ".aws/credentials",
    ".kube/config",
    ".netrc",
    ".git-credentials",
    ".docker/config.json",
    ".bash_history",
    ".cache/huggingface/token",
    "wallet.dat",
    "Login Data",
];

/// Weighs Python source; `at` names the part of the file in messages, e.g. a cell.
pub(super) fn source(text: &str, at: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    desk.spend(text.len() as u64 >> 8)?;
    let Some(tokens) = tokens(text) else {
        return Err(CheckError::Exhausted {
            limit: "python tokens",
            at: 4_000_000,
        });
    };
    let mut seen = Seen::default();
    for one in uses(&tokens) {
        seen.weigh(&one);
    }
    seen.texts(&tokens);
    if odd_coding(text) {
        seen.attack(1, "the file is written in a coding that hides what it says");
    }
    seen.together();
    seen.list.sort();
    seen.list
        .dedup_by(|second, first| (second.0, &second.2) == (first.0, &first.2));
    for (severity, line, message) in seen.list {
        let rule: &'static Rule = match severity {
            ATTACK => &CODE_ATTACK,
            RISK => &CODE_RISK,
            _ => &CODE_NOTE,
        };
        desk.report(rule, None, format!("{at}line {line}: {message}"))?;
    }
    Ok(())
}

const ATTACK: u8 = 0;
const RISK: u8 = 1;
const NOTE: u8 = 2;

#[derive(Default)]
struct Seen {
    /// Rule, line, message.
    list: Vec<(u8, u32, String)>,
    commands: Option<u32>,
    evaluates: Option<u32>,
    network: Option<u32>,
    executes: Option<u32>,
    decodes: bool,
    duplicates: bool,
    environment: bool,
    secrets: bool,
}

impl Seen {
    fn attack(&mut self, line: u32, message: &str) {
        self.list.push((ATTACK, line, message.to_owned()));
    }

    fn weigh(&mut self, one: &Use) {
        let name = numpy_and_pandas(&one.name);
        let name = name.as_str();
        self.duplicates |= matches!(name, "os.dup2" | "pty.spawn");
        self.environment |= matches!(
            name,
            "os.environ" | "os.environ.copy" | "os.getenv" | "os.environ.items"
        );
        let Some(deed) = deed(name) else {
            if one.called && one.arguments.iter().any(is_shell) {
                self.risk(one, "runs a command through a shell");
            } else if one.called && one.arguments.iter().any(is_trust) {
                self.list
                    .push((NOTE, one.line, "loads code of a model's repository".into()));
            }
            return;
        };
        let bare = !name.contains('.');
        // A name without a module is a risk only where it is called.
        if !one.called
            && (bare
                || matches!(
                    deed,
                    Deed::LoadIf | Deed::Network | Deed::Decode | Deed::Native
                ))
        {
            return;
        }
        match deed {
            Deed::Command => {
                self.commands = self.commands.or(Some(one.line));
                self.command(one);
                self.risk(one, "runs a command");
            }
            Deed::Evaluate => {
                self.evaluates = self.evaluates.or(Some(one.line));
                self.command(one);
                let last = name.rsplit('.').next().unwrap_or_default();
                if matches!(last, "eval" | "exec" | "compile" | "execfile" | "__dict__") {
                    self.executes = self.executes.or(Some(one.line));
                }
                self.risk(one, "runs text or bytes as code");
            }
            Deed::Load => self.risk(one, "builds objects as a file says"),
            Deed::Native => self.risk(one, "loads native code"),
            Deed::LoadIf => self.load(name, one),
            Deed::Network => self.network = self.network.or(Some(one.line)),
            Deed::Decode => self.decodes = true,
        }
    }

    /// What is run, when it is written out.
    fn command(&mut self, one: &Use) {
        let texts = one
            .arguments
            .iter()
            .filter_map(|argument| argument.text.as_deref());
        if texts
            .into_iter()
            .any(|text| COMMANDS.iter().any(|sign| text.contains(sign)))
        {
            self.attack(one.line, "a command is one that only attacks have");
        }
    }

    fn risk(&mut self, one: &Use, what: &str) {
        let name = super::shown(&one.name);
        let when = if one.on_import {
            " when it is imported"
        } else {
            ""
        };
        let message = format!("`{name}` {what}{when}");
        self.list.push((RISK, one.line, message));
    }

    /// Loaders that are sound or not by their arguments.
    fn load(&mut self, name: &str, one: &Use) {
        let keyword = |key: &str| {
            let mut arguments = one.arguments.iter();
            arguments.find(|argument| argument.keyword.as_deref() == Some(key))
        };
        let is = |key: &str, value: &str| {
            keyword(key).is_some_and(|argument| argument.name.as_deref() == Some(value))
        };
        let last = name.rsplit('.').next().unwrap_or_default();
        match (name, last) {
            ("torch.load", _) if is("weights_only", "True") => {}
            ("torch.load", _) if is("weights_only", "False") => {
                self.risk(one, "builds objects as a file says");
            }
            ("torch.load", _) => {
                let message = "`torch.load` without `weights_only=True`".to_owned();
                self.list.push((NOTE, one.line, message));
            }
            ("numpy.load", _) if is("allow_pickle", "True") => {
                self.risk(one, "builds objects as a file says");
            }
            ("numpy.load", _) => {}
            ("torch.hub.load", _) => {
                let message = "`torch.hub.load` runs code of a repository".to_owned();
                self.list.push((NOTE, one.line, message));
            }
            (_, "load_model") if is("safe_mode", "False") => {
                self.risk(one, "loads layers that are code")
            }
            (_, "load_model") => {}
            (_, "loads") | ("skops.io.load", _) => {
                if is("trusted", "True") {
                    self.risk(one, "trusts every type of a file");
                }
            }
            ("yaml.full_load", _) => {}
            _ => {
                let safe = |argument: &Argument| {
                    argument.name.as_deref().is_some_and(|name| {
                        name.rsplit('.')
                            .next()
                            .is_some_and(|last| last.contains("Safe") || last == "BaseLoader")
                    })
                };
                if !one.arguments.iter().any(safe) {
                    self.risk(one, "builds objects as a file says");
                }
            }
        }
    }

    fn texts(&mut self, tokens: &[Token]) {
        for token in tokens {
            let TokenKind::Text(text) = &token.kind else {
                continue;
            };
            // A long text is documentation or data; a command is short.
            let runs = self.commands.is_some() || self.evaluates.is_some();
            if runs && text.len() < 2_000 && SIGNS.iter().any(|sign| text.contains(sign)) {
                self.attack(token.line, "a text is a command that only attacks have");
            }
            self.secrets |= SECRETS.iter().any(|secret| text.contains(secret));
        }
    }

    /// What is an attack only together.
    fn together(&mut self) {
        let (network, runs) = (self.network, self.commands.or(self.evaluates));
        if let Some(line) = self.executes.filter(|_| self.decodes) {
            self.attack(line, "code is decoded and run");
        }
        if let Some(line) = self.commands.filter(|_| self.decodes && network.is_some()) {
            self.attack(line, "a command is decoded and run");
        }
        if let Some(line) = network.filter(|_| self.duplicates) {
            self.attack(line, "a shell is opened to another machine");
        }
        if let Some(line) = network.filter(|_| self.secrets) {
            self.attack(
                line,
                "secrets of this machine are read, and another machine is spoken to",
            );
        }
        if self.secrets && network.is_none() {
            self.list.push((
                RISK,
                runs.unwrap_or(1),
                "secrets of this machine are named".into(),
            ));
        }
        if let Some(line) = network.filter(|_| runs.is_some()) {
            self.list.push((
                RISK,
                line,
                "another machine is spoken to by code that runs commands or text".into(),
            ));
        }
        if let Some(line) = network.filter(|_| self.environment) {
            self.list.push((
                RISK,
                line,
                "the environment is read by code that speaks to another machine".into(),
            ));
        }
    }
}

/// The usual short names stand for their modules even where the import is elsewhere.
fn numpy_and_pandas(name: &str) -> String {
    for (short, long) in [
        ("np.", "numpy."),
        ("pd.", "pandas."),
        ("tf.", "tensorflow."),
    ] {
        if let Some(rest) = name.strip_prefix(short) {
            return format!("{long}{rest}");
        }
    }
    name.to_owned()
}

fn deed(name: &str) -> Option<Deed> {
    let is = |known: &str| match known.strip_suffix('.') {
        Some(module) => name
            .strip_prefix(module)
            .is_some_and(|rest| rest.starts_with('.')),
        None => name == known,
    };
    DEEDS
        .iter()
        .find(|(known, _)| is(known))
        .map(|(_, deed)| *deed)
}

fn is_shell(argument: &Argument) -> bool {
    argument.keyword.as_deref() == Some("shell") && argument.name.as_deref() == Some("True")
}

fn is_trust(argument: &Argument) -> bool {
    argument.keyword.as_deref() == Some("trust_remote_code")
        && argument.name.as_deref() == Some("True")
}

/// A coding line (PEP 263) that turns comments into code.
fn odd_coding(text: &str) -> bool {
    text.lines().take(2).any(|line| {
        let line = line.trim_start();
        line.starts_with('#')
            && line.split_once("coding").is_some_and(|(_, rest)| {
                let name = rest
                    .trim_start_matches([':', '=', ' '])
                    .to_ascii_lowercase();
                [
                    "rot",
                    "utf-7",
                    "utf7",
                    "utf_7",
                    "unicode",
                    "raw_unicode",
                    "punycode",
                    "idna",
                    "hex",
                    "base64",
                ]
                .iter()
                .any(|odd| name.starts_with(odd))
            })
    })
}

/// Whether text without a telling name reads as Python: imports and definitions at the starts of lines.
pub(super) fn is_python(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with("#!") && first.contains("python") {
        return true;
    }
    let tells = |line: &&str| {
        let is_name = |word: &str| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c == '_' || c == '.' || c.is_alphanumeric())
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["import", name] => is_name(name.trim_end_matches([';', ','])),
            ["import", name, "as", ..] => is_name(name),
            ["from", name, "import", ..] => is_name(name),
            ["def" | "class", ..] => line.trim_end().ends_with(':'),
            _ => line.starts_with("import ") && line.contains(';'),
        }
    };
    text.lines().take(400).filter(tells).count() >= 1
}
