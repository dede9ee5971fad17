//! Looking at a server.

use super::super::super::{
    BackendError, Owner, PresentServer, Read, ServerFacts, ServerIdentity, ServerObservation, Urgency,
};
use super::super::model::Configuration;
use super::super::service::is_at_rest;
use super::super::{fields, parameters};
use super::model::Server;
use super::{FlexibleBackend, rules};
use crate::postgres::{Endpoint, TlsMode};

impl FlexibleBackend {
    pub(super) async fn look(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        let (mut seen, urgency) =
            self.service.look(identity, owner, read, |server| self.facts(server)).await?;
        if let ServerObservation::Present(present) = &mut seen
            && is_at_rest(present)
        {
            self.look_inside(identity, present, urgency).await?;
        }
        Ok(seen)
    }

    fn facts(&self, server: &Server) -> ServerFacts {
        let properties = &server.properties;
        let settings = rules::found(server);
        let host = properties.fully_qualified_domain_name.clone().filter(|host| !host.is_empty());
        let is_public = settings.get(fields::NETWORK).is_some_and(|network| network == fields::PUBLIC);
        let tls = match self.service.authorities.ca_pem(is_public) {
            Some(ca_pem) => TlsMode::Verify { ca_pem },
            None => TlsMode::Require,
        };
        let login = properties.administrator_login.clone();
        let version = properties.version.as_ref().map(|major| match properties.minor_version.as_deref() {
            Some(minor) if !minor.is_empty() && !minor.contains('.') => format!("{major}.{minor}"),
            Some(minor) if minor.contains('.') => minor.to_owned(),
            _ => major.clone(),
        });
        ServerFacts {
            account: None,
            endpoint: host.map(|host| Endpoint { host, port: 5432, tls }),
            admin_username: login.unwrap_or_else(|| self.config.azure.admin_username.clone()),
            admin_database: "postgres".to_owned(),
            sslmode: "require".to_owned(),
            version,
            size: server.sku.as_ref().map(|sku| sku.name.clone()),
            storage_gb: properties
                .storage
                .as_ref()
                .and_then(|storage| storage.storage_size_gb)
                .map(u64::from),
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
        let path = format!("{}/configurations", self.service.path(identity));
        let all: Vec<Configuration> = self.service.list("reading the parameters", &path, urgency).await?;
        parameters::note(&mut present.facts.settings, &all);
        self.service.look_at_locks(identity, present, urgency).await
    }
}
