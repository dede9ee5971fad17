//! The calls that change a flexible server.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::azure::operations::{self, Change, Job, change, failure, writable};
use crate::azure::server::{Server, Service, Window};
use crate::azure::target::Target;
use crate::azure::wire::{Ask, Refusal, Reply};
use crate::azure::{AUTHORITY, CREATION, Inner, Setting, flavour, rules as common, settings};
use crate::postgres::{self, Address, Admin};

use super::body::{Body, Sku, Switch};
use super::rules;

const SERVICE: Service = Service::Flexible;

type Settings = BTreeMap<String, Setting>;

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
        "PUT" if at.is_some() && !here => {
            let message = format!("Specified server name '{name}' is already used.");
            Err(Refusal::new(409, "ServerNameAlreadyExists", message))
        }
        "PUT" if here => update(inner, ask, target, name),
        "PUT" => create(inner, ask, target, name),
        "PATCH" if here => update(inner, ask, target, name),
        "PATCH" => Err(operations::not_found(SERVICE, name)),
        "DELETE" if here => delete(inner, ask, target, name),
        "DELETE" => Ok(Reply::empty(204)),
        _ => Err(Refusal::new(405, "MethodNotAllowed", "Servers do not know this method.")),
    }
}

fn create(inner: &Arc<Inner>, ask: &Ask, target: &Target, name: &str) -> Result<Reply, Refusal> {
    common::server_name(name)?;
    let body: Body = ask.json()?;
    let mut server = planned(inner, target, name, &body)?;
    let password = body.properties.administrator_login_password.as_deref();
    let password = password.ok_or_else(|| Refusal::invalid("administratorLoginPassword is required."))?;
    common::password(password, &server.admin)?;
    let major = server.version.parse().unwrap_or_default();
    let admin = Admin { name: server.admin.clone(), password: password.to_owned(), database: None, major };
    let mut world = inner.world();
    let fails = world.failing_creations > 0;
    world.failing_creations = world.failing_creations.saturating_sub(1);
    let mut job = inner.begin(&mut server, Some("Provisioning"), Some("Ready"));
    (job.creates, job.lasts) = (true, inner.pace * CREATION);
    world.servers.insert(job.server.clone(), server);
    let pool = inner.pool.clone();
    let work = async move { if fails { Err(failure()) } else { made(&pool, admin).await.map_err(internal) } };
    Ok(inner.accept(&mut world, ask, target, job, work))
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
    let group = target.group.clone().unwrap_or_default();
    let group = inner.world().groups.get(&group.to_lowercase()).cloned().unwrap_or(group);
    let public = asked.network.public_network_access.is_none_or(|Switch(on)| on);
    let in_network = asked.network.delegated_subnet_resource_id.is_some();
    let admin = common::administrator(asked.administrator_login.as_deref())?;
    Ok(Server {
        group,
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
        ..Server::empty(SERVICE, name, &admin, inner.clock.now().to_string(), inner.id())
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

fn internal(error: postgres::Error) -> Refusal {
    Refusal::new(500, "InternalServerError", error.to_string())
}

fn update(inner: &Arc<Inner>, ask: &Ask, target: &Target, name: &str) -> Result<Reply, Refusal> {
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
            behind.set_password(&next.admin, password).await.map_err(internal)?;
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
    let known = settings::known(&server).await.map_err(internal)?;
    Ok(Some((Arc::new(server), settings::carried(&next.settings, known))))
}

fn minor_version(settings: &Settings) -> Option<String> {
    settings.get("server_version").and_then(|it| it.value.split([' ', '.']).nth(1).map(str::to_owned))
}

async fn restart(behind: &postgres::Server) -> Result<(), Refusal> {
    behind.stop().await.map_err(internal)?;
    behind.start().await.map_err(internal)
}

fn delete(inner: &Arc<Inner>, ask: &Ask, target: &Target, name: &str) -> Result<Reply, Refusal> {
    let mut world = inner.world();
    let states = ["Ready", "Stopped", "Disabled", "Inaccessible"];
    let server = writable(&mut world, SERVICE, name, &states)?;
    server.remember(ask.version());
    let job = inner.begin(server, Some("Dropping"), None);
    let work = async { Ok(change(|_| ())) };
    Ok(inner.accept(&mut world, ask, target, job, work))
}

/// Restart, start, stop.
pub(in crate::azure) fn power(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    service: Service,
    name: &str,
    what: &str,
) -> Result<Reply, Refusal> {
    if !ask.body.is_empty() {
        let body: serde_json::Map<String, serde_json::Value> = ask.json()?;
        if body.get("restartWithFailover").is_some_and(|it| *it != serde_json::Value::Bool(false)) {
            return Err(Refusal::not_simulated("A restart with failover"));
        }
    }
    let (from, during, then) = match what {
        "restart" => ("Ready", "Restarting", "Ready"),
        "stop" => ("Ready", "Stopping", "Stopped"),
        _ => ("Stopped", "Starting", "Ready"),
    };
    let mut world = inner.world();
    let server = writable(&mut world, service, name, &[from])?;
    server.remember(ask.version());
    let behind = server.behind.clone();
    let job: Job = inner.begin(server, Some(during), Some(then));
    let stops = what != "start";
    let starts = what != "stop";
    let work = switched(behind, stops, starts);
    Ok(inner.accept(&mut world, ask, target, job, work))
}

async fn switched(
    behind: Option<Arc<postgres::Server>>,
    stops: bool,
    starts: bool,
) -> Result<Change, Refusal> {
    if let Some(behind) = behind {
        if stops {
            behind.stop().await.map_err(internal)?;
        }
        if starts {
            behind.start().await.map_err(internal)?;
        }
    }
    Ok(change(move |it| {
        if starts {
            settings::restarted(&mut it.settings);
        }
    }))
}
