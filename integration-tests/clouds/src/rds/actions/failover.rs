//! `FailoverDBCluster`: another member becomes the writer.

use std::sync::Arc;

use crate::rds::realm::{Realm, identifier};
use crate::rds::wire::{Answer, Form, Refusal};

pub(super) fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    let id = identifier(form.need("DBClusterIdentifier")?)?;
    let target = form.text("TargetDBInstanceIdentifier").map(|id| id.to_lowercase());
    form.nothing_else()?;
    let mut state = realm.state();
    state.usable_cluster(&id)?;
    let tier = |it: &crate::rds::Instance| {
        it.field("PromotionTier").and_then(|tier| tier.parse().ok()).unwrap_or(1_u32)
    };
    let reader = state
        .members(&id)
        .filter(|it| !it.writer && it.status == "available")
        .filter(|it| target.as_ref().is_none_or(|target| *target == it.id))
        .min_by_key(|it| tier(it));
    let Some(chosen) = reader.map(|it| it.id.clone()) else {
        let message = "There is no available reader that could become the writer.".to_owned();
        return Err(Refusal(400, "InvalidDBClusterStateFault", message));
    };
    for it in state.instances.values_mut().filter(|it| it.cluster.as_ref() == Some(&id)) {
        it.writer = it.id == chosen;
    }
    Ok(state.clusters.get(&id).map(|it| state.cluster_xml(it)).unwrap_or_default())
}
