//! Credentials for AWS, which come by the environment as in production.

use std::process::Command;

/// What the environment says of them. The simulated services take any.
pub const CREDENTIALS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "not-a-secret")];

/// What of a person's own environment must not come in between.
pub const NOT_INHERITED: [&str; 6] = [
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_RDS",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_REGION",
];

/// Runs an ignored test of this program in a process of its own, with credentials in its environment: a process may not
/// change its own.
pub fn with_credentials(test: &str) {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => panic!("{error}"),
    };
    let mut child = Command::new(program);
    child.args(["--exact", test, "--ignored", "--nocapture"]).envs(CREDENTIALS);
    for name in NOT_INHERITED {
        child.env_remove(name);
    }
    let status = child.status();
    assert!(status.as_ref().is_ok_and(|status| status.success()), "{test}: {status:?}");
}
