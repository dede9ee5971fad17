//! Looking at an instance.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_rds::types::DbInstance;

use super::super::super::cloud::Whose;
use super::super::super::{
    BackendError, Owner, PresentServer, Read, ServerFacts, ServerIdentity, ServerObservation, Urgency,
};
use super::super::error::{INSTANCE_NOT_FOUND, PROTECTED};
use super::super::states::{self, State};
use super::super::tags;
use super::configure::group_of;
use super::{RdsBackend, parameters, rules};
use crate::postgres::{Endpoint, TlsMode};

impl RdsBackend {
    pub(super) async fn look(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        self.must_be_here(identity)?;
        let urgency = match read {
            Read::Shared { at_most } => {
                if let Some(instance) = self.listed(&identity.name, at_most).await? {
                    return self.seen(&instance, owner, false).await;
                }
                Urgency::Resync
            }
            Read::Direct(urgency) => urgency,
        };
        // A listing confirms presence only.
        match self.instance(&identity.name, urgency).await? {
            Some(instance) => self.seen(&instance, owner, true).await,
            None => {
                self.must_be_its_account(identity).await?;
                Ok(ServerObservation::Absent)
            }
        }
    }

    /// In another account there is no such server, which says nothing about the server.
    async fn must_be_its_account(&self, identity: &ServerIdentity) -> Result<(), BackendError> {
        let Some(pinned) = &identity.account else { return Ok(()) };
        let ours = self.service.account().await?;
        if ours == *pinned {
            return Ok(());
        }
        Err(BackendError::rejected(format!(
            "the server is in the AWS account {pinned}, and the operator's credentials are of {ours}; give it \
             credentials of the server's account again"
        )))
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
    async fn instance(&self, name: &str, urgency: Urgency) -> Result<Option<DbInstance>, BackendError> {
        let answer = self
            .service
            .call("DescribeDBInstances", urgency, None, async |client| {
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

    /// The instance, if it is there and ours; read right before something is done to it.
    pub(super) async fn ours(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
    ) -> Result<DbInstance, BackendError> {
        self.must_be_here(identity)?;
        let gone = || BackendError::Gone { message: format!("there is no instance {}", identity.name) };
        let instance = self.instance(&identity.name, Urgency::User).await?.ok_or_else(gone)?;
        match self.whose(&instance, owner) {
            None => Ok(instance),
            Some(message) => Err(BackendError::Conflict { message }),
        }
    }

    async fn listed(&self, name: &str, at_most: Duration) -> Result<Option<Arc<DbInstance>>, BackendError> {
        let now = Instant::now();
        let youngest = now.checked_sub(at_most).unwrap_or(now);
        let since = self.written(name).map_or(youngest, |written| written.max(youngest));
        self.listing.find(name, since, async || self.list().await).await
    }

    async fn list(&self) -> Result<HashMap<String, DbInstance>, BackendError> {
        let (mut all, mut marker) = (HashMap::new(), None);
        loop {
            let page = self
                .service
                .call("DescribeDBInstances", Urgency::Resync, None, async |client| {
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
    pub(super) fn whose(&self, instance: &DbInstance, owner: &Owner) -> Option<String> {
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

    async fn seen(
        &self,
        instance: &DbInstance,
        owner: &Owner,
        fresh: bool,
    ) -> Result<ServerObservation, BackendError> {
        if let Some(message) = self.whose(instance, owner) {
            return Ok(ServerObservation::NotOurs { message });
        }
        Ok(self.judge(instance, self.facts_of(instance, fresh).await?))
    }

    /// The meaning of an instance of ours.
    pub(super) fn judge(&self, instance: &DbInstance, facts: ServerFacts) -> ServerObservation {
        let status = instance.db_instance_status().unwrap_or("unknown");
        let State { health, mut accepts_writes, mut operation } =
            states::meaning(status, was_available(instance));
        // Accepted, and not in force yet: the next change waits for it, and so does a look at whether logins work.
        let pending = instance.pending_modified_values();
        let mut is_busy = |with: &str| {
            accepts_writes = false;
            operation.get_or_insert_with(|| with.to_owned());
        };
        if pending.is_some_and(|pending| pending.master_user_password().is_some()) {
            is_busy("resetting-master-credentials");
        }
        if facts.settings.get(parameters::APPLIED).is_some_and(|applied| applied == "applying") {
            is_busy("applying parameters");
        }
        ServerObservation::Present(Box::new(PresentServer {
            uid: instance.dbi_resource_id().map(str::to_owned),
            health,
            accepts_writes,
            operation,
            protected: instance.deletion_protection().unwrap_or(false).then(|| PROTECTED.to_owned()),
            left: tags::value(instance.tag_list(), tags::RETAINED).is_some(),
            facts,
        }))
    }

    /// What the instance is like, with its parameters where the group is its own.
    pub(super) async fn facts_of(
        &self,
        instance: &DbInstance,
        fresh: bool,
    ) -> Result<ServerFacts, BackendError> {
        let mut facts = self.facts(instance);
        let name = instance.db_instance_identifier().unwrap_or_default().to_lowercase();
        if let Some(group) = group_of(instance).filter(|group| parameters::is_own(group, &name)) {
            let values = self.group_values(group, fresh, Urgency::Resync).await?;
            facts.settings.extend(values.iter().map(|(field, value)| (field.clone(), value.clone())));
        }
        Ok(facts)
    }

    pub(super) fn facts(&self, instance: &DbInstance) -> ServerFacts {
        let tls = match self.service.trust() {
            Some(ca_pem) => TlsMode::Verify { ca_pem: ca_pem.to_owned() },
            None => TlsMode::Require,
        };
        let endpoint = instance.endpoint().and_then(|endpoint| {
            Some(Endpoint {
                host: endpoint.address()?.to_owned(),
                port: u16::try_from(endpoint.port().unwrap_or(5432)).ok()?,
                tls,
            })
        });
        let admin = instance.master_username().unwrap_or(&self.config.aws.admin_username);
        // arn:aws:rds:region:account:db:name
        let account = instance.db_instance_arn().and_then(|arn| arn.split(':').nth(4));
        ServerFacts {
            account: account.map(str::to_owned),
            endpoint,
            admin_username: admin.to_owned(),
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

/// Whether the service says that the instance once took connections.
pub(super) fn was_available(instance: &DbInstance) -> bool {
    instance.instance_create_time().is_some() || instance.endpoint().is_some()
}
