//! An instance, as one look saw it. Pure.

use aws_sdk_rds::types::{DbInstance, Tag};

use super::super::super::ServerFacts;
use super::super::base::account_in;
use super::super::instances::was_available;
use super::super::servers::Shown;
use super::super::states::{self, State};
use super::{RdsBackend, rules};

impl Shown for DbInstance {
    fn identifier(&self) -> &str {
        self.db_instance_identifier().unwrap_or_default()
    }

    fn uid(&self) -> Option<&str> {
        self.dbi_resource_id()
    }

    fn arn(&self) -> Option<&str> {
        self.db_instance_arn()
    }

    fn tags(&self) -> &[Tag] {
        self.tag_list()
    }

    /// The service lists the members of clusters, too.
    fn stranger(&self) -> Option<String> {
        let (name, cluster) = (self.identifier(), self.db_cluster_identifier()?);
        Some(format!("the instance {name} is a member of the Aurora cluster {cluster}"))
    }

    fn status(&self) -> Option<&str> {
        self.db_instance_status()
    }

    fn state(&self) -> State {
        states::meaning(self.status().unwrap_or("unknown"), was_available(self))
    }

    fn has_pending_password(&self) -> bool {
        self.pending_modified_values().is_some_and(|pending| pending.master_user_password().is_some())
    }

    fn is_protected(&self) -> bool {
        self.deletion_protection() == Some(true)
    }

    fn version(&self) -> Option<&str> {
        self.engine_version()
    }

    fn group(&self) -> Option<&str> {
        self.db_parameter_groups().first()?.db_parameter_group_name()
    }
}

impl RdsBackend {
    /// What an instance is like, parameters apart.
    pub(super) fn facts_of(&self, instance: &DbInstance) -> ServerFacts {
        let endpoint = instance.endpoint();
        let admin = instance.master_username().unwrap_or(&self.base.aws.admin_username);
        ServerFacts {
            account: account_in(instance.arn()),
            endpoint: endpoint.and_then(|found| self.base.endpoint(found.address()?, found.port())),
            admin_username: admin.to_owned(),
            admin_database: "postgres".to_owned(),
            sslmode: "require".to_owned(),
            version: instance.version().map(str::to_owned),
            size: instance.db_instance_class().map(str::to_owned),
            storage_gb: instance.allocated_storage().and_then(|gb| u64::try_from(gb).ok()),
            storage_used_gb: None,
            settings: rules::found(instance),
        }
    }
}
