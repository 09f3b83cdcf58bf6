/// How a command ended, as the exit code of the process.
///
/// Where several hold, an error wins over findings, findings over an incomplete check, and that
/// over a clean one.
// The order is the precedence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: everything was looked at and nothing was found.
    #[default]
    Clean,
    /// 3: nothing was found, but not everything was looked at.
    Incomplete,
    /// 1: something was found, or a test failed.
    Findings,
    /// 2: the command could not do its work: usage, configuration, a file.
    Error,
    /// That of a command that was run on the user's behalf.
    Command(u8),
}

impl Exit {
    /// The one that wins.
    pub(crate) fn join(self, other: Self) -> Self {
        self.max(other)
    }

    /// How a command that was run on the user's behalf ended; one that a signal ended has no code.
    pub(crate) fn of_command(status: std::process::ExitStatus) -> Self {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        code.map_or(Self::Error, Self::Command)
    }

    /// The number that the process returns.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Error => 2,
            Self::Incomplete => 3,
            Self::Command(code) => code,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins() {
        let all = [Exit::Clean, Exit::Incomplete, Exit::Findings, Exit::Error];
        let codes = all.map(|exit| all.map(|other| exit.join(other).code()));
        assert_eq!(
            codes,
            [[0, 3, 1, 2], [3, 3, 1, 2], [1, 1, 1, 2], [2, 2, 2, 2]]
        );
    }
}
