//! One story: a namespace, and what its people do and see there.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, TypeMeta};
use kube::core::{GroupVersionKind, NamespaceResourceScope};
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wait::{is_ready, pause_after};
use super::{Credentials, LocalServer, World, done};
use crate::operator::project_file;

/// How long anything may take that is waited for. A new server takes some seconds; machines under load several times
/// that.
const PATIENCE: Duration = Duration::from_secs(90);
/// Pause between two looks at what holds all the time.
const PAUSE: Duration = Duration::from_millis(100);
/// Who applies objects in stories.
const FIELD_MANAGER: &str = "story";

/// One story, in a namespace of its own.
pub struct Story<'w> {
    /// The world it happens in.
    pub world: &'w World,
    /// A client with all rights.
    pub client: Client,
    /// Its namespace.
    pub namespace: String,
}

impl<'w> Story<'w> {
    pub(super) fn new(world: &'w World, client: Client, namespace: String) -> Self {
        Self { world, client, namespace }
    }

    /// Objects of a kind in the namespace.
    pub fn api<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The servers.
    pub fn servers(&self) -> Api<PostgreSQLServer> {
        self.api()
    }

    /// The databases.
    pub fn databases(&self) -> Api<PostgreSQLDatabase> {
        self.api()
    }

    /// The Secrets.
    pub fn secrets(&self) -> Api<Secret> {
        self.api()
    }

    /// Applies a file of `examples/`.
    pub async fn apply_example(&self, file: &str) {
        let text = done(std::fs::read_to_string(project_file(&format!("examples/{file}"))));
        self.apply(&text).await;
    }

    /// Applies objects written as YAML, any kind, several with `---` between them.
    pub async fn apply(&self, yaml: &str) {
        for object in done(serde_saphyr::from_multiple::<Value>(yaml)) {
            done(self.try_apply(object).await);
        }
    }

    /// Applies one object as a user would; the API server may refuse it.
    pub async fn try_apply(&self, object: Value) -> Result<DynamicObject, kube::Error> {
        let types: TypeMeta = done(serde_json::from_value(object.clone()));
        let kind = done(GroupVersionKind::try_from(&types));
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let (resource, _) = done(kube::discovery::pinned_kind(&self.client, &kind).await);
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        api.patch(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(object)).await
    }

    /// Changes an object by a JSON merge patch, e.g. `json!({"spec": {"size": {"storageGB": 2}}})`.
    pub async fn patch<K>(&self, name: &str, change: Value) -> K
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        done(self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(change)).await)
    }

    /// Asks for an object's deletion, without waiting for it.
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
        self.eventually(&what, async || done(self.api::<K>().get_opt(name).await).is_none().then_some(()))
            .await;
    }

    /// The server.
    pub async fn server(&self, name: &str) -> PostgreSQLServer {
        done(self.servers().get(name).await)
    }

    /// The database.
    pub async fn database(&self, name: &str) -> PostgreSQLDatabase {
        done(self.databases().get(name).await)
    }

    /// Waits until the server is ready, in its present generation.
    pub async fn server_ready(&self, name: &str) -> PostgreSQLServer {
        self.server_where(name, "is ready", |server| {
            server.status.as_ref().is_some_and(|status| {
                is_ready(
                    server.meta().generation,
                    status.observed_generation,
                    status.phase,
                    &status.conditions,
                )
            })
        })
        .await
    }

    /// Waits until the database is ready, in its present generation.
    pub async fn database_ready(&self, name: &str) -> PostgreSQLDatabase {
        self.database_where(name, "is ready", |database| {
            database.status.as_ref().is_some_and(|status| {
                is_ready(
                    database.meta().generation,
                    status.observed_generation,
                    status.phase,
                    &status.conditions,
                )
            })
        })
        .await
    }

    /// Waits until something holds for the server.
    pub async fn server_where(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&PostgreSQLServer) -> bool,
    ) -> PostgreSQLServer {
        let what = format!("server {name} {what}");
        self.eventually(&what, async || done(self.servers().get_opt(name).await).filter(&holds)).await
    }

    /// Waits until something holds for the database.
    pub async fn database_where(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&PostgreSQLDatabase) -> bool,
    ) -> PostgreSQLDatabase {
        let what = format!("database {name} {what}");
        self.eventually(&what, async || done(self.databases().get_opt(name).await).filter(&holds)).await
    }

    /// What stands in a credentials Secret, as soon as it is there.
    pub async fn credentials(&self, secret: &str) -> Credentials {
        self.eventually(&format!("Secret {secret} holds credentials"), async || {
            done(self.secrets().get_opt(secret).await).as_ref().and_then(Credentials::from_secret)
        })
        .await
    }

    /// The PostgreSQL server behind a server of the local backend.
    pub fn local_server(&self, name: &str) -> LocalServer {
        let found = LocalServer::find(&self.world.operator.data_dir(), &self.namespace, name);
        found.unwrap_or_else(|| panic!("there is no PostgreSQL server of {}/{name}", self.namespace))
    }

    /// Whether there is one.
    pub fn has_local_server(&self, name: &str) -> bool {
        LocalServer::find(&self.world.operator.data_dir(), &self.namespace, name).is_some()
    }

    /// Looks again and again until there is a result; after a minute and a half the test fails, with the objects and
    /// the operator's log.
    pub async fn eventually<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let since = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if since.elapsed() > PATIENCE {
                panic!("not within {} s: {what}\n{}", PATIENCE.as_secs(), self.describe().await);
            }
            tokio::time::sleep(pause_after(since.elapsed())).await;
        }
    }

    /// Checks for a while that something holds all the time.
    pub async fn all_the_time(&self, what: &str, lasting: Duration, holds: impl AsyncFn() -> bool) {
        let since = Instant::now();
        while since.elapsed() < lasting {
            if !holds().await {
                panic!(
                    "after {:.1} s no longer: {what}\n{}",
                    since.elapsed().as_secs_f32(),
                    self.describe().await
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Both kinds' objects as YAML and the end of the operator's log.
    pub async fn describe(&self) -> String {
        let mut text = String::new();
        add(&mut text, self.servers()).await;
        add(&mut text, self.databases()).await;
        text + "--- the operator's log ends with\n" + &self.world.operator.log_tail(60)
    }
}

async fn add<K>(text: &mut String, api: Api<K>)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    let kind = K::kind(&());
    match api.list(&ListParams::default()).await {
        Ok(found) => {
            for mut object in found {
                object.meta_mut().managed_fields = None;
                let yaml = serde_saphyr::to_string(&object).unwrap_or_else(|error| error.to_string());
                // Writing to a String cannot fail.
                let _ = writeln!(text, "--- {kind} {}\n{yaml}", object.name_any());
            }
        }
        Err(error) => {
            let _ = writeln!(text, "--- {kind}: {error}");
        }
    }
}
