//! The API server's audit log: who asked for what, and with what result.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::Api;
use serde::Deserialize;

use super::error::Error;

/// The audit log of a control plane of ours.
#[derive(Clone, Debug)]
pub struct AuditLog {
    path: PathBuf,
}

/// One request, or for a watch also its begin; the fields of `audit.k8s.io/v1` that tests ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// `ResponseComplete`, for long requests before that `ResponseStarted`, or `Panic`.
    pub stage: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// The path and query of the request.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// Who asked.
    pub user: AuditUser,
    /// What it was about; absent for paths that are no resources.
    pub object_ref: Option<ObjectRef>,
    /// How it ended.
    pub response_status: Option<ResponseStatus>,
    /// The client program.
    pub user_agent: Option<String>,
    /// When the request came in, RFC 3339.
    pub request_received_timestamp: String,
}

/// The user of a request.
#[derive(Clone, Debug, Deserialize)]
pub struct AuditUser {
    /// For instance `admin` or `system:serviceaccount:<namespace>:<name>`; absent where nobody could be recognised.
    #[serde(default)]
    pub username: String,
    /// The user's groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// The object of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// The resource in plural, for instance `secrets`.
    pub resource: String,
    /// For instance `status`.
    pub subresource: String,
    /// The API group; empty for the core group.
    pub api_group: String,
    /// The namespace; empty for cluster-wide requests.
    pub namespace: String,
    /// The object's name; empty for lists and for `create`, whose name is in the body.
    pub name: String,
}

/// The result of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResponseStatus {
    /// The HTTP status.
    pub code: u16,
    /// The message of a refusal.
    pub message: String,
    /// The reason of a refusal, for instance `Forbidden`.
    pub reason: String,
}

impl AuditEvent {
    /// Whether the request wanted to change something, allowed or not.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }

    /// The HTTP status of the answer.
    pub fn code(&self) -> Option<u16> {
        self.response_status.as_ref().map(|status| status.code)
    }
}

impl AuditLog {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The log's file, one JSON event per line.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All events so far.
    ///
    /// The API server writes an event after it has sent the answer; to know that a request is *not* in the log, use
    /// [`AuditLog::settled`].
    pub fn events(&self) -> Result<Vec<AuditEvent>, Error> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            other => other.map_err(Error::io("reading", &self.path))?,
        };
        // The last line may be half written; what comes after the last line feed is no event yet.
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        complete
            .lines()
            .map(|line| {
                serde_json::from_str(line)
                    .map_err(|source| Error::AuditLog { path: self.path.clone(), source })
            })
            .collect()
    }

    /// All events up to now: makes a request of its own as `client`, and waits until that is in the log.
    ///
    /// Requests that were answered before this call are in the result; the proof for "no write by …".
    pub async fn settled(&self, client: &Client) -> Result<Vec<AuditEvent>, Error> {
        let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let marker = format!("audit-marker-{nanoseconds}");
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces.get_opt(&marker).await.map_err(Error::api("asking for the audit log's marker"))?;
        let is_marker = |event: &AuditEvent| event.object_ref.as_ref().is_some_and(|it| it.name == marker);
        self.wait_for(Duration::from_secs(10), is_marker).await?;
        // Answers overtake each other by milliseconds on their way into the log.
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.events()
    }

    /// Waits for an event, and returns the first that matches.
    pub async fn wait_for(
        &self,
        within: Duration,
        matches: impl Fn(&AuditEvent) -> bool,
    ) -> Result<AuditEvent, Error> {
        let since = Instant::now();
        loop {
            if let Some(event) = self.events()?.into_iter().find(&matches) {
                return Ok(event);
            }
            if since.elapsed() > within {
                return Err(Error::NoSuchEvent { path: self.path.clone(), seconds: within.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_is_no_event_yet() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = r#"{"stage":"ResponseComplete","requestURI":"/api","verb":"create","user":{"username":"admin"},
            "responseStatus":{"metadata":{},"code":201},"requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z"}"#
            .replace('\n', "");
        fs::write(file.path(), format!("{line}\n{}", &line[..40])).unwrap();
        let events = AuditLog::new(file.path().to_owned()).events().unwrap();
        assert_eq!(events.len(), 1);
        assert!(events[0].is_write());
        assert_eq!(events[0].code(), Some(201));
    }
}
