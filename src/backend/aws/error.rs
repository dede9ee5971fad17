//! What a refusal of the service means. Pure.
//!
//! Codes as on the wire ("Common errors" and the errors of each operation in the API reference); a code that is not
//! known is a refusal.

use std::time::Duration;

use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use jiff::Timestamp;

use super::super::BackendError;
use super::super::cloud::{PAUSE, retry_after};

/// The instance is not there.
pub(super) const INSTANCE_NOT_FOUND: &str = "DBInstanceNotFound";
/// The name is taken.
pub(super) const INSTANCE_EXISTS: &str = "DBInstanceAlreadyExists";
/// The snapshot is not there.
pub(super) const SNAPSHOT_NOT_FOUND: &str = "DBSnapshotNotFound";
/// The cluster is not there.
pub(super) const CLUSTER_NOT_FOUND: &str = "DBClusterNotFound";
/// The name of the cluster is taken.
pub(super) const CLUSTER_EXISTS: &str = "DBClusterAlreadyExists";
/// The snapshot of a cluster is not there.
pub(super) const CLUSTER_SNAPSHOT_NOT_FOUND: &str = "DBClusterSnapshotNotFound";
/// The parameter group is there already.
pub(super) const GROUP_EXISTS: &str = "DBParameterGroupAlreadyExists";
/// The parameter group is not there.
pub(super) const GROUP_NOT_FOUND: &str = "DBParameterGroupNotFound";

/// Longest part of the service's own sentence that is passed on.
const LONGEST: usize = 300;

/// A call that failed.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    /// The service's code; none when it did not answer, or not in words.
    code: Option<String>,
    /// Its meaning.
    pub(super) error: BackendError,
}

impl Failed {
    /// Whether the service gave this code; some operations append `Fault` to it.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref().is_some_and(|found| found.strip_suffix("Fault").unwrap_or(found) == code)
    }

    /// Whether the service refused the call for their number, and for how long.
    pub(super) fn throttled(&self) -> Option<Duration> {
        match &self.error {
            BackendError::Transient { retry_after, .. }
                if self.code.as_deref().is_some_and(is_throttling) =>
            {
                Some(retry_after.unwrap_or(PAUSE))
            }
            _ => None,
        }
    }
}

/// A call that was not made.
impl From<BackendError> for Failed {
    fn from(error: BackendError) -> Self {
        Self { code: None, error }
    }
}

impl From<Failed> for BackendError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// The meaning of what the SDK says. `secret` does not appear in it, whatever the service repeats.
pub(super) fn failed<E: ProvideErrorMetadata>(
    call: &'static str,
    error: &SdkError<E, HttpResponse>,
    secret: Option<&str>,
) -> Failed {
    let answer = error.raw_response();
    let status = answer.map_or(0, |answer| answer.status().as_u16());
    let asked = answer
        .and_then(|answer| answer.headers().get("retry-after"))
        .and_then(|text| retry_after(text, Timestamp::now()));
    let described = error.as_service_error().map(ProvideErrorMetadata::meta);
    let code = described.and_then(|described| described.code()).map(str::to_owned);
    let message = described.and_then(|described| described.message()).unwrap_or_default();
    let message = secret
        .filter(|secret| !secret.is_empty())
        .map_or_else(|| message.to_owned(), |secret| message.replace(secret, "…"));
    let error = meaning(call, code.as_deref(), status, &message, asked);
    Failed { code, error }
}

/// The meaning of a code, or of its absence.
fn meaning(
    call: &str,
    code: Option<&str>,
    status: u16,
    message: &str,
    retry_after: Option<Duration>,
) -> BackendError {
    let transient = |what: &str| BackendError::Transient { message: format!("{call}: {what}"), retry_after };
    let Some(code) = code else {
        return match status {
            0 => transient("AWS gave no answer"),
            _ => transient(&format!("AWS answered {status}, in no words that can be read")),
        };
    };
    if is_throttling(code) {
        return BackendError::Transient {
            message: format!("{call}: AWS gets too many requests from this account"),
            retry_after: Some(retry_after.unwrap_or(PAUSE)),
        };
    }
    if status >= 500 {
        return transient(&format!("AWS answered {status}"));
    }
    let told = told(call, code, message);
    match code.strip_suffix("Fault").unwrap_or(code) {
        // New ones are fetched before the next call.
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch" => transient("AWS does not accept the operator's credentials"),
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            BackendError::forbidden(format!(
                "the operator may not call {call}; give its role the policy of the operator's documentation"
            ))
        }
        "InvalidDBInstanceState" | "InvalidDBClusterState" | "InvalidDBParameterGroupState" => {
            BackendError::Busy { message: format!("{call}: the server is working on something else") }
        }
        "DBInstanceNotFound" | "DBClusterNotFound" => {
            BackendError::Gone { message: format!("{call}: there is no such server") }
        }
        "DBInstanceAlreadyExists" | "DBClusterAlreadyExists" => {
            BackendError::Conflict { message: format!("{call}: a server of that name is there already") }
        }
        "InvalidParameterCombination" if message.to_lowercase().contains("protect") => {
            BackendError::Protected { message: PROTECTED.to_owned() }
        }
        "InstanceQuotaExceeded"
        | "DBClusterQuotaExceeded"
        | "StorageQuotaExceeded"
        | "SnapshotQuotaExceeded"
        | "DBParameterGroupQuotaExceeded" => BackendError::rejected(format!(
            "{told}; a quota of the AWS account is used up: raise it, or delete something"
        )),
        _ => BackendError::rejected(told),
    }
}

/// How to lift the protection against deletion.
pub(super) const PROTECTED: &str =
    "the server is protected against deletion; switch deletion protection off in AWS";

fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "PriorRequestNotComplete"
    )
}

/// The service's own sentence, on one line and not too long.
fn told(call: &str, code: &str, message: &str) -> String {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    format!("AWS refuses {call} ({code}): {}", line.trim().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::super::Retry;
    use super::*;

    #[rstest]
    #[case(None, 0)]
    #[case(None, 404)]
    #[case(None, 502)]
    #[case(Some("InternalFailure"), 500)]
    #[case(Some("ExpiredToken"), 403)]
    fn what_may_work_next_time_is_tried_again_soon(#[case] code: Option<&str>, #[case] status: u16) {
        let error = meaning("DescribeDBInstances", code, status, "", None);
        assert!(matches!(error, BackendError::Transient { .. }), "{error:?}");
    }

    #[test]
    fn a_refusal_for_the_number_of_calls_says_for_how_long() {
        let asked = meaning("X", Some("Throttling"), 400, "Rate exceeded", Some(Duration::from_secs(7)));
        assert_eq!(asked.retry(), Retry::Backoff(Some(Duration::from_secs(7))));
        let silent = meaning("X", Some("ThrottlingException"), 400, "Rate exceeded", None);
        assert_eq!(silent.retry(), Retry::Backoff(Some(PAUSE)));
    }

    #[rstest]
    #[case("InvalidDBInstanceState", "busy")]
    #[case("InvalidDBInstanceStateFault", "busy")]
    #[case("DBInstanceNotFound", "gone")]
    #[case("DBInstanceAlreadyExists", "conflict")]
    #[case("InvalidDBClusterStateFault", "busy")]
    #[case("DBClusterNotFoundFault", "gone")]
    #[case("DBClusterAlreadyExistsFault", "conflict")]
    #[case("DBClusterQuotaExceededFault", "rejected")]
    #[case("InstanceQuotaExceeded", "rejected")]
    #[case("AccessDenied", "forbidden")]
    #[case("A-code-of-the-future", "rejected")]
    fn each_code_has_its_meaning_with_and_without_its_suffix(#[case] code: &str, #[case] label: &str) {
        assert_eq!(meaning("X", Some(code), 400, "", None).label(), label);
    }

    #[test]
    fn a_protected_server_is_told_from_other_combinations_that_do_not_go() {
        let message =
            "Cannot delete protected DB Instance, please disable deletion protection and try again.";
        let refused = |message| meaning("X", Some("InvalidParameterCombination"), 400, message, None).label();
        assert_eq!((refused(message), refused("no such combination")), ("protected", "rejected"));
    }

    #[test]
    fn the_services_sentence_is_one_line_of_limited_length() {
        let error = meaning("X", Some("InvalidParameterValue"), 400, &"a\nb".repeat(500), None).to_string();
        assert!(!error.contains('\n') && error.len() < 400, "{error}");
    }
}
