//! Reading and writing Secrets, each call with the preconditions that keep two writers apart.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions};

use super::Password;
use super::credentials::{ConnectionFacts, password_in};
use super::mark::{ISSUED_AT, RESET_AT, SETTLES, SecretOwner, marked_name, marked_uid};
use crate::api::names::FIELD_MANAGER;
use crate::failpoints;

/// A password that is on its way to the server.
#[derive(Clone, Debug)]
pub struct PendingPassword {
    /// The password.
    pub password: Password,
    /// When it was drawn.
    pub issued_at: Timestamp,
    /// The requests that were there when it was drawn, as `place/value`.
    pub settles: Vec<String>,
    uid: Option<String>,
}

impl PendingPassword {
    /// What the pending Secret of `owner` says.
    ///
    /// # Errors
    /// When it is not the owner's, or holds no password.
    pub fn read(owner: &SecretOwner, secret: &Secret) -> Result<Self, SecretError> {
        let name = pending_name(&owner.uid);
        if !owner.owns(secret) {
            return Err(foreign(&name, secret));
        }
        let password = password_in(secret).ok_or(SecretError::Empty { name })?;
        let annotation = |key: &str| secret.metadata.annotations.as_ref().and_then(|all| all.get(key));
        Ok(Self {
            password,
            issued_at: annotation(ISSUED_AT)
                .and_then(|at| at.parse().ok())
                .or(secret.metadata.creation_timestamp.as_ref().map(|at| at.0))
                .unwrap_or(Timestamp::UNIX_EPOCH),
            settles: annotation(SETTLES).map_or_else(Vec::new, |all| {
                all.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect()
            }),
            uid: secret.metadata.uid.clone(),
        })
    }
}

/// Why a Secret could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The API server refused or did not answer.
    #[error("Secret {name}: {source}")]
    Api {
        /// The Secret's name.
        name: String,
        /// What the API server said.
        #[source]
        source: Box<kube::Error>,
    },
    /// The Secret belongs to somebody else.
    #[error("the Secret {name} belongs to {owner}; name another one in spec.credentialsSecret, or delete it")]
    Foreign {
        /// The Secret's name.
        name: String,
        /// Whose it is.
        owner: String,
    },
    /// The pending Secret holds no password.
    #[error(
        "the pending Secret {name} in the operator's namespace holds no password; delete it to have a new one drawn"
    )]
    Empty {
        /// The Secret's name.
        name: String,
    },
}

/// The Secrets of the cluster, as far as the operator may touch them.
#[derive(Clone)]
pub struct SecretStore {
    client: Client,
    operator_namespace: String,
}

impl SecretStore {
    /// Secrets through `client`; pending passwords stand in `operator_namespace`.
    pub fn new(client: Client, operator_namespace: impl Into<String>) -> Self {
        Self { client, operator_namespace: operator_namespace.into() }
    }

    fn api(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The Secret; none only when the API server says that there is none.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn get(&self, namespace: &str, name: &str) -> Result<Option<Secret>, SecretError> {
        self.api(namespace).get_opt(name).await.map_err(|error| api_error(name, error))
    }

    /// The pending password of the object, if there is one.
    ///
    /// # Errors
    /// When the API server could not be asked, or what is there cannot be used.
    pub async fn pending(&self, owner: &SecretOwner) -> Result<Option<PendingPassword>, SecretError> {
        let found = self.get(&self.operator_namespace, &pending_name(&owner.uid)).await?;
        found.map(|secret| PendingPassword::read(owner, &secret)).transpose()
    }

    /// The password that the original operator left on its way under this name, if it did.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn left_by_original(&self, name: &str) -> Result<Option<Password>, SecretError> {
        let secret = self.get(&self.operator_namespace, name).await?;
        Ok(secret.filter(|secret| marked_uid(secret).is_none()).as_ref().and_then(password_in))
    }

    /// Stores a drawn password, unless one is stored already: then that one is used.
    ///
    /// # Errors
    /// When the API server could not be asked, or what is there cannot be used.
    pub async fn store_pending(
        &self,
        owner: &SecretOwner,
        drawn: &Password,
        settles: &[String],
        now: Timestamp,
    ) -> Result<PendingPassword, SecretError> {
        let name = pending_name(&owner.uid);
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                labels: Some(owner.labels()),
                annotations: Some(BTreeMap::from([
                    (ISSUED_AT.to_owned(), now.to_string()),
                    (SETTLES.to_owned(), settles.join(",")),
                ])),
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([(
                "password".to_owned(),
                ByteString(drawn.expose().as_bytes().to_vec()),
            )])),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        };
        match self.api(&self.operator_namespace).create(&PostParams::default(), &secret).await {
            Ok(stored) => {
                failpoints::done("pending Secret stored");
                PendingPassword::read(owner, &stored)
            }
            // What is there counts, not what was sent: the answer to an earlier POST may have been lost.
            Err(kube::Error::Api(status)) if status.code == 409 => {
                self.pending(owner).await?.ok_or(SecretError::Empty { name })
            }
            Err(error) => Err(api_error(&name, error)),
        }
    }

    /// Deletes the pending password, if it is still this one.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn drop_pending(
        &self,
        owner: &SecretOwner,
        pending: &PendingPassword,
    ) -> Result<(), SecretError> {
        self.delete(&self.operator_namespace, &pending_name(&owner.uid), pending.uid.clone()).await?;
        failpoints::done("pending Secret dropped");
        Ok(())
    }

    /// Publishes the credentials in place of `found`, the Secret as it was observed; the answer is the Secret as it
    /// stands there now.
    ///
    /// # Errors
    /// When the Secret changed since, or the API server could not be asked.
    pub async fn publish(
        &self,
        owner: &SecretOwner,
        name: &str,
        found: Option<&Secret>,
        facts: &ConnectionFacts,
        issue: &Issue<'_>,
    ) -> Result<Secret, SecretError> {
        let mut annotations = BTreeMap::from([(ISSUED_AT.to_owned(), issue.issued_at.to_string())]);
        if let Some(at) = issue.reset_at {
            annotations.insert(RESET_AT.to_owned(), at.to_string());
        }
        let mut secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                labels: Some(owner.labels()),
                annotations: Some(annotations),
                ..ObjectMeta::default()
            },
            data: Some(facts.data(issue.password)),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        };
        let api = self.api(&owner.namespace);
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let answer = match found {
            None => api.create(&params, &secret).await,
            Some(found) => {
                // Another one of the same name, or a changed one, answers 409 instead of being overwritten.
                secret.metadata.uid = found.metadata.uid.clone();
                secret.metadata.resource_version = found.metadata.resource_version.clone();
                secret.type_ = found.type_.clone();
                let apply = PatchParams::apply(FIELD_MANAGER).force();
                api.patch(name, &apply, &Patch::Apply(&secret)).await
            }
        };
        let published = answer.map_err(|error| api_error(name, error))?;
        failpoints::done("Secret published");
        Ok(published)
    }

    /// Deletes the Secret that was seen, if it is still the same one.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn remove_seen(&self, secret: &Secret) -> Result<(), SecretError> {
        let metadata = &secret.metadata;
        let (namespace, name) = (metadata.namespace.as_deref(), metadata.name.as_deref());
        self.delete(namespace.unwrap_or_default(), name.unwrap_or_default(), metadata.uid.clone()).await?;
        failpoints::done("Secret removed");
        Ok(())
    }

    /// Deletes the Secret, if it bears the mark of `owner`. Absent is done.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn remove(&self, owner: &SecretOwner, name: &str) -> Result<(), SecretError> {
        match self.get(&owner.namespace, name).await? {
            Some(secret) if owner.owns(&secret) => {
                self.delete(&owner.namespace, name, secret.metadata.uid.clone()).await?;
                failpoints::done("Secret removed");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn delete(&self, namespace: &str, name: &str, uid: Option<String>) -> Result<(), SecretError> {
        let preconditions = Preconditions { uid, resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match self.api(namespace).delete(name, &params).await {
            Ok(_) => Ok(()),
            // Gone, or another one by now: either way ours is not there any more.
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
            Err(error) => Err(api_error(name, error)),
        }
    }
}

/// A password and when it was issued.
#[derive(Clone, Copy, Debug)]
pub struct Issue<'a> {
    /// The password.
    pub password: &'a Password,
    /// When it was drawn.
    pub issued_at: Timestamp,
    /// When a request last caused a reset.
    pub reset_at: Option<Timestamp>,
}

/// The name of the pending Secret of an object.
pub fn pending_name(uid: &str) -> String {
    format!("hcpg-pending-{uid}")
}

/// A time in an annotation of the Secret.
pub fn time_in(secret: &Secret, annotation: &str) -> Option<Timestamp> {
    secret.metadata.annotations.as_ref()?.get(annotation)?.parse().ok()
}

fn foreign(name: &str, secret: &Secret) -> SecretError {
    let owner = marked_name(secret).unwrap_or_else(|| "somebody else".to_owned());
    SecretError::Foreign { name: name.to_owned(), owner }
}

fn api_error(name: &str, error: kube::Error) -> SecretError {
    SecretError::Api { name: name.to_owned(), source: Box::new(error) }
}
