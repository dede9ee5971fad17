//! Final snapshots of instances and of clusters: `Describe…` and `Delete…`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rds::realm::{Realm, State};
use crate::rds::snapshot::Snapshot;
use crate::rds::wire::{Answer, Form, Refusal, filters, invalid, page, passes};

/// What the two sorts are called.
struct Sort {
    id: &'static str,
    of: &'static str,
    resource: &'static str,
    list: &'static str,
    filters: [&'static str; 3],
    missing: &'static str,
}

const OF_INSTANCES: Sort = Sort {
    id: "DBSnapshotIdentifier",
    of: "DBInstanceIdentifier",
    resource: "DbiResourceId",
    list: "DBSnapshots",
    filters: ["db-snapshot-id", "db-instance-id", "dbi-resource-id"],
    missing: "DBSnapshotNotFound",
};
const OF_CLUSTERS: Sort = Sort {
    id: "DBClusterSnapshotIdentifier",
    of: "DBClusterIdentifier",
    resource: "DbClusterResourceId",
    list: "DBClusterSnapshots",
    filters: ["db-cluster-snapshot-id", "db-cluster-id", "db-cluster-resource-id"],
    missing: "DBClusterSnapshotNotFoundFault",
};

pub(super) fn describe(state: &State, form: &Form) -> Answer {
    list(&state.snapshots, form, &OF_INSTANCES)
}

pub(super) fn describe_of_clusters(state: &State, form: &Form) -> Answer {
    list(&state.cluster_snapshots, form, &OF_CLUSTERS)
}

fn list(all: &BTreeMap<String, Snapshot>, form: &Form, sort: &Sort) -> Answer {
    let lower = |name: &str| form.text(name).map(|text| text.to_lowercase());
    let (name, of, resource) = (lower(sort.id), lower(sort.of), form.text(sort.resource));
    let kind = form.text("SnapshotType");
    form.flag("IncludeShared")?;
    form.flag("IncludePublic")?;
    let filters = filters(form, &sort.filters)?;
    let manual = match kind.as_deref() {
        None | Some("manual") => true,
        Some("automated" | "shared" | "public" | "awsbackup") => false,
        Some(other) => return Err(invalid(format!("Invalid snapshot type: {other}"))),
    };
    let [by_name, by_owner, by_resource] = sort.filters;
    let fits = all.values().filter(|it| {
        manual
            && name.as_ref().is_none_or(|name| *name == it.id)
            && of.as_ref().is_none_or(|of| *of == it.of)
            && resource.as_ref().is_none_or(|resource| *resource == it.resource_id)
            && passes(&filters, by_name, &it.id)
            && passes(&filters, by_owner, &it.of)
            && passes(&filters, by_resource, &it.resource_id)
    });
    let found: Vec<_> = fits.map(|it| (it.id.clone(), it.xml())).collect();
    match name {
        Some(name) if found.is_empty() => Err(missing(sort, &name)),
        _ => page(form, sort.list, found),
    }
}

fn missing(sort: &Sort, name: &str) -> Refusal {
    Refusal(404, sort.missing, format!("Snapshot {name} not found."))
}

pub(super) fn delete(realm: &Arc<Realm>, form: &Form) -> Answer {
    remove(&mut realm.state().snapshots, form, &OF_INSTANCES, "InvalidDBSnapshotState")
}

pub(super) fn delete_of_cluster(realm: &Arc<Realm>, form: &Form) -> Answer {
    remove(&mut realm.state().cluster_snapshots, form, &OF_CLUSTERS, "InvalidDBClusterSnapshotStateFault")
}

fn remove(all: &mut BTreeMap<String, Snapshot>, form: &Form, sort: &Sort, busy: &'static str) -> Answer {
    let name = form.need(sort.id)?.to_lowercase();
    form.nothing_else()?;
    let found = all.get(&name).ok_or_else(|| missing(sort, &name))?;
    if found.status != "available" {
        return Err(Refusal(400, busy, format!("Snapshot {name} is {}.", found.status)));
    }
    let xml = found.xml().replace("<Status>available<", "<Status>deleted<");
    all.remove(&name);
    Ok(xml)
}
