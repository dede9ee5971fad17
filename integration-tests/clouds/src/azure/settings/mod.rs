//! Server parameters: what PostgreSQL itself knows about them, and what the service adds and forbids.

mod catalogue;
mod values;

pub(super) use catalogue::{first, known, of_single};

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::below::{self, Below};
use super::operations::{change, writable};
use super::server::{Server, Service};
use super::wire::{Refusal, Reply};
use crate::postgres::{self, Parameters};

/// A server parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What is set.
    pub value: String,
    /// What is set if nobody sets anything.
    pub default: String,
    /// `Boolean`, `Enumeration`, `Integer`, `Numeric`, `Set`, `String`.
    pub kind: &'static str,
    /// `on,off`, `10-100`, names.
    pub allowed: String,
    /// For example `8KB`.
    pub unit: Option<String>,
    /// Whether it takes effect without a restart.
    pub dynamic: bool,
    /// Whether only the service can set it.
    pub read_only: bool,
    /// What it does.
    pub description: String,
    /// Whether somebody set it.
    pub by_user: bool,
    /// What the running PostgreSQL has.
    pub in_force: String,
}

impl Setting {
    fn pending(&self) -> bool {
        !self.dynamic && self.value != self.in_force
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    properties: Properties,
    #[serde(rename = "id")]
    _id: Option<serde::de::IgnoredAny>,
    #[serde(rename = "name")]
    _name: Option<serde::de::IgnoredAny>,
    #[serde(rename = "type")]
    _type: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Properties {
    value: Option<String>,
    source: Option<String>,
}

pub(super) fn answer(call: Below<'_>) -> Result<Reply, Refusal> {
    let mut world = call.inner.world();
    let of = call.of(&world)?;
    match (call.ask.method.as_str(), call.name) {
        ("GET", None) => Ok(below::list(of.settings.iter().map(|(name, it)| json(of, name, it)))),
        ("GET", Some(name)) => find(of, name).map(|(name, it)| Reply::ok(json(of, name, it))),
        ("PUT" | "PATCH", Some(name)) => {
            let (value, by_user) = wanted(of, name, call.ask.json::<Body>()?.properties)?;
            let name = find(of, name)?.0.clone();
            let of = writable(&mut world, call.service, call.server, &["Ready"])?;
            let job = call.inner.begin(of, Some("Updating"), Some("Ready"));
            let mut changed = of.settings.clone();
            let dynamic = set(&mut changed, &name, value, by_user);
            let (behind, parameters) = (of.behind.clone(), parameters(&changed));
            let work = async move {
                if let Some(behind) = behind {
                    apply(&behind, &parameters, dynamic).await?;
                }
                Ok(change(move |of| {
                    of.settings = changed;
                    of.shown = of.settings.get(&name).map(|it| json(of, &name, it));
                }))
            };
            Ok(call.inner.accept(&mut world, call.ask, call.target, job, work))
        }
        _ => Err(Below::wrong_method("Configurations")),
    }
}

fn find<'a>(of: &'a Server, name: &str) -> Result<(&'a String, &'a Setting), Refusal> {
    of.settings.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let message = format!("The configuration '{name}' does not exist for server '{}'.", of.name);
        Refusal::new(404, "ConfigurationNotExists", message)
    })
}

/// The value as it is kept, and whether it is the user's.
fn wanted(of: &Server, name: &str, asked: Properties) -> Result<(String, bool), Refusal> {
    let (name, setting) = find(of, name)?;
    if setting.read_only {
        let message = format!("The configuration '{name}' is read-only.");
        return Err(Refusal::new(400, "ConfigurationReadOnly", message));
    }
    let by_user = match asked.source.as_deref() {
        None | Some("user-override") => true,
        Some("system-default") => false,
        Some(other) => return Err(Refusal::invalid(format!("'{other}' is not a source of a value."))),
    };
    let value = match asked.value {
        Some(value) => values::normalised(name, setting, &value)?,
        None if by_user => return Err(Refusal::invalid("A value is required.")),
        None => setting.default.clone(),
    };
    // What has the default value again is the system's again [K].
    let by_user = by_user && value != setting.default;
    Ok((value, by_user))
}

/// Sets it in the record; whether it takes effect at once.
fn set(settings: &mut BTreeMap<String, Setting>, name: &str, value: String, by_user: bool) -> bool {
    let Some(setting) = settings.get_mut(name) else { return true };
    (setting.value, setting.by_user) = (value, by_user);
    if setting.dynamic {
        setting.in_force = setting.value.clone();
    }
    setting.dynamic
}

/// What PostgreSQL behind is told: only what differs from its own defaults.
pub(super) fn parameters(settings: &BTreeMap<String, Setting>) -> Parameters {
    let mut parameters = first();
    for (name, setting) in settings.iter().filter(|(_, setting)| setting.value != setting.default) {
        let value = match name.as_str() {
            "shared_preload_libraries" => catalogue::installed(&setting.value),
            _ => setting.value.clone(),
        };
        parameters.insert(name.clone(), value);
    }
    parameters
}

/// What a server of another version has, with what was set before.
pub(super) fn carried(
    before: &BTreeMap<String, Setting>,
    mut known: BTreeMap<String, Setting>,
) -> BTreeMap<String, Setting> {
    for (name, was) in before.iter().filter(|(_, was)| was.by_user) {
        if let Some(setting) = known.get_mut(name) {
            (setting.value, setting.by_user) = (was.value.clone(), true);
            setting.in_force.clone_from(&was.value);
        }
    }
    known
}

/// After a restart everything is in force.
pub(super) fn restarted(settings: &mut BTreeMap<String, Setting>) {
    for setting in settings.values_mut() {
        setting.in_force = setting.value.clone();
    }
}

async fn apply(behind: &postgres::Server, parameters: &Parameters, now: bool) -> Result<(), Refusal> {
    let loaded = async || behind.ask("postgres", "SELECT pg_conf_load_time()::text").await;
    let before = if now { loaded().await.ok() } else { None };
    behind.write(parameters).map_err(Refusal::internal)?;
    // PostgreSQL that is down reads its files when it comes back.
    let Some(before) = before else { return Ok(()) };
    behind.reload();
    let deadline = Instant::now() + Duration::from_secs(10);
    while loaded().await.is_ok_and(|now| now == before) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

fn json(of: &Server, name: &str, it: &Setting) -> Value {
    let mut properties = json!({
        "value": it.value,
        "description": it.description,
        "defaultValue": it.default,
        "dataType": it.kind,
        "allowedValues": it.allowed,
        "source": if it.by_user { "user-override" } else { "system-default" },
    });
    // A single server does not tell these [S].
    if of.service == Service::Flexible {
        properties["isDynamicConfig"] = json!(it.dynamic);
        properties["isReadOnly"] = json!(it.read_only);
        properties["isConfigPendingRestart"] = json!(it.pending());
        if let Some(unit) = &it.unit {
            properties["unit"] = json!(unit);
        }
    }
    below::json(of, "configurations", name, properties)
}
