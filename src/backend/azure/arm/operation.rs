//! Operations that go on after the answer, and are asked about without waiting for them.
//!
//! (<https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>)

use std::time::{Duration, Instant};

use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;

use super::super::super::{BackendError, cloud};
use super::error::{self, Said};

/// How long nobody asks about an operation where the service does not say.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest pause between two questions, whatever the service says.
const LONGEST: Duration = Duration::from_secs(60);

/// An operation that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Operation {
    /// Where it is asked about.
    pub(super) url: String,
    /// By which form of answer.
    pub(super) form: Form,
    /// Before this nobody asks.
    pub(super) not_before: Instant,
}

/// How the service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `Azure-AsyncOperation`: always 200, with a status.
    Status,
    /// `Location`: 202 as long as it goes on.
    Location,
}

impl Form {
    /// In the status of an object.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Location => "location",
        }
    }

    fn read(word: Option<&str>) -> Self {
        if word == Some(Self::Location.word()) { Self::Location } else { Self::Status }
    }
}

/// How far an operation is.
#[derive(Clone, Debug)]
pub(in super::super) enum Progress {
    /// It goes on.
    Running(Operation),
    /// It is done.
    Done,
    /// It failed.
    Failed(BackendError),
    /// The service does not know it any more.
    Forgotten,
}

impl Operation {
    /// The operation that an answer speaks of, if any.
    pub(super) fn of(headers: &HeaderMap, now: Instant) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = text("azure-asyncoperation").map(|url| (url, Form::Status));
        let (url, form) = status.or_else(|| text("location").map(|url| (url, Form::Location)))?;
        Some(Self { url, form, not_before: now + pause(retry_after(headers)) })
    }

    /// One that was kept, and can be asked about at once.
    pub(super) fn kept(url: &str, form: Option<&str>, now: Instant) -> Self {
        Self { url: url.to_owned(), form: Form::read(form), not_before: now }
    }

    /// Its URL, and by which form of answer it is asked about.
    pub(in super::super) fn to_keep(&self) -> (&str, &'static str) {
        (&self.url, self.form.word())
    }

    /// Asked again later.
    pub(super) fn later(self, headers: &HeaderMap, now: Instant) -> Self {
        Self { not_before: now + pause(retry_after(headers)), ..self }
    }

    /// Whether it is too early to ask.
    pub(in super::super) fn is_fresh(&self, now: Instant) -> bool {
        now < self.not_before
    }
}

fn pause(asked: Option<Duration>) -> Duration {
    asked.unwrap_or(PAUSE).min(LONGEST)
}

/// How long the service asks to wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    cloud::retry_after(headers.get(http::header::RETRY_AFTER)?.to_str().ok()?, Timestamp::now())
}

/// The body of a question by [`Form::Status`].
#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    status: String,
    #[serde(default)]
    error: Option<Said>,
}

/// What a 200 of [`Form::Status`] says; none while the operation goes on, or when it cannot be read.
///
/// The words of a status are free but for three, and this service has been seen to put an error's code there: what
/// names an error has failed, whatever it is called.
pub(super) fn read(call: &str, body: &[u8]) -> Option<Progress> {
    let status: Status = serde_json::from_slice(body).ok()?;
    let said = status.error.filter(|said| said.code.is_some() || said.message.is_some());
    match (status.status.to_ascii_lowercase().as_str(), said) {
        ("succeeded", _) => Some(Progress::Done),
        (_, Some(said)) => Some(Progress::Failed(error::ended(call, &said, None))),
        ("failed" | "canceled" | "cancelled", None) => {
            Some(Progress::Failed(error::ended(call, &Said::default(), None)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"status": "InProgress"}"#, "running")]
    #[case(r#"{"status": "AWordOfTheFuture"}"#, "running")]
    #[case(r#"{"status": "Succeeded"}"#, "done")]
    #[case(r#"{"status": "Failed", "error": {"code": "QuotaExceeded", "message": "no more"}}"#, "failed")]
    #[case(r#"{"status": "Canceled"}"#, "failed")]
    #[case(r#"{"status": "ServerIsNotReady", "error": {"code": "X", "message": "y"}}"#, "failed")]
    #[case(r#"{"status": "InProgress", "error": null}"#, "running")]
    #[case("<html>", "running")]
    fn how_far_an_operation_is(#[case] body: &str, #[case] expected: &str) {
        let found = match read("creating the server", body.as_bytes()) {
            None => "running",
            Some(Progress::Done) => "done",
            Some(Progress::Failed(_)) => "failed",
            Some(_) => "something else",
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_form_with_a_status_is_preferred_and_pauses_are_bounded() {
        let mut headers = HeaderMap::new();
        headers.insert("location", HeaderValue::from_static("https://a/l"));
        let now = Instant::now();
        let by_location = Operation::of(&headers, now).map(|operation| (operation.url, operation.form));
        assert_eq!(by_location, Some(("https://a/l".to_owned(), Form::Location)));
        headers.insert("azure-asyncoperation", HeaderValue::from_static("https://a/s"));
        headers.insert("retry-after", HeaderValue::from_static("86400"));
        let found = Operation::of(&headers, now);
        let expected =
            Operation { url: "https://a/s".to_owned(), form: Form::Status, not_before: now + LONGEST };
        assert_eq!(found, Some(expected));
        assert_eq!(Operation::of(&HeaderMap::new(), now), None);
    }
}
