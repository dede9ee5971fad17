//! A server of either service, and how it is described.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::settings::Setting;
use super::{World, flexible, single};
use crate::postgres;

/// Which service a server belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Azure Database for PostgreSQL flexible server.
    Flexible,
    /// Azure Database for PostgreSQL single server.
    Single,
}

impl Service {
    /// The resource type.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Flexible => "Microsoft.DBforPostgreSQL/flexibleServers",
            Self::Single => "Microsoft.DBforPostgreSQL/servers",
        }
    }
}

/// A server's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// GiB.
    pub size: u32,
    /// Whether it grows by itself.
    pub auto_grow: bool,
    /// `P4`, `P6`, …
    pub tier: String,
    /// Operations per second.
    pub iops: u32,
}

/// A standby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HighAvailability {
    /// `Disabled`, `SameZone`, `ZoneRedundant`.
    pub mode: String,
    /// Where the standby is.
    pub standby_zone: Option<String>,
    /// `NotEnabled`, `CreatingStandby`, `Healthy`, …
    pub state: String,
}

/// When the service may interrupt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Whether the user chose it.
    pub custom: bool,
    /// 0: Sunday [D].
    pub day: u32,
    /// UTC.
    pub hour: u32,
    /// Of the hour.
    pub minute: u32,
}

/// A server.
#[derive(Clone)]
pub struct Server {
    /// Which service's.
    pub service: Service,
    /// Its resource group, as it was created.
    pub group: String,
    /// Its name.
    pub name: String,
    /// `Provisioning`, `Ready`, `Updating`, …
    pub state: String,
    /// As the service writes it: `West Europe`.
    pub location: String,
    /// Name and tier.
    pub sku: (String, String),
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The major version.
    pub version: String,
    /// The minor version, once there is a server.
    pub minor_version: Option<String>,
    /// The administrator.
    pub admin: String,
    /// Its disk.
    pub storage: Storage,
    /// Days.
    pub retention: u32,
    /// Backups in another region, too.
    pub geo_backup: bool,
    /// Its standby.
    pub high_availability: HighAvailability,
    /// When the service may interrupt.
    pub window: Window,
    /// Where it is.
    pub zone: String,
    /// Whether it can be reached from outside of virtual networks.
    pub public: bool,
    /// The subnet that it lives in.
    pub subnet: Option<String>,
    /// The private DNS zone that its name is in.
    pub dns_zone: Option<String>,
    /// Firewall rules: first and last address.
    pub rules: BTreeMap<String, (Ipv4Addr, Ipv4Addr)>,
    /// Server parameters.
    pub settings: BTreeMap<String, Setting>,
    /// Rules for virtual networks, of a single server: subnet, and whether its service endpoint may be missing.
    pub network_rules: BTreeMap<String, (String, bool)>,
    /// Private endpoints that lead to it: their ids.
    pub private_endpoints: Vec<String>,
    /// Whether logins without TLS are refused; a flexible server has a parameter for that.
    pub tls_enforced: bool,
    /// Backups: name → when it was done, and whether somebody asked for it.
    pub backups: BTreeMap<String, (String, bool)>,
    /// When it was created: the only sign by which a server can be told from another of the same name.
    pub created: String,
    /// Databases that were made by Resource Manager: character set and collation as they were asked for.
    pub(super) databases: BTreeMap<String, (String, String)>,
    pub(super) uid: String,
    /// The operation that runs.
    pub(super) busy: Option<String>,
    /// As it was described before the last change; none: it was not there.
    pub(super) previous: Option<Value>,
    /// How many reads still see that.
    pub(super) stale_reads: u32,
    /// What the `Location` of the operation that ends now shows.
    pub(super) shown: Option<Value>,
    /// What stands behind, once it does.
    pub(super) behind: Option<Arc<postgres::Server>>,
    /// Where a single server is reached.
    pub(super) gate: Option<Arc<single::Gate>>,
}

impl Server {
    /// What is left to be said is up to the service.
    pub(super) fn empty(service: Service, name: &str, admin: &str, created: String, uid: String) -> Self {
        let mode = "Disabled".to_owned();
        Self {
            service,
            group: String::new(),
            name: name.to_owned(),
            state: String::new(),
            location: String::new(),
            sku: (String::new(), String::new()),
            tags: BTreeMap::new(),
            version: String::new(),
            minor_version: None,
            admin: admin.to_owned(),
            storage: Storage { size: 0, auto_grow: false, tier: String::new(), iops: 0 },
            retention: 7,
            geo_backup: false,
            high_availability: HighAvailability { mode, standby_zone: None, state: "NotEnabled".to_owned() },
            window: Window::default(),
            zone: "1".to_owned(),
            public: true,
            subnet: None,
            dns_zone: None,
            rules: BTreeMap::new(),
            settings: BTreeMap::new(),
            network_rules: BTreeMap::new(),
            private_endpoints: Vec::new(),
            tls_enforced: true,
            backups: BTreeMap::new(),
            created,
            databases: BTreeMap::new(),
            uid,
            busy: None,
            previous: None,
            stale_reads: 0,
            shown: None,
            behind: None,
            gate: None,
        }
    }

    /// Where clients reach it.
    pub(super) fn reached_at(&self) -> Option<Ipv4Addr> {
        match &self.gate {
            Some(gate) => Some(gate.ip()),
            None => self.behind.as_ref().map(|behind| behind.ip()),
        }
    }

    /// Its id in Resource Manager.
    #[must_use]
    pub fn id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{}/{}",
            super::SUBSCRIPTION,
            self.group,
            self.service.kind(),
            self.name
        )
    }

    /// As both services describe it. Tags are left out when there are none [K].
    pub(super) fn resource(&self, location: &str, sku: Value, properties: Value) -> Value {
        let mut whole = json!({
            "id": self.id(),
            "name": self.name,
            "type": self.service.kind(),
            "location": location,
            "sku": sku,
            "properties": properties,
        });
        if !self.tags.is_empty() {
            whole["tags"] = json!(self.tags);
        }
        whole
    }

    pub(super) fn json(&self, api_version: &str) -> Value {
        match self.service {
            Service::Flexible => flexible::json(self, api_version),
            Service::Single => single::json(self),
        }
    }

    /// What a read sees; none: it does not see the server yet.
    pub(super) fn seen(&self, api_version: &str) -> Option<Value> {
        // A single server is not there before it is ready [K].
        if self.service == Service::Single && self.state == "Provisioning" {
            return None;
        }
        if self.stale_reads > 0 { self.previous.clone() } else { Some(self.json(api_version)) }
    }

    /// Remembers how it is described now: from here on that is the state before the last change.
    pub(super) fn remember(&mut self, api_version: &str) {
        self.previous = Some(self.json(api_version));
    }
}

impl World {
    /// So many reads see the server as it was before the last change.
    pub(super) fn hide_changes(&mut self, name: &str, reads: u32) {
        for (_, server) in self.servers.iter_mut().filter(|((_, it), _)| it == name) {
            server.stale_reads = reads;
        }
    }

    /// The server and its locks are gone.
    pub(super) fn remove(&mut self, key: &(Service, String)) {
        if let Some(server) = self.servers.remove(key) {
            let scope = server.id().to_lowercase();
            self.locks.retain(|at, _| *at != scope && !at.starts_with(&format!("{scope}/")));
        }
    }
}
