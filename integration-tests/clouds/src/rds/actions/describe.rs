//! `DescribeDBInstances` and `DescribeDBClusters`.

use crate::rds::realm::{State, cluster_not_found, not_found};
use crate::rds::wire::{Answer, Form, filters, node, page, passes};

pub(super) fn instances(state: &State, form: &Form) -> Answer {
    if let Some(id) = form.text("DBInstanceIdentifier").map(|id| id.to_lowercase()) {
        form.nothing_else()?;
        // The whole ARN is taken in place of the identifier.
        let found = state.instances.values().find(|it| it.id == id || it.arn == id);
        return Ok(node("DBInstances", [found.ok_or_else(|| not_found(&id))?.xml()]));
    }
    let filters = filters(form, &["db-instance-id", "db-cluster-id", "dbi-resource-id", "engine"])?;
    let fits = state.instances.values().filter(|it| {
        passes(&filters, "db-instance-id", &it.id)
            && passes(&filters, "db-cluster-id", it.cluster.as_deref().unwrap_or_default())
            && passes(&filters, "dbi-resource-id", &it.resource_id)
            && passes(&filters, "engine", it.engine)
    });
    page(form, "DBInstances", fits.map(|it| (it.id.clone(), it.xml())).collect())
}

pub(super) fn clusters(state: &State, form: &Form) -> Answer {
    form.flag("IncludeShared")?;
    if let Some(id) = form.text("DBClusterIdentifier").map(|id| id.to_lowercase()) {
        form.nothing_else()?;
        let found = state.clusters.values().find(|it| it.id == id || it.arn == id);
        return Ok(node("DBClusters", [state.cluster_xml(found.ok_or_else(|| cluster_not_found(&id))?)]));
    }
    let filters = filters(form, &["db-cluster-id", "db-cluster-resource-id", "engine"])?;
    let fits = state.clusters.values().filter(|it| {
        passes(&filters, "db-cluster-id", &it.id)
            && passes(&filters, "db-cluster-resource-id", &it.resource_id)
            && passes(&filters, "engine", crate::rds::versions::AURORA)
    });
    page(form, "DBClusters", fits.map(|it| (it.id.clone(), state.cluster_xml(it))).collect())
}
