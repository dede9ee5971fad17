//! `/_sim/…`: what tests do in Rust, for those that talk to the program.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::faults::{Chance, Fault, Kind};

use super::{Cloud, Quotas};

/// Status and JSON.
pub(super) fn answer(cloud: &Arc<Cloud>, method: &Method, path: &str, body: &[u8]) -> (u16, String) {
    let done = match (method.as_str(), path.trim_start_matches("/_sim/")) {
        ("GET", "log") => {
            let log = cloud.log.lock().unwrap_or_else(PoisonError::into_inner).clone();
            serde_json::to_value(log)
        }
        ("GET", "ca") => Ok(json!({ "pem": cloud.pool.authorities().bundle() })),
        ("POST", "clock") => serde_json::from_slice(body).map(|order| clock(cloud, &order)),
        ("POST", "faults") => serde_json::from_slice(body).map(|order| faults(cloud, order)),
        ("DELETE", "faults") => {
            cloud.faults.clear();
            Ok(json!({}))
        }
        ("POST", "vanish") => serde_json::from_slice(body).map(|it: Named| {
            cloud.vanish(&it.id);
            json!({})
        }),
        ("POST", "replace") => serde_json::from_slice(body).map(|it: Named| {
            cloud.replace(&it.id);
            json!({})
        }),
        ("POST", "drift") => serde_json::from_slice(body).map(|it| json!({ "found": drift(cloud, it) })),
        ("POST", "fail-creations") => serde_json::from_slice(body).map(|it: Times| {
            for realm in cloud.each() {
                realm.state().failing_creations = it.times;
            }
            json!({})
        }),
        ("POST", "snapshot-quota") => serde_json::from_slice(body).map(|it: Times| {
            for realm in cloud.each() {
                let quotas = realm.state().quotas;
                realm.state().quotas = Quotas { snapshots: it.times as usize, ..quotas };
            }
            json!({})
        }),
        ("POST", "release") => serde_json::from_slice(body).map(|it: Release| {
            let now = cloud.clock.now();
            cloud.versions().release(super::versions::POSTGRES, &it.version, now);
            json!({})
        }),
        _ => return (404, json!({ "error": "no such order; see README.md" }).to_string()),
    };
    match done {
        Ok(value) => (200, value.to_string()),
        Err(error) => (400, json!({ "error": error.to_string() }).to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Times {
    times: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    #[serde(default)]
    turn_seconds: u64,
    hold: Option<bool>,
}

fn clock(cloud: &Cloud, order: &ClockOrder) -> serde_json::Value {
    match order.hold {
        Some(true) => cloud.clock.hold(),
        Some(false) => cloud.clock.run(),
        None => {}
    }
    cloud.clock.turn(Duration::from_secs(order.turn_seconds));
    json!({ "now": cloud.clock.now().to_string() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    action: Option<String>,
    id: Option<String>,
    kind: KindOrder,
    #[serde(default = "once")]
    times: u32,
    /// In place of `times`: by chance.
    chance: Option<ChanceOrder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChanceOrder {
    seed: u64,
    per_mille: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindOrder {
    Error { status: u16, code: String },
    ExpiredToken,
    Reset,
    Lost,
    Truncated,
    SlowDrip { seconds: u64 },
    Eventual { reads: u32 },
    Hang,
}

fn once() -> u32 {
    1
}

fn faults(cloud: &Cloud, order: FaultOrder) -> serde_json::Value {
    let kind = match order.kind {
        KindOrder::Error { status, code } => Kind::Error(status, code),
        KindOrder::ExpiredToken => Kind::ExpiredToken,
        KindOrder::Reset => Kind::Reset,
        KindOrder::Lost => Kind::Lost,
        KindOrder::Truncated => Kind::Truncated,
        KindOrder::SlowDrip { seconds } => Kind::SlowDrip(Duration::from_secs(seconds)),
        KindOrder::Eventual { reads } => Kind::Eventual(reads),
        KindOrder::Hang => Kind::Hang,
    };
    match order.chance {
        Some(ChanceOrder { seed, per_mille }) => {
            cloud.faults.by_chance(Chance { seed, per_mille, kinds: vec![kind] });
        }
        None => cloud.faults.add(Fault { action: order.action, id: order.id, kind, times: order.times }),
    }
    json!({})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drift {
    id: String,
    status: Option<String>,
    class: Option<String>,
    version: Option<String>,
    storage: Option<u32>,
    used: Option<u32>,
    retention: Option<u32>,
    multi_az: Option<bool>,
    protected: Option<bool>,
}

/// Whether there is such an instance.
fn drift(cloud: &Arc<Cloud>, to: Drift) -> bool {
    let found = cloud.find_instance(&to.id, |it| {
        it.status = to.status.unwrap_or(std::mem::take(&mut it.status));
        it.class = to.class.unwrap_or(std::mem::take(&mut it.class));
        it.version = to.version.unwrap_or(std::mem::take(&mut it.version));
        it.storage.size = to.storage.unwrap_or(it.storage.size);
        it.used = to.used.unwrap_or(it.used);
        it.retention = to.retention.unwrap_or(it.retention);
        it.multi_az = to.multi_az.unwrap_or(it.multi_az);
        if let Some(protected) = to.protected {
            it.set_field("DeletionProtection", &protected.to_string());
        }
    });
    found.is_some()
}
