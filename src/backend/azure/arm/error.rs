//! What a refusal of Azure's resource manager means. Pure.
//!
//! Form: `{"error": {"code", "message", "details": […]}}`
//! (<https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>); a code that is
//! not known is a refusal.

use std::time::Duration;

use serde::Deserialize;

use super::super::super::BackendError;
use super::super::super::cloud::PAUSE;

/// Longest part of the service's own sentence that is passed on.
const LONGEST: usize = 300;

/// How to lift the protection against deletion.
pub(in super::super) const PROTECTED: &str =
    "a lock in Azure protects it; remove the lock (the operator's own is called DoNotDeleteLock)";

/// A call that failed.
#[derive(Clone, Debug)]
pub(in super::super) struct Failed {
    /// The status of the answer; 0 where there was none.
    pub(in super::super) status: u16,
    /// The service's code; none when it did not answer, or not in words.
    pub(in super::super) code: Option<String>,
    /// Its meaning.
    pub(in super::super) error: BackendError,
}

impl Failed {
    /// What was asked for certainly does not exist. A 404 without the service's own word for it may come from
    /// anywhere, and one for the resource group says that the operator looks in the wrong place.
    pub(in super::super) fn is_absence(&self) -> bool {
        // What is in something that does not exist does not exist either.
        self.status == 404
            && matches!(self.code.as_deref(), Some("ResourceNotFound" | "ParentResourceNotFound"))
    }

    /// Whether the service refused the call for their number, and for how long.
    pub(super) fn throttled(&self) -> Option<Duration> {
        match &self.error {
            BackendError::Transient { retry_after, .. } if self.status == 429 => {
                Some(retry_after.unwrap_or(PAUSE))
            }
            _ => None,
        }
    }
}

impl From<Failed> for BackendError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Option<Said>,
}

/// The service's own words.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// There was no answer.
pub(super) fn unanswered(call: &str, why: &str) -> Failed {
    let message = format!("{call}: Azure gave no answer: {}", line(why));
    Failed { status: 0, code: None, error: BackendError::transient(message) }
}

/// The meaning of an answer that is no success. `secret` does not appear in it, whatever the service repeats.
pub(super) fn refused(
    call: &str,
    status: u16,
    body: &[u8],
    retry_after: Option<Duration>,
    secret: Option<&str>,
) -> Failed {
    let said = serde_json::from_slice::<Body>(body).unwrap_or_default().error.unwrap_or_default();
    let error = meaning(call, status, &said, retry_after, secret);
    Failed { status, code: said.code, error }
}

/// The meaning of what an operation that failed says at its end.
pub(super) fn ended(call: &str, said: &Said, secret: Option<&str>) -> BackendError {
    // Status 400: it was refused, and by which status is not told any more.
    let said = Said { code: said.code.clone().or_else(|| Some("Failed".to_owned())), ..said.clone() };
    meaning(call, 400, &said, None, secret)
}

fn meaning(
    call: &str,
    status: u16,
    said: &Said,
    retry_after: Option<Duration>,
    secret: Option<&str>,
) -> BackendError {
    let transient =
        |what: &str, retry_after| BackendError::Transient { message: format!("{call}: {what}"), retry_after };
    if status == 429 {
        let pause = Some(retry_after.unwrap_or(PAUSE));
        return transient("Azure gets too many requests from this identity", pause);
    }
    if status >= 500 {
        return transient(&format!("Azure answered {status}"), retry_after);
    }
    let Some(code) = said.code.as_deref() else {
        let what = format!("Azure answered {status}, in no words that can be read");
        return transient(&what, retry_after);
    };
    let message = said.message.clone().unwrap_or_default();
    let message = match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => message.replace(secret, "…"),
        None => message,
    };
    let told = format!("Azure refuses {call} ({code}): {}", line(&message).trim_end_matches('.'));
    match code {
        // A new token is fetched before the next call.
        _ if status == 401 => transient("Azure does not accept the operator's credentials", retry_after),
        "AuthorizationFailed" | "LinkedAuthorizationFailed" => BackendError::forbidden(format!(
            "the operator's identity may not do this: {call}; give it the role of the operator's documentation"
        )),
        "ScopeLocked" => BackendError::Protected { message: format!("{call}: {PROTECTED}") },
        "ResourceNotFound" | "ParentResourceNotFound" => {
            BackendError::Gone { message: format!("{call}: there is no such thing") }
        }
        "ResourceGroupNotFound" | "SubscriptionNotFound" | "InvalidSubscriptionId" => BackendError::rejected(
            format!("{told}; look after subscription_id and resource_group in the operator's configuration"),
        ),
        "ServerNameAlreadyExists"
        | "NameNotAvailable"
        | "ServerNameNotAvailable"
        | "ResourceNameNotAvailable"
        | "AlreadyExists" => {
            BackendError::Conflict { message: format!("{told}; names of servers are unique in all of Azure") }
        }
        "MissingSubscriptionRegistration"
        | "NoRegisteredProviderFound"
        | "InvalidResourceType"
        | "ResourceTypeNotSupported" => BackendError::rejected(format!(
            "{told}; the subscription does not have this service (Microsoft.DBforPostgreSQL) in this version"
        )),
        "QuotaExceeded" | "SkuNotAvailable" | "LocationIsOfferRestricted" | "OperationNotAllowed" => {
            BackendError::rejected(format!(
                "{told}; the subscription has no more of this in this location: raise its quota, or ask for another size"
            ))
        }
        _ if is_busy(code, &message) => {
            BackendError::Busy { message: format!("{call}: the server is working on something else") }
        }
        "OperationTimedOut" | "InternalServerError" | "RequestTimeout" => transient(code, retry_after),
        _ => BackendError::rejected(told),
    }
}

/// The service does one thing after the other on a server, and has several words for it.
fn is_busy(code: &str, message: &str) -> bool {
    matches!(
        code,
        "ServerIsBusy"
            | "ServerBusy"
            | "ServerBusyWithOtherOperation"
            | "ServerIsNotReady"
            | "ServerNotReady"
            | "ServerStateInvalid"
            | "AnotherOperationInProgress"
            | "AnotherOperationIsInProgress"
            | "OperationInProgress"
            | "ConflictingServerOperation"
            | "InvalidServerState"
            | "RetryableError"
            | "RetryableErrorDueToAnotherOperation"
    ) || message.contains("in dropping state")
}

/// On one line and not too long.
fn line(message: &str) -> String {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::super::super::Retry;
    use super::*;

    fn answer(status: u16, code: &str, message: &str) -> Failed {
        let body = json!({"error": {"code": code, "message": message}}).to_string();
        refused("changing the server", status, body.as_bytes(), None, Some("s3cret"))
    }

    #[rstest]
    #[case(404, "ResourceGroupNotFound", "rejected")]
    #[case(403, "AuthorizationFailed", "forbidden")]
    #[case(401, "ExpiredAuthenticationToken", "transient")]
    #[case(409, "ServerIsBusy", "busy")]
    #[case(409, "ServerBusyWithOtherOperation", "busy")]
    #[case(409, "ScopeLocked", "protected")]
    #[case(409, "ServerNameAlreadyExists", "conflict")]
    #[case(404, "ResourceNotFound", "gone")]
    #[case(400, "InvalidParameterValue", "rejected")]
    #[case(409, "NoRegisteredProviderFound", "rejected")]
    #[case(400, "A-code-of-the-future", "rejected")]
    #[case(500, "InternalServerError", "transient")]
    #[case(503, "ServerIsBusy", "transient")]
    fn each_code_has_its_meaning(#[case] status: u16, #[case] code: &str, #[case] label: &str) {
        assert_eq!(answer(status, code, "").error.label(), label);
    }

    #[test]
    fn only_the_services_own_word_means_that_something_does_not_exist() {
        assert!(answer(404, "ResourceNotFound", "").is_absence());
        assert!(answer(404, "ParentResourceNotFound", "").is_absence());
        assert!(!answer(404, "ResourceGroupNotFound", "").is_absence());
        assert!(!refused("x", 404, b"<html>not found</html>", None, None).is_absence());
        assert_eq!(refused("x", 404, b"<html>not found</html>", None, None).error.label(), "transient");
    }

    #[test]
    fn a_refusal_for_the_number_of_calls_says_for_how_long() {
        let asked = refused("x", 429, b"{}", Some(Duration::from_secs(7)), None);
        assert_eq!(asked.error.retry(), Retry::Backoff(Some(Duration::from_secs(7))));
        assert_eq!(asked.throttled(), Some(Duration::from_secs(7)));
        assert_eq!(refused("x", 429, b"", None, None).throttled(), Some(PAUSE));
    }

    #[test]
    fn neither_a_secret_nor_a_long_text_gets_into_the_sentence() {
        let told =
            answer(400, "InvalidParameterValue", &format!("s3cret\n{}", "x".repeat(900))).error.to_string();
        assert!(!told.contains("s3cret") && !told.contains('\n') && told.len() < 450, "{told}");
    }
}
