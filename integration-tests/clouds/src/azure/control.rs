//! What tests do to the cloud behind everybody's back, and what they see of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::budget::Budget;
use super::serve::Call;
use super::server::{Server, Service};
use super::target::Target;
use super::{GROUP, Inner, Simulator, World, flexible, single};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::postgres::{self, Admin, Error};

impl Simulator {
    /// The URL of Resource Manager, of Entra (`AZURE_AUTHORITY_HOST`), and an audience of tokens.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.inner.endpoint()
    }

    /// The certificate authority of the endpoint and of the servers.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.inner.pool.authorities().bundle()
    }

    /// The application's secret; also what `IDENTITY_HEADER` must be for `<endpoint>/msi/token`.
    #[must_use]
    pub fn client_secret(&self) -> String {
        self.inner.tokens().secret().to_owned()
    }

    /// What a federated token file must hold.
    #[must_use]
    pub fn federated_token(&self) -> String {
        self.inner.tokens().assertion().to_owned()
    }

    /// A new federated token; the old one is refused from now on.
    pub fn rotate_federated_token(&self) -> String {
        self.inner.tokens().rotate_assertion()
    }

    /// Key and certificate of the application, in PEM: a statement that the key has signed is a login, too. Makes them
    /// at the first call.
    pub fn client_certificate(&self) -> Result<String, Error> {
        self.inner.tokens().certificate()
    }

    /// A token, as the command line of somebody who is logged in gives it out.
    #[must_use]
    pub fn give_token(&self) -> String {
        let now = self.inner.clock.now();
        self.inner.tokens().issue(now).0
    }

    /// How long tokens live that are given out from now on; an hour at first.
    pub fn set_token_life(&self, life: Duration) {
        let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
        self.inner.tokens().set_life(life);
    }

    /// All tokens have expired.
    pub fn expire_tokens(&self) {
        self.inner.tokens().expire_all(self.inner.clock.now());
    }

    /// From now on only these actions of role definitions are allowed, for example
    /// `Microsoft.DBforPostgreSQL/flexibleServers/*`; none: everything.
    pub fn allow(&self, actions: Option<&[&str]>) {
        let actions: Option<BTreeSet<String>> =
            actions.map(|actions| actions.iter().map(|action| (*action).to_owned()).collect());
        self.inner.tokens().allow(actions);
    }

    /// From now on calls are counted as Resource Manager does: 250 reads at once and 25 a second, 200 writes at once and
    /// 10 a second, deletions as writes. What is over that meets a 429.
    pub fn limit_calls(&self) {
        *self.inner.budget() = Some(Budget::new(self.inner.clock.now()));
    }

    /// The faults of calls: `action` is a call's (`PUT flexibleServers`), `id` the server's name in lower case.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// All calls so far.
    #[must_use]
    pub fn log(&self) -> Vec<Call> {
        self.inner.calls().clone()
    }

    /// One more resource group.
    pub fn add_group(&self, name: &str) {
        self.inner.world().groups.insert(name.to_lowercase(), name.to_owned());
    }

    /// A resource group is gone, with its servers.
    pub fn remove_group(&self, name: &str) {
        let mut world = self.inner.world();
        world.groups.remove(&name.to_lowercase());
        world.servers.retain(|_, server| !server.group.eq_ignore_ascii_case(name));
    }

    /// The server as the service knows it.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<Server> {
        self.inner.world().named(name).cloned()
    }

    /// Changes a server behind everybody's back; its record only, not PostgreSQL behind.
    pub fn drift(&self, name: &str, change: impl FnOnce(&mut Server)) {
        let mut world = self.inner.world();
        if let Some(key) = world.key(name)
            && let Some(server) = world.servers.get_mut(&key)
        {
            change(server);
        }
    }

    /// The server is gone, without a call.
    pub fn vanish(&self, name: &str) {
        let mut world = self.inner.world();
        if let Some(key) = world.key(name) {
            world.remove(&key);
        }
    }

    /// Another server takes its place: the same record, but created now, with an empty PostgreSQL and this password.
    pub async fn replace(&self, name: &str, password: &str) -> Result<(), Error> {
        let Some(before) = self.server(name) else { return Ok(()) };
        let admin = Admin {
            name: before.admin.clone(),
            password: password.to_owned(),
            database: None,
            major: before.version.parse().unwrap_or_default(),
        };
        let fill = match before.service {
            Service::Flexible => flexible::made(&self.inner.pool, admin).await?,
            Service::Single => {
                single::made(&self.inner.singles, before.name.clone(), before.tls_enforced, admin).await?
            }
        };
        let (uid, created) = (self.inner.id(), self.inner.clock.now().to_string());
        let mut next = Server { uid, created, busy: None, previous: None, ..before };
        next.databases.clear();
        fill(&mut next);
        self.inner.world().servers.insert((next.service, name.to_lowercase()), next);
        Ok(())
    }

    /// PostgreSQL of a server; none: it has none yet.
    #[must_use]
    pub fn postgres(&self, name: &str) -> Option<Arc<postgres::Server>> {
        self.inner.world().named(name).and_then(|server| server.behind.clone())
    }

    /// PostgreSQL of a server crashes; it stays down until a restart or `postgres(…).start()`.
    pub fn crash(&self, name: &str) {
        if let Some(server) = self.postgres(name) {
            server.kill();
        }
    }

    /// The next so many creations fail: accepted first, then `Failed`, and the server is gone.
    pub fn fail_creations(&self, times: u32) {
        self.inner.world().failing_creations = times;
    }

    /// The next so many other operations fail after they were accepted, without any effect.
    pub fn fail_operations(&self, times: u32) {
        self.inner.world().failing_operations = times;
    }

    /// The operations that ended or run are forgotten: their URLs answer 404.
    pub fn forget_operations(&self) {
        self.inner.world().operations.clear();
    }

    /// Whether single servers can be created: the service is retired, hence not at first.
    pub fn open_single_servers(&self, open: bool) {
        self.inner.world().single_servers_open = open;
    }

    /// Lists come in pages of so many servers.
    pub fn set_page(&self, size: usize) {
        self.inner.world().page = Some(size.max(1));
    }

    /// The id of a server in the first resource group.
    #[must_use]
    pub fn server_id(name: &str) -> String {
        let group = format!("/subscriptions/{}/resourceGroups/{GROUP}", super::SUBSCRIPTION);
        format!("{group}/providers/{}/{name}", Service::Flexible.kind())
    }
}

impl World {
    /// Of a flexible server; else of a single one.
    fn key(&self, name: &str) -> Option<(Service, String)> {
        let keys = [Service::Flexible, Service::Single].map(|service| (service, name.to_lowercase()));
        keys.into_iter().find(|key| self.servers.contains_key(key))
    }

    fn named(&self, name: &str) -> Option<&Server> {
        self.servers.get(&self.key(name)?)
    }
}

impl Inner {
    /// For faults and the log: the name of the server that a call is about.
    pub(super) fn id_of(&self, target: &Target) -> String {
        match (target.types.as_slice(), target.names.as_slice()) {
            (["locations", ..], [_, id]) => {
                self.world().operations.get(id).map(|operation| operation.server.clone()).unwrap_or_default()
            }
            _ => target.id(),
        }
    }
}
