//! Reading a cluster and its members.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_rds::types::DbCluster;

use super::super::super::{BackendError, ServerFacts, Urgency};
use super::super::base::account_in;
use super::super::error::CLUSTER_NOT_FOUND;
use super::super::servers::Shown;
use super::cluster::{self, Seen};
use super::{AuroraBackend, rules};

impl AuroraBackend {
    /// The cluster and its members, by reads of their own; none if the service says that there is no such cluster.
    pub(super) async fn read_cluster(
        &self,
        name: &str,
        urgency: Urgency,
    ) -> Result<Option<Seen>, BackendError> {
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

    /// From two listings that all share: of clusters, and of instances.
    pub(super) async fn listed_cluster(
        &self,
        name: &str,
        since: Instant,
    ) -> Result<Option<Arc<Seen>>, BackendError> {
        let found = self.clusters.find(name, since, async || self.list().await).await?;
        let Some(cluster) = found else { return Ok(None) };
        let mut members = Vec::new();
        for id in cluster::named(&cluster) {
            let member = self.base.service.listed_instance(&id, since).await?;
            members.extend(member.map(|member| member.as_ref().clone()));
        }
        Ok(Some(Arc::new(Seen::new(cluster.as_ref().clone(), members))))
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

    /// What a cluster is like, parameters apart.
    pub(super) fn facts_of(&self, seen: &Seen) -> ServerFacts {
        let cluster = &seen.cluster;
        let writer = seen.writer().and_then(|writer| writer.instance.as_ref());
        let admin = cluster.master_username().unwrap_or(&self.base.aws.admin_username);
        ServerFacts {
            account: account_in(seen.arn()),
            // Its name is there from the beginning, and leads to whoever writes.
            endpoint: cluster.endpoint().and_then(|host| self.base.endpoint(host, cluster.port())),
            admin_username: admin.to_owned(),
            admin_database: "postgres".to_owned(),
            sslmode: "require".to_owned(),
            version: seen.version().map(str::to_owned),
            size: writer.and_then(|writer| writer.db_instance_class()).map(str::to_owned),
            // What the service names means nothing.
            storage_gb: None,
            storage_used_gb: None,
            settings: rules::found(seen),
        }
    }
}
