//! A cluster to run against: a control plane of our own, or one that the user has.

use std::path::Path;

use kube::Client;
use kube::config::Kubeconfig;

use super::audit::AuditLog;
use super::error::Error;
use super::{ControlPlane, Options, kubeconfig};

/// The cluster that tests and demo run against.
pub enum Cluster {
    /// A control plane that we started.
    Ours(ControlPlane),
    /// A cluster of the user's.
    Theirs {
        /// The part of the user's kubeconfig that the context needs.
        kubeconfig: Kubeconfig,
        /// The context's name.
        context: String,
    },
}

impl Cluster {
    /// The user's cluster if the variable `CONTEXT` names a context of it, else a control plane of our own.
    ///
    /// The context is looked up in the files of `KUBECONFIG`, else in `~/.kube/config`. `KUBECONFIG` alone does not
    /// decide: many shells have it set all day, and to a cluster that is not meant for tests.
    pub async fn from_environment(options: Options) -> Result<Self, Error> {
        match std::env::var("CONTEXT") {
            Ok(context) if !context.is_empty() => Self::theirs(context),
            _ => ControlPlane::start(options).await.map(Self::Ours),
        }
    }

    /// The user's cluster behind a context.
    pub fn theirs(context: String) -> Result<Self, Error> {
        let kubeconfig = kubeconfig::narrow(&Kubeconfig::read()?, &context)?;
        Ok(Self::Theirs { kubeconfig, context })
    }

    /// The kubeconfig of the admin, or of the user's context.
    pub fn kubeconfig(&self) -> &Kubeconfig {
        match self {
            Self::Ours(control_plane) => control_plane.kubeconfig(),
            Self::Theirs { kubeconfig, .. } => kubeconfig,
        }
    }

    /// A client with the rights of the admin, or of the user's context.
    pub async fn client(&self) -> Result<Client, Error> {
        kubeconfig::client(self.kubeconfig()).await
    }

    /// A kubeconfig with which one is that ServiceAccount.
    pub async fn kubeconfig_for_service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Kubeconfig, Error> {
        let client = self.client().await?;
        kubeconfig::kubeconfig_for_service_account(&client, self.kubeconfig(), namespace, name).await
    }

    /// Writes [`Cluster::kubeconfig`] to a file, for programs that take one.
    pub fn write_kubeconfig(&self, path: &Path) -> Result<(), Error> {
        kubeconfig::write(path, self.kubeconfig())
    }

    /// The audit log; only a control plane of ours has one that we can read.
    pub fn audit_log(&self) -> Result<AuditLog, Error> {
        match self {
            Self::Ours(control_plane) => Ok(control_plane.audit_log()),
            Self::Theirs { .. } => Err(Error::NoAuditLog),
        }
    }
}
