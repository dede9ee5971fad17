//! The calls that change a single server.

use std::sync::Arc;

use rcgen::SanType;

use crate::azure::flexible::Switch;
use crate::azure::operations::{self, Change, change, failure, writable};
use crate::azure::server::{Server, Service};
use crate::azure::target::Target;
use crate::azure::wire::{Ask, Refusal, Reply};
use crate::azure::{AUTHORITY, CREATION, Inner, rules as common, serve, settings};
use crate::postgres::{self, Address, Admin, Error, Parameters, Pool};

use super::body::Body;
use super::gate::{Gate, Rules};
use super::rules;

const SERVICE: Service = Service::Single;
/// The version of PostgreSQL behind, in place of those that the service had: the oldest in which somebody who is no
/// superuser can be let to create extensions.
const BEHIND: u32 = 13;

pub(in crate::azure) fn write(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    name: &str,
) -> Result<Reply, Refusal> {
    let key = (SERVICE, name.to_lowercase());
    let group = target.group.clone().unwrap_or_default();
    let at = inner.world().servers.get(&key).map(|it| it.group.clone());
    let here = at.as_ref().is_some_and(|at| at.eq_ignore_ascii_case(&group));
    match ask.method.as_str() {
        "PUT" | "PATCH" if here => update(inner, ask, target, name),
        "PUT" if at.is_some() => {
            let message = format!("Specified server name '{name}' is already used.");
            Err(Refusal::new(409, "ServerNameAlreadyExists", message))
        }
        "PUT" => create(inner, ask, target, name),
        "PATCH" => Err(operations::not_found(SERVICE, name)),
        "DELETE" if here => delete(inner, ask, target, name),
        "DELETE" => Ok(Reply::empty(204)),
        _ => Err(Refusal::new(405, "MethodNotAllowed", "Servers do not know this method.")),
    }
}

fn create(inner: &Arc<Inner>, ask: &Ask, target: &Target, name: &str) -> Result<Reply, Refusal> {
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
    let password = asked.administrator_login_password.as_deref();
    let password = password.ok_or_else(|| Refusal::invalid("administratorLoginPassword is required."))?;
    common::password(password, &admin)?;
    let storage = &asked.storage_profile;
    let group = target.group.clone().unwrap_or_default();
    let mut server = Server {
        group: inner.world().groups.get(&group.to_lowercase()).cloned().unwrap_or(group),
        location: common::location(body.location.as_deref())?,
        tags,
        version: rules::version(asked.version.as_deref(), None)?,
        storage: rules::storage(storage, None, &sku.0)?,
        retention: common::retention(storage.backup_retention_days.unwrap_or(7))?,
        geo_backup: storage.geo_redundant_backup.is_some_and(|Switch(on)| on),
        public: asked.public_network_access.is_none_or(|Switch(on)| on),
        tls_enforced: asked.ssl_enforcement.is_none_or(|Switch(on)| on),
        sku,
        ..Server::empty(SERVICE, name, &admin, inner.clock.now().to_string(), inner.id())
    };
    let admin = Admin { name: admin, password: password.to_owned(), database: None, major: BEHIND };
    let mut world = inner.world();
    let fails = world.failing_creations > 0;
    world.failing_creations = world.failing_creations.saturating_sub(1);
    let mut job = inner.begin(&mut server, Some("Provisioning"), Some("Ready"));
    (job.creates, job.lasts) = (true, inner.pace * CREATION);
    let (name, tls) = (server.name.clone(), server.tls_enforced);
    world.servers.insert(job.server.clone(), server);
    let pool = inner.singles.clone();
    let work = async move {
        if fails { Err(failure()) } else { made(&pool, name, tls, admin).await.map_err(internal) }
    };
    Ok(inner.accept(&mut world, ask, target, job, work))
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

fn internal(error: Error) -> Refusal {
    Refusal::new(500, "InternalServerError", error.to_string())
}

fn update(inner: &Arc<Inner>, ask: &Ask, target: &Target, name: &str) -> Result<Reply, Refusal> {
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
            behind.set_password(&next.admin, password).await.map_err(internal)?;
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

fn delete(inner: &Arc<Inner>, ask: &Ask, target: &Target, name: &str) -> Result<Reply, Refusal> {
    let mut world = inner.world();
    let server = writable(&mut world, SERVICE, name, &["Ready", "Disabled", "Inaccessible"])?;
    server.remember(ask.version());
    let job = inner.begin(server, Some("Dropping"), None);
    let work = async { Ok(change(|_| ())) };
    Ok(inner.accept(&mut world, ask, target, job, work))
}
