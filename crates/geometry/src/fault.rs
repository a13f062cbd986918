//! Whose fault an error is: the one table from which exit codes, retries and the treatment of bad tiles follow.

use std::io::{self, ErrorKind};

/// Who can mend an error. Every error type of the workspace answers `fault()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The command, the options or the arguments do not fit: change them.
    Usage,
    /// The input does not fit: a table, an acquisition file, an image file.
    Data,
    /// The machine or the output: disk space, permissions, a broken disk, an output that exists.
    Environment,
    /// The machine, for the moment: a stale handle, too many open files, a timeout, a requested cancellation. The same command may
    /// succeed when it is run again.
    Transient,
    /// A mistake in this program or in an extension of a converter.
    Bug,
}

impl Fault {
    /// The exit code of a process that ends with such an error: 2 when its caller has to change the command or the input, 1 otherwise.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage | Self::Data => 2,
            Self::Environment | Self::Transient | Self::Bug => 1,
        }
    }

    /// Whether running the same conversion again can succeed, so that what is finished is kept for it.
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Environment | Self::Transient)
    }

    /// The fault behind an error of the operating system.
    pub fn of_io(error: &io::Error) -> Self {
        const STALE_HANDLE: i32 = 116;
        const TOO_MANY_FILES_OF_SYSTEM: i32 = 23;
        const TOO_MANY_FILES_OF_PROCESS: i32 = 24;
        let of_system = [STALE_HANDLE, TOO_MANY_FILES_OF_SYSTEM, TOO_MANY_FILES_OF_PROCESS];
        let passing = [
            ErrorKind::Interrupted,
            ErrorKind::WouldBlock,
            ErrorKind::TimedOut,
            ErrorKind::ConnectionReset,
            ErrorKind::ConnectionAborted,
            ErrorKind::NetworkUnreachable,
            ErrorKind::HostUnreachable,
            ErrorKind::ResourceBusy,
            ErrorKind::StaleNetworkFileHandle,
        ];
        let code = error.raw_os_error();
        if passing.contains(&error.kind()) || code.is_some_and(|code| cfg!(unix) && of_system.contains(&code)) {
            Self::Transient
        } else {
            Self::Environment
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_documentation() {
        let faults = [
            Fault::Usage,
            Fault::Data,
            Fault::Environment,
            Fault::Transient,
            Fault::Bug,
        ];
        assert_eq!(faults.map(Fault::exit_code), [2, 2, 1, 1, 1]);
        assert_eq!(faults.map(Fault::may_pass), [false, false, true, true, false]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn errors_of_the_system_are_told_apart() {
        let of = |code: i32| Fault::of_io(&io::Error::from_raw_os_error(code));
        let [eintr, eio, eacces, enfile, emfile, enospc, etimedout, estale] = [4, 5, 13, 23, 24, 28, 110, 116].map(of);
        assert_eq!([eio, eacces, enospc], [Fault::Environment; 3]);
        assert_eq!([eintr, enfile, emfile, etimedout, estale], [Fault::Transient; 5]);
    }
}
