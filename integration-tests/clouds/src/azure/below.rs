//! Calls for what is below a server: rules, parameters, databases, backups.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations::{self, change, writable};
use super::server::{Server, Service};
use super::target::Target;
use super::wire::{Ask, Refusal, Reply};
use super::{Inner, World};

/// A call, and what it is about.
#[derive(Clone, Copy)]
pub(super) struct Below<'a> {
    pub(super) inner: &'a Arc<Inner>,
    pub(super) ask: &'a Ask,
    pub(super) target: &'a Target,
    pub(super) service: Service,
    /// The server's name.
    pub(super) server: &'a str,
    /// What is meant of those that the server has; none: all of them.
    pub(super) name: Option<&'a str>,
}

impl Below<'_> {
    /// The server, for reading.
    pub(super) fn of<'w>(&self, world: &'w World) -> Result<&'w Server, Refusal> {
        operations::server(world, self.service, self.server)
    }

    /// Changes what is only kept in the server's record.
    pub(super) fn record(
        &self,
        world: &mut World,
        how: impl FnOnce(&mut Server) + Send + 'static,
    ) -> Result<Reply, Refusal> {
        let of = writable(world, self.service, self.server, &["Ready"])?;
        let job = self.inner.begin(of, Some("Updating"), Some("Ready"));
        let done = change(how);
        Ok(self.inner.accept(world, self.ask, self.target, job, async move { Ok(done) }))
    }

    /// None of the methods that `what` knows.
    pub(super) fn wrong_method(what: &str) -> Refusal {
        Refusal::new(405, "MethodNotAllowed", format!("{what} do not know this method."))
    }
}

/// A list of what is below a server.
pub(super) fn list(all: impl Iterator<Item = Value>) -> Reply {
    Reply::ok(json!({"value": all.collect::<Vec<_>>()}))
}

/// What is below a server, as it is described: all services do it alike.
pub(super) fn json(of: &Server, kind: &str, name: &str, properties: Value) -> Value {
    json!({
        "id": format!("{}/{kind}/{name}", of.id()),
        "name": name,
        "type": format!("{}/{kind}", of.service.kind()),
        "properties": properties,
    })
}
