//! What can go wrong with a control plane, and what the reader can do about it.

use std::io;
use std::path::PathBuf;

/// Why a control plane could not be started, reached or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `HCPG_CACHE`, `XDG_CACHE_HOME` nor `HOME` is set.
    #[error("no folder for the binaries and the cluster's state; set HOME, XDG_CACHE_HOME or HCPG_CACHE")]
    NoCacheFolder,

    /// `build.sh` failed; it has told the reason on stderr.
    #[error("{script} could not provide {wanted} ({status}); its messages above tell why and what to do")]
    Binaries {
        /// The script that was run.
        script: PathBuf,
        /// The binaries that were asked for.
        wanted: String,
        /// How the script ended.
        status: String,
    },

    /// A file, folder or process could not be handled.
    #[error("{what} {path}: {source}; check that the folder is writable and the disk not full")]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which file, folder or program.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A certificate of the control plane could not be made.
    #[error("making the control plane's certificates: {0}; this is a bug of the tests, please report it")]
    Certificates(#[from] rcgen::Error),

    /// A server ended before it was ready.
    #[error(
        "{server} ended at start ({status}). The end of {log}:\n{tail}\nRemove the cause named there and start again"
    )]
    EndedAtStart {
        /// `etcd` or `kube-apiserver`.
        server: &'static str,
        /// How it ended.
        status: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },

    /// The API server was not ready in time.
    #[error(
        "the control plane was not ready within {seconds} s; last answer: {last}. The end of {log}:\n{tail}\n\
         On a slow or busy machine give it more time with HCPG_READY_SECONDS=<seconds>"
    )]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The last answer of `/readyz`, or why there was none.
        last: String,
        /// The API server's log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },

    /// A process of ours did not go away.
    #[error("{name} (process {pid}) is still there after SIGKILL; end it yourself, then delete {folder}")]
    StillRunning {
        /// The server's name.
        name: String,
        /// Its process number.
        pid: i32,
        /// The control plane's folder.
        folder: PathBuf,
    },

    /// The context asked for is in no kubeconfig.
    #[error(
        "no context {context} in KUBECONFIG or ~/.kube/config; `kubectl config get-contexts` lists what there is"
    )]
    UnknownContext {
        /// The context's name.
        context: String,
    },

    /// A kubeconfig could not be read or used.
    #[error(
        "kubeconfig: {0}; check KUBECONFIG and CONTEXT, or unset CONTEXT to get a control plane of our own"
    )]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),

    /// A kubeconfig could not be written as YAML.
    #[error("kubeconfig as YAML: {0}; this is a bug of the tests, please report it")]
    Yaml(#[from] serde_saphyr::SerializeError),

    /// The API server refused or failed.
    #[error(
        "{what}: {source}; `kubectl cluster-info` with the same kubeconfig shows whether the cluster answers"
    )]
    Api {
        /// What was asked of it.
        what: String,
        /// Its answer.
        source: Box<kube::Error>,
    },

    /// The API server issued no token.
    #[error(
        "the API server answered the TokenRequest for ServiceAccount {namespace}/{name} without a token; try again"
    )]
    NoToken {
        /// The ServiceAccount's namespace.
        namespace: String,
        /// Its name.
        name: String,
    },

    /// The audit log belongs to the control plane of our own.
    #[error("a cluster of yours gives no audit log; run this test without CONTEXT")]
    NoAuditLog,

    /// The audit log holds a line that is no event.
    #[error("audit log {path}: {source}; the control plane's version may have changed the format")]
    AuditLog {
        /// The audit log.
        path: PathBuf,
        /// What is wrong with the line.
        source: serde_json::Error,
    },

    /// No event in the audit log matched in time.
    #[error("no event in {path} matched within {seconds} s; look what is in there")]
    NoSuchEvent {
        /// The audit log.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
}

impl Error {
    /// For `map_err` on operations of the operating system.
    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    /// For `map_err` on requests to the API server.
    pub(crate) fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |source| Self::Api { what, source: Box::new(source) }
    }
}

impl From<kube::config::KubeconfigError> for Error {
    fn from(error: kube::config::KubeconfigError) -> Self {
        Self::Kubeconfig(Box::new(error))
    }
}
