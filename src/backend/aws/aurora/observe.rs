//! Looking at a cluster and its members.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_rds::types::DbCluster;

use super::super::super::{
    BackendError, Owner, PresentServer, Read, ServerFacts, ServerIdentity, ServerObservation, Urgency,
};
use super::super::base::account_in;
use super::super::engine::Engine;
use super::super::error::{CLUSTER_NOT_FOUND, PROTECTED};
use super::super::states::State;
use super::super::{parameters, tags};
use super::cluster::{self, Seen};
use super::{AuroraBackend, health, rules};

impl AuroraBackend {
    pub(super) async fn look(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        self.base.must_be_here(identity)?;
        let urgency = match read {
            Read::Shared { at_most } => {
                if let Some(seen) = self.listed(&identity.name, at_most).await? {
                    return self.judged(&seen, owner, false).await;
                }
                Urgency::Resync
            }
            Read::Direct(urgency) => urgency,
        };
        // A listing confirms presence only.
        match self.read(&identity.name, urgency).await? {
            Some(seen) => self.judged(&seen, owner, true).await,
            None => {
                self.base.must_be_its_account(identity).await?;
                Ok(ServerObservation::Absent)
            }
        }
    }

    /// The cluster and its members, by reads of their own; none if the service says that there is no such cluster.
    async fn read(&self, name: &str, urgency: Urgency) -> Result<Option<Seen>, BackendError> {
        let answer = self
            .base
            .service
            .call("DescribeDBClusters", urgency, None, async |client| {
                client.describe_db_clusters().db_cluster_identifier(name).send().await
            })
            .await;
        let cluster = match answer {
            Ok(answer) => match answer.db_clusters.unwrap_or_default().into_iter().next() {
                Some(cluster) => cluster,
                // The service says so by a code; an empty answer is none.
                None => return Err(BackendError::transient("DescribeDBClusters: AWS gave an empty answer")),
            },
            Err(failed) if failed.is(CLUSTER_NOT_FOUND) => return Ok(None),
            Err(failed) => return Err(failed.error),
        };
        let members = self.base.service.members(name, urgency).await?;
        Ok(Some(Seen::new(cluster, members)))
    }

    /// The cluster, if it is there and ours; read right before something is done to it.
    pub(super) async fn ours(&self, identity: &ServerIdentity, owner: &Owner) -> Result<Seen, BackendError> {
        self.base.must_be_here(identity)?;
        let gone = || BackendError::Gone { message: format!("there is no cluster {}", identity.name) };
        let seen = self.read(&identity.name, Urgency::User).await?.ok_or_else(gone)?;
        match self.whose(&seen.cluster, owner) {
            None => Ok(seen),
            Some(message) => Err(BackendError::Conflict { message }),
        }
    }

    /// From two listings that all share: of clusters, and of instances.
    async fn listed(&self, name: &str, at_most: Duration) -> Result<Option<Seen>, BackendError> {
        let since = self.base.memory.since(name, at_most);
        let found = self.clusters.find(name, since, async || self.list().await).await?;
        let Some(cluster) = found else { return Ok(None) };
        let mut members = Vec::new();
        for id in cluster::named(&cluster) {
            let member = self.base.service.listed_instance(&id, since).await?;
            members.extend(member.map(|member| member.as_ref().clone()));
        }
        Ok(Some(Seen::new(cluster.as_ref().clone(), members)))
    }

    async fn list(&self) -> Result<HashMap<String, DbCluster>, BackendError> {
        let (mut all, mut marker) = (HashMap::new(), None);
        loop {
            let page = self
                .base
                .service
                .call("DescribeDBClusters", Urgency::Resync, None, async |client| {
                    client.describe_db_clusters().max_records(100).set_marker(marker.take()).send().await
                })
                .await?;
            let clusters = page.db_clusters.unwrap_or_default().into_iter();
            all.extend(clusters.map(|cluster| (cluster::name(&cluster), cluster)));
            marker = page.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// Whose a cluster is, if not the object's. The service lists those of other engines, too.
    pub(super) fn whose(&self, cluster: &DbCluster, owner: &Owner) -> Option<String> {
        let name = cluster.db_cluster_identifier().unwrap_or_default();
        match cluster.engine() {
            Some(engine) if engine != Engine::Aurora.name() => {
                Some(format!("the cluster {name} is not one of Aurora PostgreSQL, but of {engine}"))
            }
            _ => self.base.whose(name, cluster.tag_list(), owner),
        }
    }

    async fn judged(
        &self,
        seen: &Seen,
        owner: &Owner,
        fresh: bool,
    ) -> Result<ServerObservation, BackendError> {
        if let Some(message) = self.whose(&seen.cluster, owner) {
            return Ok(ServerObservation::NotOurs { message });
        }
        Ok(self.judge(seen, self.facts_of(seen, fresh).await?))
    }

    /// The meaning of a cluster of ours.
    pub(super) fn judge(&self, seen: &Seen, facts: ServerFacts) -> ServerObservation {
        let State { health, accepts_writes, operation } = health::of(seen);
        let cluster = &seen.cluster;
        ServerObservation::Present(Box::new(PresentServer {
            uid: cluster.db_cluster_resource_id().map(str::to_owned),
            health,
            accepts_writes,
            operation,
            protected: cluster.deletion_protection().unwrap_or(false).then(|| PROTECTED.to_owned()),
            left: tags::value(cluster.tag_list(), tags::RETAINED).is_some(),
            facts,
        }))
    }

    /// What the cluster is like, with its parameters where the group is its own.
    pub(super) async fn facts_of(&self, seen: &Seen, fresh: bool) -> Result<ServerFacts, BackendError> {
        let mut facts = self.facts(seen);
        if let Some(group) = seen.group().filter(|group| parameters::is_own(group, &seen.name())) {
            let base = &self.base;
            let values = base.groups.values(&base.service, group, fresh, Urgency::Resync).await?;
            facts.settings.extend(values.iter().map(|(field, value)| (field.clone(), value.clone())));
        }
        Ok(facts)
    }

    pub(super) fn facts(&self, seen: &Seen) -> ServerFacts {
        let cluster = &seen.cluster;
        let writer = seen.writer().and_then(|writer| writer.instance.as_ref());
        let admin = cluster.master_username().unwrap_or(&self.base.aws.admin_username);
        ServerFacts {
            account: account_in(cluster.db_cluster_arn()),
            // Its name is there from the beginning, and leads to whoever writes.
            endpoint: cluster.endpoint().and_then(|host| self.base.endpoint(host, cluster.port())),
            admin_username: admin.to_owned(),
            admin_database: "postgres".to_owned(),
            sslmode: "require".to_owned(),
            version: cluster.engine_version().map(str::to_owned),
            size: writer.and_then(|writer| writer.db_instance_class()).map(str::to_owned),
            // What the service names means nothing.
            storage_gb: None,
            storage_used_gb: None,
            settings: rules::found(seen),
        }
    }
}
