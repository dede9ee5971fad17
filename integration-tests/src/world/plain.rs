//! The smallest objects there are, and what people look at besides them.

use hcpg::api::{Condition, ConditionStatus, ConditionType, Reason};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};

use super::{Story, database_condition, done, server_condition};
use crate::operator::OPERATOR_NAMESPACE;

/// The smallest server, with its credentials in `secret`.
pub fn server_object(name: &str, secret: &str) -> Value {
    json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLServer",
        "metadata": {"name": name},
        "spec": {"credentialsSecret": secret},
    })
}

/// The smallest database, with its credentials in `secret`.
pub fn database_object(name: &str, server: &str, secret: &str) -> Value {
    json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLDatabase",
        "metadata": {"name": name},
        "spec": {"serverRef": {"name": server}, "credentialsSecret": secret},
    })
}

/// The Secret that plain objects name.
pub fn secret_of(name: &str) -> String {
    format!("{name}-credentials")
}

impl Story<'_> {
    /// Applies the smallest server, with its credentials in `{name}-credentials`.
    pub async fn plain_server(&self, name: &str) {
        done(self.try_apply(server_object(name, &secret_of(name))).await);
    }

    /// Applies the smallest database, with its credentials in `{name}-credentials`.
    pub async fn plain_database(&self, name: &str, server: &str) {
        done(self.try_apply(database_object(name, server, &secret_of(name))).await);
    }

    /// Waits until the server cannot go on, for this reason.
    pub async fn server_stalled(&self, name: &str, reason: Reason) -> Condition {
        let what = format!("is stalled, because of {reason}");
        let stalls = |condition: Option<&Condition>| condition.is_some_and(|one| is(one, reason));
        let server =
            self.server_where(name, &what, |server| stalls(server_condition(server, ConditionType::Stalled)));
        server_condition(&server.await, ConditionType::Stalled).cloned().unwrap_or_else(|| unreachable!())
    }

    /// Waits until the database cannot go on, for this reason.
    pub async fn database_stalled(&self, name: &str, reason: Reason) -> Condition {
        let what = format!("is stalled, because of {reason}");
        let stalls = |condition: Option<&Condition>| condition.is_some_and(|one| is(one, reason));
        let database = self.database_where(name, &what, |database| {
            stalls(database_condition(database, ConditionType::Stalled))
        });
        database_condition(&database.await, ConditionType::Stalled).cloned().unwrap_or_else(|| unreachable!())
    }

    /// Waits for an event about the object of that name; returns its sentence.
    pub async fn event(&self, name: &str, reason: Reason) -> String {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        self.eventually(&format!("an event {reason} about {name}"), async || {
            done(events.list(&ListParams::default()).await)
                .into_iter()
                .filter(|event| event.reason.as_deref() == Some(reason.as_str()))
                .find(|event| {
                    event.regarding.as_ref().is_some_and(|about| about.name.as_deref() == Some(name))
                })
                .and_then(|event| event.note)
        })
        .await
    }

    /// The Secret of that name, if there is one.
    pub async fn secret(&self, name: &str) -> Option<Secret> {
        done(self.secrets().get_opt(name).await)
    }

    /// Whether a password is on its way to the object with this uid.
    pub async fn has_pending_password(&self, uid: &str) -> bool {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), OPERATOR_NAMESPACE);
        done(secrets.get_opt(&hcpg::secrets::pending_name(uid)).await).is_some()
    }
}

fn is(condition: &Condition, reason: Reason) -> bool {
    condition.status == ConditionStatus::True && condition.reason == reason
}
