//! What `hash`, `sign`, `verify`, and `provenance` share: keys, trust, and what is digested.

use std::{
    io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use bartizan_supply::{
    digest::{Algorithm, DigestError, Granularity, Selection},
    sign::{
        Bundle, Certificate, MAX_BUNDLE_BYTES, PublicKey, Roots, SignError, Signer, SigningKey,
        Trust, TrustPolicy, VerifyError,
    },
};
use zeroize::Zeroizing;

use crate::{
    cli::{DigestAlgorithm, Digesting, SigningKeyPlace, TrustPlace},
    env,
    input::{escaped, read_bytes, read_text, read_up_to},
    problem::Problem,
    render::safe,
};

/// Where a signature is unless somebody says otherwise.
pub(crate) const SIGNATURE: &str = "model.sig";

/// Most bytes of a key or of certificates.
const MAX_KEY_BYTES: u64 = 1 << 20;

/// Most bytes of a file that is signed as a whole.
pub(crate) const MAX_BLOB_BYTES: u64 = 1 << 30;

pub(crate) fn algorithm(name: DigestAlgorithm) -> Algorithm {
    match name {
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
        DigestAlgorithm::Blake2b => Algorithm::Blake2b,
        DigestAlgorithm::Blake3 => Algorithm::Blake3,
    }
}

pub(crate) fn granularity(digesting: &Digesting) -> Granularity {
    digesting
        .shards
        .map_or(Granularity::Files, Granularity::Shards)
}

/// What counts in a folder.
pub(crate) fn selection(digesting: &Digesting, ignore_git: bool) -> Selection {
    let git = Selection::GIT.into_iter().filter(|_| ignore_git);
    Selection {
        allow_symlinks: digesting.allow_symlinks,
        ignored: git
            .map(str::to_owned)
            .chain(digesting.ignore.iter().map(|name| plain(name)))
            .collect(),
    }
}

/// A name as a manifest has it.
pub(crate) fn plain(name: &str) -> String {
    name.trim_start_matches("./")
        .trim_end_matches('/')
        .to_owned()
}

/// As many threads as asked for, or as there are processors.
pub(crate) fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    let there = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    asked.unwrap_or_else(there)
}

/// Who signs, from files and the environment.
pub(crate) fn signer(place: &SigningKeyPlace) -> Result<Signer, Problem> {
    let pem = match (&place.key, env::get(env::SIGNING_KEY)) {
        (Some(path), _) => Zeroizing::new(read_bytes(path, MAX_KEY_BYTES)?),
        (None, Some(pem)) => Zeroizing::new(pem.into_encoded_bytes()),
        (None, None) => {
            let message = format!(
                "no key to sign with: neither `--key` nor `{}`",
                env::SIGNING_KEY
            );
            return Err(Problem::new(message)
                .help("`openssl ecparam -name prime256v1 -genkey -noout -out key.pem` makes one"));
        }
    };
    let key = SigningKey::from_pem(&pem).map_err(|error| sign_problem(&error))?;
    let Some(certificate) = &place.certificate else {
        return Ok(Signer::Key(key));
    };
    let first = read_bytes(certificate, MAX_KEY_BYTES)?;
    let further = read_all(&place.certificate_chain)?;
    Certificate::from_pem(&first, &further)
        .and_then(|certificate| Signer::certified(key, certificate))
        .map_err(|error| sign_problem(&error))
}

/// A shared key: the file without the end of its last line.
pub(crate) fn shared_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut key = Zeroizing::new(read_bytes(path, MAX_KEY_BYTES)?);
    while key.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        key.pop();
    }
    Ok(key)
}

/// Whose signatures count.
pub(crate) enum Trusted {
    /// Keys and certificates that were named one by one.
    These {
        trust: Box<Trust>,
        identities: Vec<String>,
    },
    /// What a policy file says.
    Policy(TrustPolicy),
}

pub(crate) fn trusted(place: &TrustPlace) -> Result<Trusted, Problem> {
    if let Some(path) = &place.trust {
        return policy(path).map(Trusted::Policy);
    }
    let mut keys = Vec::new();
    for path in &place.key {
        let key = PublicKey::from_pem(&read_bytes(path, MAX_KEY_BYTES)?);
        keys.push(key.map_err(|error| file_problem(path, &error))?);
    }
    let roots = match place.certificate_chain.as_slice() {
        [] => None,
        [first, ..] => Some(
            Roots::from_pem(&read_all(&place.certificate_chain)?)
                .map_err(|error| file_problem(first, &error))?,
        ),
    };
    if keys.is_empty() && roots.is_none() {
        return Err(
            Problem::new("nobody is trusted: no key, no certificates, and no policy")
                .help("give `--key`, `--certificate-chain`, or `--trust`"),
        );
    }
    Ok(Trusted::These {
        trust: Box::new(Trust {
            keys,
            roots,
            accept_old: place.accept_old,
        }),
        identities: place.identity.clone(),
    })
}

fn policy(path: &Path) -> Result<TrustPolicy, Problem> {
    let text = read_text(path).map_err(|mut problems| problems.remove(0))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = |name: &str| {
        let bytes = read_up_to(std::fs::File::open(folder.join(name))?, MAX_KEY_BYTES)?;
        bytes.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))
    };
    TrustPolicy::parse(&text, &read)
        .map_err(|error| Problem::new(format!("{}: {error}", escaped(path))))
}

/// A signature; `None` if there is none.
pub(crate) fn bundle(path: &Path) -> Result<Option<Result<Bundle, VerifyError>>, Problem> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_bytes(path, MAX_BUNDLE_BYTES as u64)?;
    Ok(Some(Bundle::parse(&bytes)))
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, Problem> {
    let files = paths.iter().map(|path| read_bytes(path, MAX_KEY_BYTES));
    files.collect()
}

fn file_problem(path: &Path, error: &VerifyError) -> Problem {
    Problem::new(format!("{}: {error}", escaped(path)))
}

/// Runs the user's command and waits for its end.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus, Problem> {
    command.status().map_err(|error| {
        let program = safe::line(&command.get_program().to_string_lossy());
        Problem::new(format!("cannot run `{program}`: {error}"))
    })
}

/// Something that could not be signed.
pub(crate) fn sign_problem(error: &SignError) -> Problem {
    let problem = Problem::new(error.to_string());
    match error {
        SignError::EncryptedKey => {
            problem.help("`openssl pkcs8 -topk8 -nocrypt -in key.pem` takes the passphrase off; hand it over in the environment")
        }
        SignError::Digest(error) => digest_problem(error),
        _ => problem,
    }
}

/// Something that could not be digested.
pub(crate) fn digest_problem(error: &DigestError) -> Problem {
    let problem = Problem::new(safe::line(&error.to_string()));
    match error {
        DigestError::Odd { .. } => {
            problem.help("`--allow-symlinks` takes links to files as files, `--ignore` passes over what it names")
        }
        DigestError::Changed { .. } => problem.help("let nobody write it meanwhile"),
        _ => problem,
    }
}
