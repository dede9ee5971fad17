//! The token service, as far as roles go: sessions that expire by the simulator's clock.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Cloud;
use super::wire::{Answer, Form, Refusal, leaf, node};

/// Of access keys that nobody gave to another one.
pub(super) const ACCOUNT: &str = "123456789012";

/// Access keys, and the sessions of roles.
#[derive(Default)]
pub(super) struct Sessions {
    accounts: BTreeMap<String, String>,
    /// Session token → its access key, and until when it is good.
    tokens: BTreeMap<String, (String, Timestamp)>,
}

/// Who calls.
pub(super) struct Caller {
    pub(super) account: String,
    key: String,
}

impl Sessions {
    pub(super) fn add(&mut self, key: &str, account: &str) {
        self.accounts.insert(key.to_owned(), account.to_owned());
    }

    /// Signatures are not checked; that a session is known, belongs to its key and is not over, is.
    pub(super) fn caller(&self, key: &str, token: Option<&str>, now: Timestamp) -> Result<Caller, Refusal> {
        if let Some(token) = token
            && let Some((owner, until)) = self.tokens.get(token)
        {
            if owner != key {
                let message = "The security token included in the request is invalid.";
                return Err(Refusal(403, "InvalidClientTokenId", message.to_owned()));
            }
            if *until <= now {
                return Err(expired());
            }
        }
        let account = self.accounts.get(key).cloned().unwrap_or_else(|| ACCOUNT.to_owned());
        Ok(Caller { account, key: key.to_owned() })
    }
}

pub(super) fn expired() -> Refusal {
    Refusal(403, "ExpiredToken", "The security token included in the request is expired".to_owned())
}

/// `AssumeRole`, `AssumeRoleWithWebIdentity`, `GetCallerIdentity`. Roles exist; their policies are not looked at.
pub(super) fn perform(cloud: &Cloud, form: &Form, caller: Option<&Caller>) -> Answer {
    let action = form.get("Action").unwrap_or_default();
    match (action, caller) {
        ("AssumeRoleWithWebIdentity", _) => {
            if form.need("WebIdentityToken")?.is_empty() {
                let message = "The web identity token is empty.";
                return Err(Refusal(400, "InvalidIdentityToken", message.to_owned()));
            }
            assume(cloud, form)
        }
        (_, None) => Err(Refusal(
            403,
            "MissingAuthenticationToken",
            "The request is not signed with SigV4.".to_owned(),
        )),
        ("AssumeRole", Some(_)) => assume(cloud, form),
        ("GetCallerIdentity", Some(caller)) => {
            let arn = format!("arn:aws:iam::{}:user/{}", caller.account, caller.key);
            Ok([leaf("UserId", &caller.key), leaf("Account", &caller.account), leaf("Arn", arn)].concat())
        }
        (other, _) => Err(Refusal(400, "InvalidAction", format!("{other} is not simulated."))),
    }
}

fn assume(cloud: &Cloud, form: &Form) -> Answer {
    let arn = form.need("RoleArn")?;
    let session = form.need("RoleSessionName")?;
    let seconds: u64 = form.number("DurationSeconds")?.unwrap_or(3600);
    if !(900..=43200).contains(&seconds) {
        let message = format!("DurationSeconds {seconds} must be from 900 to 43200.");
        return Err(Refusal(400, "ValidationError", message));
    }
    // arn:aws:iam::ACCOUNT:role/NAME
    let mut parts = arn.split(':');
    let (account, role) =
        match (parts.nth(2), parts.nth(1), parts.next().and_then(|it| it.strip_prefix("role/"))) {
            (Some("iam"), Some(account), Some(role)) if !role.is_empty() => (account, role),
            _ => return Err(Refusal(400, "ValidationError", format!("{arn} is invalid"))),
        };
    let number = cloud.number();
    let (key, token) = (format!("ASIASIM{number:013}"), format!("simulated-session-{number}"));
    let span = SignedDuration::try_from(Duration::from_secs(seconds)).unwrap_or(SignedDuration::ZERO);
    let until = cloud.clock.now().saturating_add(span).unwrap_or(Timestamp::MAX);
    let mut sessions = cloud.sessions();
    sessions.add(&key, account);
    sessions.tokens.insert(token.clone(), (key.clone(), until));
    let credentials = [
        leaf("AccessKeyId", key),
        leaf("SecretAccessKey", format!("simulated-secret-{number}")),
        leaf("SessionToken", token),
        leaf("Expiration", until),
    ];
    let user = [
        leaf("AssumedRoleId", format!("AROASIM{number:013}:{session}")),
        leaf("Arn", format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")),
    ];
    Ok(node("Credentials", credentials) + &node("AssumedRoleUser", user))
}
