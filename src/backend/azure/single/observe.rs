//! Looking at a server.

use std::sync::PoisonError;

use super::super::super::{
    BackendError, Owner, PresentServer, Read, ServerFacts, ServerIdentity, ServerObservation, Urgency,
};
use super::super::model::Configuration;
use super::super::parameters;
use super::super::service::is_at_rest;
use super::model::Server;
use super::{SingleBackend, rules};
use crate::postgres::{Endpoint, TlsMode};

impl SingleBackend {
    pub(super) async fn look(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        let (mut seen, urgency) =
            self.service.look(identity, owner, read, |server| self.facts(identity, server)).await?;
        if let ServerObservation::Present(present) = &mut seen
            && is_at_rest(present)
        {
            self.look_inside(identity, present, urgency).await?;
        }
        Ok(seen)
    }

    fn facts(&self, identity: &ServerIdentity, server: &Server) -> ServerFacts {
        let properties = &server.properties;
        let mut settings = rules::found(server);
        if self.was_restarted(identity) {
            settings.insert(rules::RESTARTED.to_owned(), "yes".to_owned());
        }
        let host = properties.fully_qualified_domain_name.clone().filter(|host| !host.is_empty());
        // The name stays the same within a network, and the certificate is for it.
        let tls = match self.service.authorities.ca_pem(true) {
            Some(ca_pem) => TlsMode::Verify { ca_pem },
            None => TlsMode::Require,
        };
        let login = properties.administrator_login.as_ref().unwrap_or(&self.config.azure.admin_username);
        let name = server.name.as_ref().unwrap_or(&identity.name);
        ServerFacts {
            account: None,
            endpoint: host.map(|host| Endpoint { host, port: 5432, tls }),
            // As the original published it: with the server's name, not with its host's.
            admin_username: format!("{login}@{name}"),
            admin_database: "postgres".to_owned(),
            sslmode: "require".to_owned(),
            version: properties.version.clone(),
            size: server.sku.as_ref().map(|sku| sku.name.clone()),
            storage_gb: rules::storage_gb(server).map(u64::from),
            storage_used_gb: None,
            settings,
        }
    }

    /// What is read only of a server that is at rest.
    async fn look_inside(
        &self,
        identity: &ServerIdentity,
        present: &mut PresentServer,
        urgency: Urgency,
    ) -> Result<(), BackendError> {
        self.service.look_at_rules(identity, &mut present.facts.settings, urgency).await?;
        let path = format!("{}/configurations/{}", self.service.path(identity), parameters::PRELOADED);
        let found: Option<Configuration> =
            self.service.get("reading the preloaded libraries", &path, urgency).await?;
        parameters::note(&mut present.facts.settings, found.as_slice());
        self.service.look_at_locks(identity, present, urgency).await
    }

    /// Whether this process has restarted the server since it was marked as waiting for it.
    pub(super) fn was_restarted(&self, identity: &ServerIdentity) -> bool {
        self.restarted.lock().unwrap_or_else(PoisonError::into_inner).contains(&identity.name)
    }
}
