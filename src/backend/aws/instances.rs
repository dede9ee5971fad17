//! Reading instances: those of RDS, and the members of Aurora's clusters.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_rds::types::{DbInstance, Filter};

use super::super::{BackendError, Urgency};
use super::client::Service;
use super::error::INSTANCE_NOT_FOUND;
use super::servers::Shown;

const CALL: &str = "DescribeDBInstances";

impl Service {
    /// The instance, by a read of its own; none if the service says that there is none.
    pub(super) async fn instance(
        &self,
        name: &str,
        urgency: Urgency,
    ) -> Result<Option<DbInstance>, BackendError> {
        let answer = self
            .call(CALL, urgency, None, async |client| {
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

    /// The instance in a listing that was begun at `since` or later, which all who ask share.
    pub(super) async fn listed_instance(
        &self,
        name: &str,
        since: Instant,
    ) -> Result<Option<Arc<DbInstance>>, BackendError> {
        let take = async || {
            let all = self.list_instances(None, Urgency::Resync).await?;
            Ok(all.into_iter().map(|instance| (instance.name(), instance)).collect::<HashMap<_, _>>())
        };
        self.instances.find(name, since, take).await
    }

    /// The members of a cluster, by a read of their own.
    pub(super) async fn members(
        &self,
        cluster: &str,
        urgency: Urgency,
    ) -> Result<Vec<DbInstance>, BackendError> {
        // 16 at most, so one page.
        let of_cluster = Filter::builder().name("db-cluster-id").values(cluster).build();
        self.list_instances(Some(of_cluster), urgency).await
    }

    async fn list_instances(
        &self,
        filter: Option<Filter>,
        urgency: Urgency,
    ) -> Result<Vec<DbInstance>, BackendError> {
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let page = self
                .call(CALL, urgency, None, async |client| {
                    let request = client.describe_db_instances().max_records(100);
                    let request = request.set_filters(filter.clone().map(|filter| vec![filter]));
                    request.set_marker(marker.take()).send().await
                })
                .await?;
            all.extend(page.db_instances.unwrap_or_default());
            marker = page.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(all);
            }
        }
    }
}

/// Whether the service says that the instance once took connections.
pub(super) fn was_available(instance: &DbInstance) -> bool {
    instance.instance_create_time().is_some() || instance.endpoint().is_some()
}
