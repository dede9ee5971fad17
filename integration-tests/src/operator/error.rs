//! What can go wrong with the operator's process, and what the reader can do about it.

use std::io;
use std::path::PathBuf;

use crate::control_plane;

/// Why the operator could not be installed, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The control plane.
    #[error(transparent)]
    ControlPlane(#[from] control_plane::Error),

    /// The API server refused.
    #[error("{what}: {source}")]
    Kube {
        /// What was asked for.
        what: String,
        /// Its answer.
        source: Box<kube::Error>,
    },

    /// A file, folder or process could not be handled.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which file, folder or program.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A file of the project is not what was expected.
    #[error("{path}: {message}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },

    /// The operator could not be built.
    #[error("cargo could not build the operator ({0}); its messages stand above")]
    Build(String),

    /// The definitions are not served.
    #[error("the API server does not serve {kind} after {seconds} s")]
    NotEstablished {
        /// The definition.
        kind: String,
        /// How long was waited.
        seconds: u64,
    },

    /// The operator ended by itself.
    #[error("the operator ended at start ({status}). The end of {log}:\n{tail}")]
    Ended {
        /// How it ended.
        status: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },

    /// The operator is not ready in time.
    #[error("the operator is not ready after {seconds} s ({last}). The end of {log}:\n{tail}")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The last answer of `/readyz`.
        last: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },

    /// The operator does not stop.
    #[error("the operator goes on {seconds} s after it was told to stop. The end of {log}:\n{tail}")]
    GoesOn {
        /// How long was waited.
        seconds: u64,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },

    /// All port ranges are taken.
    #[error("no free range of ports between {first} and {last}; are many tests running?")]
    NoPorts {
        /// The first port.
        first: u16,
        /// The last port.
        last: u16,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    /// For `map_err` on requests to the API server.
    pub(crate) fn kube(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |source| Self::Kube { what, source: Box::new(source) }
    }
}
