//! The effects on a server. Each call makes one change at most, since the service does one thing after the other: the
//! next look decides on the next one.

use http::Method;
use serde::Serialize;

use super::super::super::cloud::required;
use super::super::super::{
    BackendError, DesiredServer, Difference, FIREWALL_RULE, Owner, PARAMETER, Rejection, Removal,
    ServerIdentity, Stage, Urgency,
};
use super::super::arm::Call;
use super::super::identity::escaped;
use super::super::states;
use super::model::{
    ConfigurationWrite, FirewallRuleWrite, Hidden, LockProperties, LockWrite, ParameterWrite,
    PropertiesWrite, ServerWrite,
};
use super::observe::uid;
use super::{
    CREATION, DELETION, FlexibleBackend, LOCKS_VERSION, PASSWORD, SERVER, firewall, requests, rules,
};
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
    version: &'a str,
    method: Method,
    body: Option<B>,
    secret: Option<&'a Password>,
}

impl FlexibleBackend {
    /// The name is what makes it happen once: whoever repeats a request whose answer was lost meets what it has made.
    pub(super) async fn create_server(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        if self.server(identity).await?.is_some() {
            return self.ours(identity, desired.owner).await.map(drop);
        }
        let body = requests::create(identity, desired, &self.config, password).map_err(refused)?;
        let change = Change {
            name: CREATION,
            about: SERVER,
            below: "",
            version: self.version(),
            method: Method::PUT,
            body: Some(body),
            secret: Some(password),
        };
        self.write(identity, change).await
    }

    pub(super) async fn update_server(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let server = self.at_rest(identity, desired.owner).await?;
        let due = differences.iter().filter(|difference| difference.is_applied_by(Stage::Update));
        let mut refused = None;
        for rule in due.filter(|difference| difference.field.starts_with(FIREWALL_RULE)) {
            // One that is refused does not stand in the way of the others.
            match self.write_rule(identity, rule).await {
                Err(error @ BackendError::Rejected { .. }) => refused = refused.or(Some(error)),
                answer => return answer,
            }
        }
        match requests::change(desired, &self.config, &server, differences) {
            Some(body) => self.patch(identity, "changing the server", "size", body).await,
            None => refused.map_or(Ok(()), Err),
        }
    }

    /// Parameters that take effect at once come first, then those that need a restart, then one restart for all of them.
    pub(super) async fn configure_server(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.at_rest(identity, desired.owner).await?;
        let mut due: Vec<&Difference> =
            differences.iter().filter(|difference| difference.is_applied_by(Stage::Configure)).collect();
        due.sort_by_key(|difference| (difference.field == rules::RESTART, difference.restarts()));
        let mut refused = None;
        for difference in due {
            // One that is refused does not stand in the way of the others.
            match self.configure_one(identity, difference).await {
                Err(error @ BackendError::Rejected { .. }) => refused = refused.or(Some(error)),
                Ok(false) => {}
                answer => return answer.map(drop),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Whether something was changed.
    async fn configure_one(
        &self,
        identity: &ServerIdentity,
        difference: &Difference,
    ) -> Result<bool, BackendError> {
        if difference.field == rules::RESTART {
            let (name, about) = ("restarting the server", rules::RESTART);
            let change = Change::<()> {
                name,
                about,
                below: "/restart",
                version: self.version(),
                method: Method::POST,
                body: None,
                secret: None,
            };
            return self.write(identity, change).await.map(|()| true);
        }
        if difference.field == rules::LOCK {
            let properties =
                LockProperties { level: "CanNotDelete".to_owned(), notes: Some(LOCK_NOTES.to_owned()) };
            let change = Change {
                name: "locking the server",
                about: rules::LOCK,
                below: &format!("/providers/Microsoft.Authorization/locks/{LOCK}"),
                version: LOCKS_VERSION,
                method: Method::PUT,
                body: Some(LockWrite { properties }),
                secret: None,
            };
            return self.write(identity, change).await.map(|()| true);
        }
        match difference.field.strip_prefix(PARAMETER) {
            Some(parameter) => self.write_parameter(identity, parameter, difference).await,
            None => Ok(false),
        }
    }

    async fn write_parameter(
        &self,
        identity: &ServerIdentity,
        parameter: &str,
        difference: &Difference,
    ) -> Result<bool, BackendError> {
        let (value, source) = match &difference.wanted {
            Some(value) => (value.clone(), "user-override"),
            // The default of this server, which is read: it depends on the size.
            None => match self.default_of(identity, parameter).await? {
                Some(default) => (default, "system-default"),
                // It is set already, and waits for the restart.
                None => return Ok(false),
            },
        };
        let change = Change {
            name: &format!("setting the parameter {parameter}"),
            about: &difference.field,
            below: &format!("/configurations/{}", escaped(parameter)),
            version: self.version(),
            method: Method::PUT,
            body: Some(ConfigurationWrite { properties: ParameterWrite { value, source } }),
            secret: None,
        };
        self.write(identity, change).await.map(|()| true)
    }

    /// The default of a parameter; none where that is its value.
    async fn default_of(
        &self,
        identity: &ServerIdentity,
        parameter: &str,
    ) -> Result<Option<String>, BackendError> {
        let path = format!("{}/configurations/{}", self.path(identity), escaped(parameter));
        let call = Call {
            name: "reading a parameter",
            path: &path,
            version: self.version(),
            urgency: Urgency::User,
        };
        let found: Option<super::model::Configuration> = self.arm.get(call).await?;
        let known = found.map(|found| found.properties);
        let default = known.as_ref().and_then(|known| known.default_value.clone());
        let no_default = || BackendError::rejected(format!("Azure names no default of {parameter}"));
        let default = default.ok_or_else(no_default)?;
        let is_set = known.is_some_and(|known| known.value.as_deref() == Some(default.as_str()));
        Ok((!is_set).then_some(default))
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
            version: self.version(),
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

    /// It is in force when the operation has ended.
    pub(super) async fn change_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.at_rest(identity, owner).await?;
        let properties = PropertiesWrite {
            administrator_login_password: Some(Hidden(password.clone())),
            ..PropertiesWrite::default()
        };
        let change = Change {
            name: "setting the administrator's password",
            about: PASSWORD,
            below: "",
            version: self.version(),
            method: Method::PATCH,
            body: Some(ServerWrite { properties, ..ServerWrite::default() }),
            secret: Some(password),
        };
        self.write(identity, change).await
    }

    pub(super) async fn mark_server(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        left: bool,
    ) -> Result<(), BackendError> {
        // Also of one that stands: it would be in the way of its object's end for ever.
        let server = self.ours(identity, owner).await?;
        let tags = requests::tags(&server, &required(owner, &self.config.azure.tags), Some(left));
        let body = ServerWrite { tags: Some(tags), ..ServerWrite::default() };
        self.patch(identity, "marking the server", "mark", body).await
    }

    pub(super) async fn delete_server(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        expected: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        if matches!(removal, Removal::SnapshotAndDelete { .. }) {
            return Err(BackendError::rejected(super::NO_SNAPSHOT));
        }
        let Some(server) = self.server(identity).await? else {
            // What is left of a failed creation is what we remember of it.
            self.memory.forget(&identity.name);
            return Ok(());
        };
        if let Some(message) = self.whose(&server, owner) {
            return Err(BackendError::Conflict { message });
        }
        if expected.is_some() && uid(&server).as_deref() != expected {
            let message = format!("another server stands under the name {}", identity.name);
            return Err(BackendError::Conflict { message });
        }
        if server
            .properties
            .state
            .as_deref()
            .is_some_and(|state| state.eq_ignore_ascii_case(states::DROPPING))
        {
            return Ok(());
        }
        let change = Change::<()> {
            name: "deleting the server",
            about: DELETION,
            below: "",
            version: self.version(),
            method: Method::DELETE,
            body: None,
            secret: None,
        };
        match self.write(identity, change).await {
            Err(BackendError::Gone { .. }) => Ok(()),
            answer => answer,
        }
    }

    async fn patch(
        &self,
        identity: &ServerIdentity,
        name: &str,
        about: &str,
        body: ServerWrite,
    ) -> Result<(), BackendError> {
        let (version, method) = (self.version(), Method::PATCH);
        let change = Change { name, about, below: "", version, method, body: Some(body), secret: None };
        self.write(identity, change).await
    }

    /// Makes a change, unless the last attempt at the same was accepted and failed later: then that is told first.
    async fn write<B: Serialize>(
        &self,
        identity: &ServerIdentity,
        change: Change<'_, B>,
    ) -> Result<(), BackendError> {
        if let Some(error) = self.memory.take_failure(&identity.name, change.about) {
            return Err(error);
        }
        let path = format!("{}{}", self.path(identity), change.below);
        let call = Call { name: change.name, path: &path, version: change.version, urgency: Urgency::User };
        let answer = self.arm.write(call, change.method, change.body.as_ref(), change.secret).await;
        self.memory.note_write(&identity.name);
        let operation = answer?;
        self.memory.begin(&identity.name, change.name, change.about, operation);
        Ok(())
    }
}

fn refused(rejections: Vec<Rejection>) -> BackendError {
    let sentences: Vec<String> =
        rejections.iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
    BackendError::rejected(sentences.join("; "))
}
