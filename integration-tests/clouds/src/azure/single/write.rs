//! The calls that change a single server.

use std::sync::Arc;

use rcgen::SanType;

use crate::azure::operations::{Change, change, writable};
use crate::azure::server::{Server, Service};
use crate::azure::switch::Switch;
use crate::azure::target::Target;
use crate::azure::wire::{Ask, Refusal, Reply};
use crate::azure::{AUTHORITY, Inner, rules as common, serve, servers, settings};
use crate::postgres::{self, Address, Admin, Error, Parameters, Pool};

use super::body::Body;
use super::gate::{Gate, Rules};
use super::rules;

const SERVICE: Service = Service::Single;
/// The version of PostgreSQL behind, in place of those that the service had: the oldest in which somebody who is no
/// superuser can be let to create extensions.
const BEHIND: u32 = 13;

pub(in crate::azure) fn create(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    name: &str,
) -> Result<Reply, Refusal> {
    if !inner.world().single_servers_open {
        let message =
            "Azure Database for PostgreSQL single server is retired: new servers cannot be created.";
        return Err(Refusal::new(400, "ServiceRetired", message));
    }
    common::server_name(name)?;
    let body: Body = ask.json()?;
    rules::simulated(&body)?;
    let asked = &body.properties;
    let sku = body.sku.as_ref().ok_or_else(|| Refusal::invalid("sku is required."))?;
    let sku = rules::sku(sku)?;
    let tags = body.tags.clone().unwrap_or_default();
    common::tags(&tags)?;
    let admin = common::administrator(asked.administrator_login.as_deref())?;
    let password = common::first_password(asked.administrator_login_password.as_deref(), &admin)?.to_owned();
    let storage = &asked.storage_profile;
    let server = Server {
        location: common::location(body.location.as_deref())?,
        tags,
        version: rules::version(asked.version.as_deref(), None)?,
        storage: rules::storage(storage, None, &sku.0)?,
        retention: common::retention(storage.backup_retention_days.unwrap_or(7))?,
        geo_backup: storage.geo_redundant_backup.is_some_and(|Switch(on)| on),
        public: asked.public_network_access.is_none_or(|Switch(on)| on),
        tls_enforced: asked.ssl_enforcement.is_none_or(|Switch(on)| on),
        sku,
        ..servers::planned(inner, target, SERVICE, name, &admin)
    };
    let admin = Admin { name: admin, password, database: None, major: BEHIND };
    let (name, tls, pool) = (server.name.clone(), server.tls_enforced, inner.singles.clone());
    Ok(servers::begin(inner, ask, target, server, async move { made(&pool, name, tls, admin).await }))
}

/// A real PostgreSQL behind a gate.
pub(in crate::azure) async fn made(
    pool: &Pool,
    name: String,
    tls: bool,
    admin: Admin,
) -> Result<Change, Error> {
    let admin = Admin { major: BEHIND, ..admin };
    let server =
        postgres::Server::create(pool, Address::reserve()?, AUTHORITY, admin, &Parameters::new()).await?;
    let settings = settings::of_single(&server).await?;
    let gate = Arc::new(open(pool, name, tls, server.ip()).await?);
    let server = Arc::new(server);
    Ok(change(move |it| {
        (it.behind, it.gate, it.settings) = (Some(server), Some(gate), settings);
    }))
}

async fn open(pool: &Pool, server: String, tls: bool, behind: std::net::Ipv4Addr) -> Result<Gate, Error> {
    let address = Address::reserve()?;
    let names = vec![SanType::IpAddress(address.ip().into())];
    let (certificate, key) = pool.authorities().issue_for(AUTHORITY, &server, names)?;
    Gate::open(address, serve::acceptor(&certificate, &key)?, Rules { server, tls, behind }).await
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
    let (asked, mut next) = (&body.properties, server.clone());
    let storage = &asked.storage_profile;
    if asked.administrator_login.as_ref().is_some_and(|login| *login != server.admin)
        || storage.geo_redundant_backup.is_some_and(|Switch(geo)| geo != server.geo_backup)
    {
        return Err(Refusal::invalid("Login and geo-redundancy cannot be changed after the creation."));
    }
    if let Some(sku) = &body.sku {
        next.sku = rules::sku(sku)?;
    }
    if let Some(tags) = &body.tags {
        common::tags(tags)?;
        next.tags.clone_from(tags);
    }
    rules::version(asked.version.as_deref(), Some(&server.version))?;
    next.storage = rules::storage(storage, Some(&server.storage), &next.sku.0)?;
    next.retention = common::retention(storage.backup_retention_days.unwrap_or(server.retention))?;
    next.public = asked.public_network_access.map_or(server.public, |Switch(on)| on);
    let password = asked.administrator_login_password.clone();
    if let Some(password) = &password {
        common::password(password, &server.admin)?;
    }
    if asked.ssl_enforcement.is_some_and(|Switch(on)| on != server.tls_enforced) {
        return Err(Refusal::not_simulated("A change of sslEnforcement"));
    }
    server.remember(ask.version());
    let job = inner.begin(server, Some("Updating"), Some("Ready"));
    let work = async move {
        if let (Some(password), Some(behind)) = (&password, &next.behind) {
            behind.set_password(&next.admin, password).await.map_err(Refusal::internal)?;
        }
        let done: Change = change(move |it| {
            (it.sku, it.tags, it.storage) = (next.sku, next.tags, next.storage);
            (it.retention, it.public) = (next.retention, next.public);
            it.shown = Some(super::json(it));
        });
        Ok(done)
    };
    Ok(inner.accept(&mut world, ask, target, job, work))
}
