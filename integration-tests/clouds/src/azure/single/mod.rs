//! Single servers: the service is retired; what is left of it is looked after, and nothing new is made [D].

mod body;
mod gate;
mod network_rules;
mod rules;
mod write;

pub(super) use gate::Gate;
pub(super) use network_rules::answer as network_rules;
pub(super) use write::{create, made, update};

use serde_json::{Value, json};

use super::server::Server;
use super::switch::word;

/// As the service describes it [S].
pub(super) fn json(it: &Server) -> Value {
    let state = match it.state.as_str() {
        "Dropping" | "Disabled" | "Inaccessible" => it.state.as_str(),
        _ => "Ready",
    };
    let mut sku = json!({"name": it.sku.0, "tier": it.sku.1});
    if let Some((_, family, cores)) = rules::parts(&it.sku.0) {
        sku["family"] = json!(family);
        sku["capacity"] = json!(cores);
    }
    let connections: Vec<Value> = it.private_endpoints.iter().map(|id| connection(it, id)).collect();
    let mut properties = json!({
        "administratorLogin": it.admin,
        "version": it.version,
        "sslEnforcement": word(it.tls_enforced),
        "minimalTlsVersion": "TLSEnforcementDisabled",
        "userVisibleState": state,
        "storageProfile": {
            "storageMB": it.storage.size * 1024,
            "backupRetentionDays": it.retention,
            "geoRedundantBackup": word(it.geo_backup),
            "storageAutogrow": word(it.storage.auto_grow),
        },
        "replicationRole": "None",
        "masterServerId": "",
        "replicaCapacity": 5,
        "byokEnforcement": "Disabled",
        "infrastructureEncryption": "Disabled",
        "publicNetworkAccess": word(it.public),
        "privateEndpointConnections": connections,
        "earliestRestoreDate": it.created,
    });
    if let Some(ip) = it.reached_at() {
        properties["fullyQualifiedDomainName"] = json!(ip.to_string());
    }
    it.resource(&it.location.replace(' ', "").to_lowercase(), sku, properties)
}

fn connection(it: &Server, endpoint: &str) -> Value {
    let name = endpoint.rsplit('/').next().unwrap_or_default();
    json!({
        "id": format!("{}/privateEndpointConnections/{name}", it.id()),
        "properties": {
            "privateEndpoint": {"id": endpoint},
            "privateLinkServiceConnectionState": {"status": "Approved", "description": "Auto-approved",
                "actionsRequired": "None"},
            "provisioningState": "Ready",
        },
    })
}
