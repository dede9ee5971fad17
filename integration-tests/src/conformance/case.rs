//! One server, in a namespace of its own, and what can be done to it and seen of it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use hcpg::secrets::pending_name;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::bench::Bench;
use super::faults::{Call, Operation};
use super::subject::Shown;
use super::{done, read};
use crate::operator::OPERATOR_NAMESPACE;
use crate::world::{Credentials, is_ready, pause_after};

/// How long anything may take that is waited for: many servers share two processors, a refusal is retried slowly, and what
/// takes long is looked at once a minute only.
pub(super) const PATIENCE: Duration = Duration::from_secs(480);
/// The name of the server in every namespace.
pub(super) const SERVER: &str = "main";
/// Its Secret.
pub(super) const SECRET: &str = "main-login";

/// One server.
pub struct Case {
    /// Where it happens.
    pub bench: Arc<Bench>,
    /// Its namespace.
    pub namespace: String,
}

impl Case {
    pub(super) fn new(bench: Arc<Bench>, namespace: &str) -> Self {
        Self { bench, namespace: namespace.to_owned() }
    }

    /// Objects of a kind in the namespace.
    pub fn api<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.bench.admin.clone(), &self.namespace)
    }

    /// Makes the server object: the subject's smallest spec with `more` over it.
    pub async fn create(&self, more: Value) {
        let mut spec = self.bench.subject.spec();
        spec["credentialsSecret"] = json!(SECRET);
        json_patch::merge(&mut spec, &more);
        let object = json!({
            "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
            "kind": "PostgreSQLServer",
            "metadata": {"name": SERVER, "namespace": self.namespace},
            "spec": spec,
        });
        let object: PostgreSQLServer = done(serde_json::from_value(object));
        done(self.api().create(&PostParams::default(), &object).await);
    }

    /// Makes the server object, and waits until it is ready.
    pub async fn created(&self, more: Value) -> PostgreSQLServer {
        self.create(more).await;
        self.ready().await
    }

    /// Makes a database object on the server.
    pub async fn create_database(&self, name: &str) {
        let object = json!({
            "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
            "kind": "PostgreSQLDatabase",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"serverRef": {"name": SERVER}, "credentialsSecret": format!("{name}-login")},
        });
        let object: PostgreSQLDatabase = done(serde_json::from_value(object));
        done(self.api().create(&PostParams::default(), &object).await);
    }

    /// Changes an object by a JSON merge patch.
    pub async fn patch<K>(&self, name: &str, change: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        done(self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(change)).await);
    }

    /// Changes the server object by a JSON merge patch.
    pub async fn change(&self, change: Value) {
        self.patch::<PostgreSQLServer>(SERVER, change).await;
    }

    /// Asks for the deletion of an object.
    pub async fn delete<K>(&self, name: &str)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        done(self.api::<K>().delete(name, &DeleteParams::default()).await);
    }

    /// Waits until an object is gone.
    pub async fn gone<K>(&self, name: &str)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let what = format!("{} {name} is gone", K::kind(&()));
        self.until(&what, async || {
            read(async || self.api::<K>().get_opt(name).await).await.is_none().then_some(())
        })
        .await;
    }

    /// The server object.
    pub async fn server(&self) -> PostgreSQLServer {
        read(async || self.api::<PostgreSQLServer>().get(SERVER).await).await
    }

    /// Waits until something holds for the server object.
    pub async fn server_where(
        &self,
        what: &str,
        holds: impl Fn(&PostgreSQLServer) -> bool,
    ) -> PostgreSQLServer {
        let what = format!("the server {what}");
        self.until(&what, async || {
            read(async || self.api::<PostgreSQLServer>().get_opt(SERVER).await)
                .await
                .filter(|server| holds(server))
        })
        .await
    }

    /// Waits until the server is ready, in its present generation.
    pub async fn ready(&self) -> PostgreSQLServer {
        self.server_where("is ready", |server| {
            server.status.as_ref().is_some_and(|status| {
                let observed = status.observed_generation;
                is_ready(server.meta().generation, observed, status.phase, &status.conditions)
            })
        })
        .await
    }

    /// A database object.
    pub async fn database(&self, name: &str) -> Option<PostgreSQLDatabase> {
        read(async || self.api::<PostgreSQLDatabase>().get_opt(name).await).await
    }

    /// What has to hold whenever a database is ready: a login that works, nothing pending.
    pub async fn database_is_well(&self, name: &str, secret: &str) {
        self.database_ready(name).await;
        let credentials = self.credentials_of(secret).await;
        let Some(credentials) = credentials else { panic!("{}: no Secret {secret}", self.namespace) };
        if let Err(error) = credentials.connect().await {
            panic!("{}: the published login of {name} fails: {error}", self.namespace);
        }
        let uid = self.database(name).await.and_then(|database| database.uid()).unwrap_or_default();
        assert!(self.pending(&uid).await.is_none(), "{}: nothing is pending", self.namespace);
    }

    /// Waits until the database is ready, in its present generation.
    pub async fn database_ready(&self, name: &str) {
        self.until(&format!("the database {name} is ready"), async || {
            let database = read(async || self.api::<PostgreSQLDatabase>().get_opt(name).await).await?;
            let status = database.status.as_ref()?;
            let observed = status.observed_generation;
            is_ready(database.meta().generation, observed, status.phase, &status.conditions).then_some(())
        })
        .await;
    }

    /// A Secret in the namespace.
    pub async fn secret(&self, name: &str) -> Option<Secret> {
        read(async || self.api::<Secret>().get_opt(name).await).await
    }

    /// What the published Secret holds.
    pub async fn credentials(&self) -> Credentials {
        let secret = self.secret(SECRET).await;
        match secret.as_ref().and_then(Credentials::from_secret) {
            Some(credentials) => credentials,
            None => panic!("{}: the Secret {SECRET} holds no credentials", self.namespace),
        }
    }

    /// What another Secret of the namespace holds, once it is there.
    pub async fn credentials_of(&self, secret: &str) -> Option<Credentials> {
        self.secret(secret).await.as_ref().and_then(Credentials::from_secret)
    }

    /// Logs in with what the published Secret holds.
    pub async fn login(&self) -> Client {
        match self.credentials().await.connect().await {
            Ok(client) => client,
            Err(error) => panic!("{}: the published login fails: {error}", self.namespace),
        }
    }

    /// Waits until something is in force.
    pub async fn shown(&self, shown: &Shown) {
        self.until(&format!("{shown:?}"), async || {
            let holds = match shown {
                Shown::BySql(query, answer) => match self.credentials().await.connect().await {
                    Ok(client) => ask(&client, query).await.as_deref() == Some(*answer),
                    Err(_) => false,
                },
                Shown::ByStatus(path, value) => {
                    let server = done(serde_json::to_value(self.server().await));
                    server.pointer(path) == Some(value)
                }
            };
            holds.then_some(())
        })
        .await;
    }

    /// Asks for a new password, and waits until it is published and the request is gone.
    pub async fn reset(&self) -> Credentials {
        let old = self.credentials().await;
        self.change(json!({"metadata": {"labels": {"operator/action": "reset-password"}}})).await;
        self.server_where("lost its label", |server| !server.labels().contains_key("operator/action")).await;
        self.ready().await;
        let new = self.credentials().await;
        new.replaces(&old, &self.namespace).await;
        new
    }

    /// The calls for this server.
    pub fn calls(&self) -> Vec<Call> {
        self.bench.faults.calls(&self.namespace)
    }

    /// How often an operation had an effect.
    pub fn effects(&self, operation: Operation) -> usize {
        self.bench.faults.effects(&self.namespace, operation)
    }

    /// The pending password of the object with that uid.
    pub async fn pending(&self, uid: &str) -> Option<Secret> {
        let api: Api<Secret> = Api::namespaced(self.bench.admin.clone(), OPERATOR_NAMESPACE);
        read(async || api.get_opt(&pending_name(uid)).await).await
    }

    /// The pending passwords of objects of this namespace.
    pub async fn all_pending(&self) -> Vec<String> {
        let api: Api<Secret> = Api::namespaced(self.bench.admin.clone(), OPERATOR_NAMESPACE);
        let label = format!("hybridcloud.maibornwolff.de/owner-namespace={}", self.namespace);
        let found = done(api.list(&ListParams::default().labels(&label)).await);
        found.iter().map(ResourceExt::name_any).collect()
    }

    /// What has to hold whenever a server is ready: one server, a login that works, nothing pending.
    pub async fn is_well(&self) {
        let server = self.ready().await;
        drop(self.login().await);
        let servers = self.bench.subject.servers(&self.namespace).await;
        assert_eq!(servers.len(), 1, "{}: exactly one server: {servers:?}", self.namespace);
        let uid = server.uid().unwrap_or_default();
        assert!(self.pending(&uid).await.is_none(), "{}: nothing is pending", self.namespace);
    }

    /// Deletes the server object; nothing may stay behind.
    pub async fn deleted(&self) {
        self.delete::<PostgreSQLServer>(SERVER).await;
        self.is_gone().await;
    }

    /// Waits until the server object is gone; nothing may stay behind.
    pub async fn is_gone(&self) {
        self.gone::<PostgreSQLServer>(SERVER).await;
        let servers = self.bench.subject.servers(&self.namespace).await;
        assert!(servers.is_empty(), "{}: no server is left: {servers:?}", self.namespace);
        assert!(self.secret(SECRET).await.is_none(), "{}: the Secret is gone", self.namespace);
        let pending = self.all_pending().await;
        assert!(pending.is_empty(), "{}: nothing is pending: {pending:?}", self.namespace);
    }

    /// Looks again and again until there is a result.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let since = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if since.elapsed() > PATIENCE {
                let told = self.describe().await;
                panic!("{}: not within {} s: {what}\n{told}", self.namespace, PATIENCE.as_secs());
            }
            tokio::time::sleep(pause_after(since.elapsed())).await;
        }
    }

    /// The last calls, for people.
    pub fn told(&self) -> String {
        let calls = self.calls();
        let mut text = format!("--- the last of {} calls for {}\n", calls.len(), self.namespace);
        for call in calls.iter().skip(calls.len().saturating_sub(40)) {
            let _ = writeln!(text, "{:6.1} s ago  {call}", call.at.elapsed().as_secs_f32());
        }
        text
    }

    /// The objects, the calls and the effects.
    async fn describe(&self) -> String {
        let mut text = String::new();
        let list = ListParams::default();
        for object in read(async || self.api::<PostgreSQLServer>().list(&list).await).await {
            let _ = writeln!(text, "--- status\n{}", done(serde_saphyr::to_string(&object.status)));
        }
        for object in read(async || self.api::<PostgreSQLDatabase>().list(&list).await).await {
            let _ = writeln!(
                text,
                "--- {}\n{}",
                object.name_any(),
                done(serde_saphyr::to_string(&object.status))
            );
        }
        text.push_str(&self.told());
        let _ = writeln!(text, "--- effects: {}", self.bench.effects.seen(&self.namespace).join(", "));
        text
    }
}

/// The first column of the first row, as text.
pub(super) async fn ask(client: &Client, query: &str) -> Option<String> {
    let rows = client.simple_query(query).await.ok()?;
    rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}
