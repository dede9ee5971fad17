//! Looking at an instance.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_rds::types::DbInstance;

use super::super::super::{
    BackendError, Owner, PresentServer, ServerFacts, ServerIdentity, ServerObservation,
};
use super::super::budget::Urgency;
use super::super::error::{INSTANCE_NOT_FOUND, PROTECTED};
use super::super::states::{self, State};
use super::super::tags::{self, Whose};
use super::{RdsBackend, rules};
use crate::postgres::{Endpoint, TlsMode};

/// How old a shared listing may be.
const LISTING: Duration = Duration::from_secs(60);

impl RdsBackend {
    pub(super) async fn look(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        direct: bool,
    ) -> Result<ServerObservation, BackendError> {
        self.must_be_here(identity)?;
        if !direct && let Some(instance) = self.listed(&identity.name).await? {
            return Ok(self.judge(&instance, owner));
        }
        // A listing confirms presence only.
        let found = self.instance(&identity.name).await?;
        Ok(found.map_or(ServerObservation::Absent, |instance| self.judge(&instance, owner)))
    }

    /// A server stays in its region, wherever new ones are made.
    fn must_be_here(&self, identity: &ServerIdentity) -> Result<(), BackendError> {
        let here = self.service.region();
        match identity.region.as_deref() {
            Some(region) if region != here => Err(BackendError::rejected(format!(
                "the server is in the region {region}, and the operator is configured for {here}; configure the \
                 server's region again"
            ))),
            _ => Ok(()),
        }
    }

    /// The instance, by a read of its own; none if the service says that there is none.
    pub(super) async fn instance(&self, name: &str) -> Result<Option<DbInstance>, BackendError> {
        let answer = self
            .service
            .call("DescribeDBInstances", Urgency::Asked, None, async |client| {
                client.describe_db_instances().db_instance_identifier(name).send().await
            })
            .await;
        match answer {
            Ok(answer) => match answer.db_instances.unwrap_or_default().into_iter().next() {
                Some(instance) => Ok(Some(instance)),
                // The service says so by a code; an empty answer is none.
                None => Err(BackendError::transient("DescribeDBInstances: AWS gave an empty answer")),
            },
            Err(failed) if failed.is(INSTANCE_NOT_FOUND) => Ok(None),
            Err(failed) => Err(failed.error),
        }
    }

    /// The instance, if it is there and ours.
    pub(super) async fn ours(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
    ) -> Result<DbInstance, BackendError> {
        self.must_be_here(identity)?;
        let gone = || BackendError::Gone { message: format!("there is no instance {}", identity.name) };
        let instance = self.instance(&identity.name).await?.ok_or_else(gone)?;
        match self.whose(&instance, owner) {
            None => Ok(instance),
            Some(message) => Err(BackendError::Conflict { message }),
        }
    }

    async fn listed(&self, name: &str) -> Result<Option<Arc<DbInstance>>, BackendError> {
        let now = Instant::now();
        let youngest = now.checked_sub(LISTING).unwrap_or(now);
        let since = self.written(name).map_or(youngest, |written| written.max(youngest));
        self.listing.find(name, since, async || self.list().await).await
    }

    async fn list(&self) -> Result<HashMap<String, DbInstance>, BackendError> {
        let (mut all, mut marker) = (HashMap::new(), None);
        loop {
            let page = self
                .service
                .call("DescribeDBInstances", Urgency::Routine, None, async |client| {
                    client.describe_db_instances().max_records(100).set_marker(marker.take()).send().await
                })
                .await?;
            for instance in page.db_instances.unwrap_or_default() {
                let name = instance.db_instance_identifier().unwrap_or_default().to_lowercase();
                all.insert(name, instance);
            }
            marker = page.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// Whose an instance is, if not the object's.
    fn whose(&self, instance: &DbInstance, owner: &Owner) -> Option<String> {
        let name = instance.db_instance_identifier().unwrap_or_default();
        match tags::whose(instance.tag_list(), owner) {
            Whose::Ours => None,
            // The administrator says that this one is the object's.
            Whose::Untagged if self.overridden(owner).is_some() => None,
            Whose::Untagged => Some(format!(
                "the RDS instance {name} has no tags that say whose it is; use another name, or let the administrator \
                 name it in name_overrides"
            )),
            Whose::Another(whose) => {
                Some(format!("the RDS instance {name} belongs to the PostgreSQLServer {whose}"))
            }
        }
    }

    pub(super) fn judge(&self, instance: &DbInstance, owner: &Owner) -> ServerObservation {
        if let Some(message) = self.whose(instance, owner) {
            return ServerObservation::NotOurs { message };
        }
        let status = instance.db_instance_status().unwrap_or("unknown");
        let was_available = instance.instance_create_time().is_some() || instance.endpoint().is_some();
        let State { health, mut accepts_writes, mut operation } = states::meaning(status, was_available);
        // Accepted, and not in force yet: the next change waits for it, and so does a look at whether logins work.
        let pending = instance.pending_modified_values();
        if pending.is_some_and(|pending| pending.master_user_password().is_some()) {
            accepts_writes = false;
            operation.get_or_insert_with(|| "resetting-master-credentials".to_owned());
        }
        ServerObservation::Present(Box::new(PresentServer {
            uid: instance.dbi_resource_id().map(str::to_owned),
            health,
            accepts_writes,
            operation,
            protected: instance.deletion_protection().unwrap_or(false).then(|| PROTECTED.to_owned()),
            left: false,
            facts: self.facts(instance),
        }))
    }

    fn facts(&self, instance: &DbInstance) -> ServerFacts {
        let tls = match &self.settings.ca_pem {
            Some(ca_pem) => TlsMode::Verify { ca_pem: ca_pem.clone() },
            None => TlsMode::Require,
        };
        let endpoint = instance.endpoint().and_then(|endpoint| {
            Some(Endpoint {
                host: endpoint.address()?.to_owned(),
                port: u16::try_from(endpoint.port().unwrap_or(5432)).ok()?,
                tls,
            })
        });
        ServerFacts {
            endpoint,
            admin_username: instance.master_username().unwrap_or(&self.settings.admin_username).to_owned(),
            admin_database: "postgres".to_owned(),
            sslmode: "require".to_owned(),
            version: instance.engine_version().map(str::to_owned),
            size: instance.db_instance_class().map(str::to_owned),
            storage_gb: instance.allocated_storage().and_then(|gb| u64::try_from(gb).ok()),
            storage_used_gb: None,
            settings: rules::found(instance),
        }
    }
}
