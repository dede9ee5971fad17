//! Looking at an instance.

use aws_sdk_rds::types::DbInstance;

use super::super::super::{
    BackendError, Owner, PresentServer, Read, ServerFacts, ServerIdentity, ServerObservation, Urgency,
};
use super::super::base::account_in;
use super::super::error::PROTECTED;
use super::super::instances::{self, was_available};
use super::super::states::{self, State};
use super::super::{parameters, tags};
use super::configure::group_of;
use super::{RdsBackend, rules};

impl RdsBackend {
    pub(super) async fn look(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        self.base.must_be_here(identity)?;
        let urgency = match read {
            Read::Shared { at_most } => {
                let since = self.base.memory.since(&identity.name, at_most);
                let listed = self.base.service.listed_instance(&identity.name, since).await?;
                if let Some(instance) = listed {
                    return self.seen(&instance, owner, false).await;
                }
                Urgency::Resync
            }
            Read::Direct(urgency) => urgency,
        };
        // A listing confirms presence only.
        match self.base.service.instance(&identity.name, urgency).await? {
            Some(instance) => self.seen(&instance, owner, true).await,
            None => {
                self.base.must_be_its_account(identity).await?;
                Ok(ServerObservation::Absent)
            }
        }
    }

    /// The instance, if it is there and ours; read right before something is done to it.
    pub(super) async fn ours(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
    ) -> Result<DbInstance, BackendError> {
        self.base.must_be_here(identity)?;
        let gone = || BackendError::Gone { message: format!("there is no instance {}", identity.name) };
        let instance = self.base.service.instance(&identity.name, Urgency::User).await?.ok_or_else(gone)?;
        match self.whose(&instance, owner) {
            None => Ok(instance),
            Some(message) => Err(BackendError::Conflict { message }),
        }
    }

    /// Whose an instance is, if not the object's.
    pub(super) fn whose(&self, instance: &DbInstance, owner: &Owner) -> Option<String> {
        let name = instance.db_instance_identifier().unwrap_or_default();
        if let Some(cluster) = instance.db_cluster_identifier() {
            return Some(format!("the instance {name} is a member of the Aurora cluster {cluster}"));
        }
        self.base.whose(name, instance.tag_list(), owner)
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
        let name = instances::name_of(instance);
        if let Some(group) = group_of(instance).filter(|group| parameters::is_own(group, &name)) {
            let base = &self.base;
            let values = base.groups.values(&base.service, group, fresh, Urgency::Resync).await?;
            facts.settings.extend(values.iter().map(|(field, value)| (field.clone(), value.clone())));
        }
        Ok(facts)
    }

    pub(super) fn facts(&self, instance: &DbInstance) -> ServerFacts {
        let endpoint = instance.endpoint();
        let admin = instance.master_username().unwrap_or(&self.base.aws.admin_username);
        ServerFacts {
            account: account_in(instance.db_instance_arn()),
            endpoint: endpoint.and_then(|found| self.base.endpoint(found.address()?, found.port())),
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
