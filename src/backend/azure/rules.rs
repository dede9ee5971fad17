//! What of a spec is compared with a server of either service. Pure.

use super::super::{FieldRule, Semantics, Settings, Stage};
use super::fields::{
    self, AUTO_GROW, GEO, LOCK, NETWORK, PRIVATE, PUBLIC, RETENTION, SKU, STANDBY, STORAGE, VERSION, WINDOW,
    on_off, sku_text,
};
use super::model::{OwnProperties, Server};
use crate::api::Size;

const fn rule(field: &'static str, semantics: Semantics, stage: Stage, restart: bool) -> FieldRule {
    FieldRule { field, semantics, stage, restart, revives: false }
}

/// The operator itself may be let in by such a field.
const fn access(field: &'static str) -> FieldRule {
    FieldRule { revives: true, ..rule(field, Semantics::Exact, Stage::Update, false) }
}

/// Which changes interrupt connections:
/// <https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-scaling-resources>,
/// <https://learn.microsoft.com/previous-versions/azure/postgresql/single-server/concepts-pricing-tiers>. What is not asked
/// for on one of the services is not compared there.
pub(super) const RULES: &[FieldRule] = &[
    rule(STORAGE, Semantics::Floor, Stage::Update, false),
    rule(AUTO_GROW, Semantics::Exact, Stage::Update, false),
    rule(SKU, Semantics::Exact, Stage::Update, true),
    rule(STANDBY, Semantics::Exact, Stage::Update, false),
    rule(RETENTION, Semantics::Exact, Stage::Update, false),
    rule(GEO, Semantics::SetOnce, Stage::Update, false),
    rule(WINDOW, Semantics::Exact, Stage::Update, false),
    rule("tag.*", Semantics::Exact, Stage::Update, false),
    access(NETWORK),
    access("firewall.*"),
    rule(LOCK, Semantics::Exact, Stage::Configure, false),
    // Where the service says that one takes effect at once, that counts.
    rule("parameter.*", Semantics::Exact, Stage::Configure, true),
];

/// What a server is like, in the words of the rules; without what only its service has, rules of the firewall, parameters
/// and lock.
pub(super) fn found<P: OwnProperties>(server: &Server<P>) -> Settings {
    let mut found = Settings::new();
    let mut note = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            found.insert(field.to_owned(), value);
        }
    };
    let (properties, disk) = (&server.properties, server.properties.own.disk());
    note(STORAGE, disk.gb.map(|gb| gb.to_string()));
    note(AUTO_GROW, disk.auto_grow.map(str::to_owned));
    note(SKU, server.sku.as_ref().map(|sku| sku_text(&sku.name, &sku.tier)));
    note(VERSION, properties.version.clone());
    note(RETENTION, disk.retention_days.map(|days| days.to_string()));
    note(GEO, disk.geo_redundant.map(str::to_owned));
    note(NETWORK, Some(if properties.own.is_private() { PRIVATE } else { PUBLIC }.to_owned()));
    fields::note_tags(&mut found, server.tags.as_ref());
    found
}

/// Asks for the parts of a size that a spec names; `machine` and `gb` are what it becomes.
pub(super) fn ask_size(wanted: &mut Settings, size: &Size, machine: (&str, &str), gb: u32) {
    if size.class.is_some() || size.cpu.is_some() || size.memory_mb.is_some() {
        wanted.insert(SKU.to_owned(), sku_text(machine.0, machine.1));
    }
    if size.storage_gb.is_some() {
        wanted.insert(STORAGE.to_owned(), gb.to_string());
    }
    if let Some(grows) = size.storage_auto_grow {
        wanted.insert(AUTO_GROW.to_owned(), on_off(grows));
    }
}
