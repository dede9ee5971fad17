//! The calls that change a flexible server.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::azure::operations::{Change, change, writable};
use crate::azure::server::{Server, Service, Window};
use crate::azure::switch::Switch;
use crate::azure::target::Target;
use crate::azure::wire::{Ask, Refusal, Reply};
use crate::azure::{AUTHORITY, Inner, Setting, flavour, rules as common, servers, settings};
use crate::postgres::{self, Address, Admin};

use super::body::{Body, Sku};
use super::rules;

const SERVICE: Service = Service::Flexible;

type Settings = BTreeMap<String, Setting>;

pub(in crate::azure) fn create(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    name: &str,
) -> Result<Reply, Refusal> {
    common::server_name(name)?;
    let body: Body = ask.json()?;
    let server = planned(inner, target, name, &body)?;
    let password = body.properties.administrator_login_password.as_deref();
    let password = common::first_password(password, &server.admin)?.to_owned();
    let major = server.version.parse().unwrap_or_default();
    let admin = Admin { name: server.admin.clone(), password, database: None, major };
    let pool = inner.pool.clone();
    Ok(servers::begin(inner, ask, target, server, async move { made(&pool, admin).await }))
}

/// What the request asks for, checked, with what the service fills in.
fn planned(inner: &Inner, target: &Target, name: &str, body: &Body) -> Result<Server, Refusal> {
    rules::simulated(body)?;
    let asked = &body.properties;
    let location = common::location(body.location.as_deref())?;
    let sku = body.sku.as_ref().ok_or_else(|| Refusal::invalid("sku is required."))?;
    let sku = rules::sku(sku, None)?;
    let tags = body.tags.clone().unwrap_or_default();
    common::tags(&tags)?;
    rules::network(&asked.network, None)?;
    let zone = rules::zone(asked.availability_zone.as_deref())?.unwrap_or_else(|| "1".to_owned());
    let public = asked.network.public_network_access.is_none_or(|Switch(on)| on);
    let in_network = asked.network.delegated_subnet_resource_id.is_some();
    let admin = common::administrator(asked.administrator_login.as_deref())?;
    Ok(Server {
        location,
        tags,
        version: rules::version(asked.version.as_deref(), None)?,
        storage: rules::storage(&asked.storage, None)?,
        retention: common::retention(asked.backup.backup_retention_days.unwrap_or(7))?,
        geo_backup: asked.backup.geo_redundant_backup.is_some_and(|Switch(on)| on),
        high_availability: rules::high_availability(&asked.high_availability, None, &zone, &sku.1)?,
        window: rules::window(asked.maintenance_window.as_ref(), &Window::default())?,
        zone,
        public: public && !in_network,
        subnet: asked.network.delegated_subnet_resource_id.clone(),
        dns_zone: asked.network.private_dns_zone_arm_resource_id.clone(),
        sku,
        ..servers::planned(inner, target, SERVICE, name, &admin)
    })
}

/// A real PostgreSQL.
pub(in crate::azure) async fn made(pool: &postgres::Pool, admin: Admin) -> Result<Change, postgres::Error> {
    let address = Address::reserve()?;
    let server = postgres::Server::create(pool, address, AUTHORITY, admin, &settings::first()).await?;
    server.sql("template1", flavour::ALLOW_LIST).await?;
    server.sql("postgres", flavour::ALLOW_LIST).await?;
    let settings = settings::known(&server).await?;
    let minor = minor_version(&settings);
    let server = Arc::new(server);
    Ok(change(move |it| {
        (it.behind, it.settings, it.minor_version) = (Some(server), settings, minor);
        it.backups.insert("backup_1".to_owned(), (it.created.clone(), false));
    }))
}

pub(in crate::azure) fn update(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    name: &str,
) -> Result<Reply, Refusal> {
    let body: Body = ask.json()?;
    rules::simulated(&body)?;
    let mut world = inner.world();
    let server = writable(&mut world, SERVICE, name, &["Ready"])?;
    rules::unchanged(&body, server)?;
    let asked = &body.properties;
    rules::network(&asked.network, Some(server))?;
    let mut next = server.clone();
    next.sku = match &body.sku {
        Some(sku) => rules::sku(sku, Some(&server.sku))?,
        None => rules::sku(&Sku { name: None, tier: None }, Some(&server.sku))?,
    };
    // PATCH replaces all tags at once [D].
    if let Some(tags) = &body.tags {
        common::tags(tags)?;
        next.tags.clone_from(tags);
    }
    next.storage = rules::storage(&asked.storage, Some(&server.storage))?;
    next.version = rules::version(asked.version.as_deref(), Some(&server.version))?;
    next.retention = common::retention(asked.backup.backup_retention_days.unwrap_or(server.retention))?;
    let (ha, zone) = (&asked.high_availability, &server.zone);
    next.high_availability =
        rules::high_availability(ha, Some(&server.high_availability), zone, &next.sku.1)?;
    next.window = rules::window(asked.maintenance_window.as_ref(), &server.window)?;
    next.public = asked.network.public_network_access.map_or(server.public, |Switch(on)| on);
    let zone = asked.network.private_dns_zone_arm_resource_id.clone();
    next.dns_zone = zone.or(next.dns_zone);
    let password = asked.administrator_login_password.clone();
    if let Some(password) = &password {
        common::password(password, &server.admin)?;
    }
    let restarts = next.sku != server.sku || next.version != server.version;
    server.remember(ask.version());
    let job = inner.begin(server, Some("Updating"), Some("Ready"));
    if next.high_availability.mode != server.high_availability.mode {
        let leaves = next.high_availability.mode == "Disabled";
        let during = if leaves { "RemovingStandby" } else { "CreatingStandby" };
        during.clone_into(&mut server.high_availability.state);
    }
    let version = ask.version().to_owned();
    let work = async move {
        let behind = next.behind.clone();
        if let (Some(password), Some(behind)) = (&password, &behind) {
            behind.set_password(&next.admin, password).await.map_err(Refusal::internal)?;
        }
        let mut newer = None;
        if let (true, Some(behind)) = (restarts, &behind) {
            newer = upgraded(behind, &next).await?;
            if newer.is_none() {
                restart(behind).await?;
            }
        }
        let done: Change = change(move |it| {
            (it.sku, it.tags, it.storage, it.version) = (next.sku, next.tags, next.storage, next.version);
            (it.retention, it.window, it.public) = (next.retention, next.window, next.public);
            (it.high_availability, it.dns_zone) = (next.high_availability, next.dns_zone);
            if let Some((server, settings)) = newer {
                it.minor_version = minor_version(&settings);
                (it.behind, it.settings) = (Some(server), settings);
            }
            if restarts {
                settings::restarted(&mut it.settings);
            }
            "Ready".clone_into(&mut it.state);
            it.shown = Some(it.json(&version));
        });
        Ok(done)
    };
    Ok(inner.accept(&mut world, ask, target, job, work))
}

/// A PostgreSQL of the next version with what the one before holds, and its parameters; none: it is of that already.
async fn upgraded(
    behind: &postgres::Server,
    next: &Server,
) -> Result<Option<(Arc<postgres::Server>, Settings)>, Refusal> {
    let major = next.version.parse().unwrap_or_default();
    if major == behind.asked_major() {
        return Ok(None);
    }
    let refused = |error: postgres::Error| Refusal::new(400, "MajorVersionUpgradeFailed", error.to_string());
    let server =
        flavour::upgraded(behind, major, &settings::parameters(&next.settings)).await.map_err(refused)?;
    let known = settings::known(&server).await.map_err(Refusal::internal)?;
    Ok(Some((Arc::new(server), settings::carried(&next.settings, known))))
}

fn minor_version(settings: &Settings) -> Option<String> {
    settings.get("server_version").and_then(|it| it.value.split([' ', '.']).nth(1).map(str::to_owned))
}

async fn restart(behind: &postgres::Server) -> Result<(), Refusal> {
    behind.stop().await.map_err(Refusal::internal)?;
    behind.start().await.map_err(Refusal::internal)
}
