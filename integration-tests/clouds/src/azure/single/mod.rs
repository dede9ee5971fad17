//! Single servers: the service is retired; what is left of it is looked after, and nothing new is made [D].

mod body;
mod gate;
mod network_rules;
mod rules;
mod write;

pub(super) use gate::Gate;
pub(super) use network_rules::answer as network_rules;
pub(super) use write::{made, write};

use serde_json::{Map, Value, json};

use super::server::Server;

fn switch(on: bool) -> &'static str {
    if on { "Enabled" } else { "Disabled" }
}

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
        "sslEnforcement": switch(it.tls_enforced),
        "minimalTlsVersion": "TLSEnforcementDisabled",
        "userVisibleState": state,
        "storageProfile": {
            "storageMB": it.storage.size * 1024,
            "backupRetentionDays": it.retention,
            "geoRedundantBackup": switch(it.geo_backup),
            "storageAutogrow": switch(it.storage.auto_grow),
        },
        "replicationRole": "None",
        "masterServerId": "",
        "replicaCapacity": 5,
        "byokEnforcement": "Disabled",
        "infrastructureEncryption": "Disabled",
        "publicNetworkAccess": switch(it.public),
        "privateEndpointConnections": connections,
        "earliestRestoreDate": it.created,
    });
    if let Some(ip) = it.reached_at() {
        properties["fullyQualifiedDomainName"] = json!(ip.to_string());
    }
    let mut whole = Map::from_iter([
        ("id".to_owned(), json!(it.id())),
        ("name".to_owned(), json!(it.name)),
        ("type".to_owned(), json!(it.service.kind())),
        ("location".to_owned(), json!(it.location.replace(' ', "").to_lowercase())),
        ("sku".to_owned(), sku),
        ("properties".to_owned(), properties),
    ]);
    if !it.tags.is_empty() {
        whole.insert("tags".to_owned(), json!(it.tags));
    }
    Value::Object(whole)
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
