//! The effects on a server. Each call makes one change at most, since the service does one thing after the other: the
//! next look decides on the next one.

use http::Method;
use serde::Serialize;

use super::super::super::cloud::required;
use super::super::super::{
    BackendError, DesiredServer, Difference, FIREWALL_RULE, Owner, Rejection, Removal, ServerIdentity, Stage,
    Urgency,
};
use super::super::arm::Call;
use super::super::identity::escaped;
use super::super::model::{
    ConfigurationWrite, FirewallRuleWrite, Hidden, LockProperties, LockWrite, OwnProperties, ParameterWrite,
    PasswordProperties, PasswordWrite, TagsWrite,
};
use super::super::{fields, firewall, states};
use super::{CREATION, DELETION, LOCKS_VERSION, PASSWORD, SERVER, Service};
use crate::secrets::Password;

/// The original's lock.
const LOCK: &str = "DoNotDeleteLock";
const LOCK_NOTES: &str = "Protection from accidental deletion";

/// A change of one thing.
struct Change<'a, B> {
    /// For people.
    name: &'a str,
    /// What it is about, for telling that it failed.
    about: &'a str,
    /// Below the server's path.
    below: &'a str,
    method: Method,
    body: Option<B>,
    secret: Option<&'a Password>,
}

impl<P: OwnProperties> Service<P> {
    /// The name is what makes it happen once: whoever repeats a request whose answer was lost meets what it has made.
    pub(in super::super) async fn create<B: Serialize + Send + Sync>(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
        body: impl FnOnce() -> Result<B, BackendError> + Send,
    ) -> Result<(), BackendError> {
        if self.server(identity).await?.is_some() {
            return self.ours(identity, desired.owner).await.map(drop);
        }
        let change = Change {
            name: CREATION,
            about: SERVER,
            below: "",
            method: Method::PUT,
            body: Some(body()?),
            secret: Some(password),
        };
        self.write(identity, change).await
    }

    /// Rules of the firewall first, one at a time, then the `body` of a change of the server itself, if there is one.
    pub(in super::super) async fn update<B: Serialize + Send + Sync>(
        &self,
        identity: &ServerIdentity,
        differences: &[Difference],
        body: Option<B>,
    ) -> Result<(), BackendError> {
        let due = differences.iter().filter(|difference| difference.is_applied_by(Stage::Update));
        let mut refused = None;
        for rule in due.filter(|difference| difference.field.starts_with(FIREWALL_RULE)) {
            // One that is refused does not stand in the way of the others: a lock keeps rules from being removed, too.
            match self.write_rule(identity, rule).await {
                Err(error) if error.is_refusal() => refused = refused.or(Some(error)),
                answer => return answer,
            }
        }
        match body {
            Some(body) => self.patch(identity, "changing the server", "size", body).await,
            None => refused.map_or(Ok(()), Err),
        }
    }

    async fn write_rule(
        &self,
        identity: &ServerIdentity,
        difference: &Difference,
    ) -> Result<(), BackendError> {
        let rule = difference.field.strip_prefix(FIREWALL_RULE).unwrap_or_default();
        let wanted = difference.wanted.as_deref().and_then(firewall::range);
        let (name, method) = match wanted {
            Some(_) => (format!("setting the firewall rule {rule}"), Method::PUT),
            None => (format!("removing the firewall rule {rule}"), Method::DELETE),
        };
        let change = Change {
            name: &name,
            about: &difference.field,
            below: &format!("/firewallRules/{}", escaped(rule)),
            method,
            body: wanted.map(|properties| FirewallRuleWrite { properties }),
            secret: None,
        };
        match self.write(identity, change).await {
            // It is what was asked for.
            Err(BackendError::Gone { .. }) if difference.wanted.is_none() => Ok(()),
            answer => answer,
        }
    }

    pub(in super::super) async fn restart(&self, identity: &ServerIdentity) -> Result<(), BackendError> {
        let change = Change::<()> {
            name: "restarting the server",
            about: fields::RESTART,
            below: "/restart",
            method: Method::POST,
            body: None,
            secret: None,
        };
        self.write(identity, change).await
    }

    pub(in super::super) async fn lock(&self, identity: &ServerIdentity) -> Result<(), BackendError> {
        let properties =
            LockProperties { level: "CanNotDelete".to_owned(), notes: Some(LOCK_NOTES.to_owned()) };
        let change = Change {
            name: "locking the server",
            about: fields::LOCK,
            below: &format!("/providers/Microsoft.Authorization/locks/{LOCK}"),
            method: Method::PUT,
            body: Some(LockWrite { properties }),
            secret: None,
        };
        self.write_as(identity, change, LOCKS_VERSION).await
    }

    /// Sets the parameter that the field is about.
    pub(in super::super) async fn set_parameter(
        &self,
        identity: &ServerIdentity,
        parameter: &str,
        about: &str,
        properties: ParameterWrite,
    ) -> Result<(), BackendError> {
        let change = Change {
            name: &format!("setting the parameter {parameter}"),
            about,
            below: &format!("/configurations/{}", escaped(parameter)),
            method: Method::PUT,
            body: Some(ConfigurationWrite { properties }),
            secret: None,
        };
        self.write(identity, change).await
    }

    /// It is in force when the operation has ended.
    pub(in super::super) async fn change_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.at_rest(identity, owner).await?;
        let properties = PasswordProperties { administrator_login_password: Hidden(password.clone()) };
        let change = Change {
            name: "setting the administrator's password",
            about: PASSWORD,
            below: "",
            method: Method::PATCH,
            body: Some(PasswordWrite { properties }),
            secret: Some(password),
        };
        self.write(identity, change).await
    }

    pub(in super::super) async fn mark(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        left: bool,
    ) -> Result<(), BackendError> {
        // Also of one that stands: it would be in the way of its object's end for ever.
        let server = self.ours(identity, owner).await?;
        let tags = fields::tags(server.tags.as_ref(), &required(owner, &self.azure.tags), Some(left));
        self.patch(identity, "marking the server", "mark", TagsWrite { tags }).await
    }

    pub(in super::super) async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        expected: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        if matches!(removal, Removal::SnapshotAndDelete { .. }) {
            return Err(BackendError::rejected(fields::NO_SNAPSHOT));
        }
        let Some(server) = self.server(identity).await? else {
            // What is left of a failed creation is what we remember of it.
            self.memory.forget(&identity.name);
            return Ok(());
        };
        if let Some(message) = self.whose(&server, owner) {
            return Err(BackendError::Conflict { message });
        }
        if expected.is_some() && server.uid().as_deref() != expected {
            let message = format!("another server stands under the name {}", identity.name);
            return Err(BackendError::Conflict { message });
        }
        if server.state().is_some_and(|state| state.eq_ignore_ascii_case(states::DROPPING)) {
            return Ok(());
        }
        let change = Change::<()> {
            name: "deleting the server",
            about: DELETION,
            below: "",
            method: Method::DELETE,
            body: None,
            secret: None,
        };
        match self.write(identity, change).await {
            Err(BackendError::Gone { .. }) => Ok(()),
            answer => answer,
        }
    }

    pub(in super::super) async fn patch<B: Serialize + Send + Sync>(
        &self,
        identity: &ServerIdentity,
        name: &str,
        about: &str,
        body: B,
    ) -> Result<(), BackendError> {
        let change = Change { name, about, below: "", method: Method::PATCH, body: Some(body), secret: None };
        self.write(identity, change).await
    }

    async fn write<B: Serialize + Send + Sync>(
        &self,
        identity: &ServerIdentity,
        change: Change<'_, B>,
    ) -> Result<(), BackendError> {
        self.write_as(identity, change, &self.version).await
    }

    /// Makes a change, unless the last attempt at the same was accepted and failed later: then that is told first.
    async fn write_as<B: Serialize + Send + Sync>(
        &self,
        identity: &ServerIdentity,
        change: Change<'_, B>,
        version: &str,
    ) -> Result<(), BackendError> {
        if let Some(error) = self.memory.take_failure(&identity.name, change.about) {
            return Err(error);
        }
        let path = format!("{}{}", self.path(identity), change.below);
        let call = Call { name: change.name, path: &path, version, urgency: Urgency::User };
        let answer = self.arm.write(call, change.method, change.body.as_ref(), change.secret).await;
        self.memory.note_write(&identity.name);
        let operation = answer?;
        self.memory.begin(&identity.name, change.name, change.about, operation);
        Ok(())
    }
}

/// What is refused before it is asked for.
pub(in super::super) fn refused(rejections: Vec<Rejection>) -> BackendError {
    let sentences: Vec<String> =
        rejections.iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
    BackendError::rejected(sentences.join("; "))
}
