//! `RebootDBInstance`.

use std::sync::Arc;

use crate::rds::life;
use crate::rds::realm::{Realm, identifier};
use crate::rds::wire::{Answer, Form, combination};

pub(super) fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    let id = identifier(form.need("DBInstanceIdentifier")?)?;
    let failover = form.flag("ForceFailover")?.unwrap_or(false);
    form.nothing_else()?;
    let mut state = realm.state();
    let it = state.usable(&id)?;
    if failover && !it.multi_az {
        return Err(combination(
            "You can't specify ForceFailover if the instance isn't configured for Multi-AZ.",
        ));
    }
    "rebooting".clone_into(&mut it.status);
    let (xml, uid, server) = (it.xml(), it.resource_id.clone(), it.server.clone());
    drop(state);
    life::reboot(realm, &id, &uid, server);
    Ok(xml)
}
