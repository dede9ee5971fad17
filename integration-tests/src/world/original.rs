//! The traces that the original operator leaves: its objects, its Secrets, and roles and databases without a mark.

use std::collections::BTreeMap;
use std::path::Path;

use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{APP_LOGIN, Credentials, Story, TEAM, TEAM_LOGIN, World, done};
use crate::operator::{OPERATOR_NAMESPACE, project_file};

/// Who wrote status in the original: the Python client, with its default name.
const ORIGINAL_MANAGER: &str = "OpenAPI-Generator";

/// What stood there before the operator took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// The administrator's credentials.
    pub team: Credentials,
    /// The database's credentials.
    pub app: Credentials,
    /// What must not be written to.
    pub backend: BackendTraces,
    /// How long PostgreSQL's log was.
    pub log: usize,
    /// When that was, RFC 3339.
    pub time: String,
}

/// Everything in a PostgreSQL server that a write of an operator would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendTraces {
    /// Configuration files and the backend's own note, with their content.
    pub files: BTreeMap<String, String>,
    /// Password hashes of all roles.
    pub passwords: String,
    /// Comments on roles and databases, owners, and rights.
    pub marks: String,
    /// When it was started.
    pub started_at: Option<String>,
}

/// A fixture as a JSON object, with `words` put in.
pub fn original(file: &str, words: &[(&str, &str)]) -> Value {
    let path = project_file(&format!("integration-tests/tests/fixtures/original/{file}"));
    let text = done(std::fs::read_to_string(path));
    let text = words.iter().fold(text, |text, (word, value)| text.replace(word, value));
    done(serde_saphyr::from_str(&text))
}

impl World {
    /// Teams as the original operator would have left them, one per name; the operator has been stopped for that.
    /// `prepare` puts in what is special about each.
    pub async fn left_by_the_original(
        &self,
        names: &[&str],
        prepare: impl AsyncFn(&str, &Story<'_>, &mut Before),
    ) -> BTreeMap<String, (String, Before)> {
        let mut stories = Vec::new();
        for name in names {
            let story = self.story(name).await;
            done(story.try_apply(without_traces("stored-server.yaml")).await);
            done(story.try_apply(without_traces("stored-database.yaml")).await);
            stories.push((*name, story));
        }
        for (_, story) in &stories {
            story.team_ready().await;
        }
        done(self.operator.sigterm().await);
        let mut all = BTreeMap::new();
        for (name, story) in stories {
            let mut before = story.as_the_original_left_it().await;
            prepare(name, &story, &mut before).await;
            before.backend = story.backend_traces().await;
            before.log = story.local_server(TEAM).log().len();
            before.time = jiff::Timestamp::now().to_string();
            all.insert(name.to_owned(), (story.namespace, before));
        }
        all
    }
}

/// The object as a user writes it.
fn without_traces(file: &str) -> Value {
    let Value::Object(mut object) = original(file, &[]) else { unreachable!("{file} is an object") };
    let name = object["metadata"]["name"].clone();
    object.insert("metadata".to_owned(), json!({"name": name}));
    object.remove("status");
    Value::Object(object)
}

impl Story<'_> {
    /// Puts everything of the team into the form in which the original would have left it. No operator may run.
    async fn as_the_original_left_it(&self) -> Before {
        let (team, app) = (self.team_login().await, self.app_login().await);
        let admin = &team.username;
        // The administrator owned what it created, and nothing was marked.
        self.by_hand("postgres", "COMMENT ON ROLE app IS NULL; COMMENT ON DATABASE app IS NULL").await;
        self.by_hand(
            "postgres",
            &format!("ALTER DATABASE app OWNER TO \"{admin}\"; REVOKE app FROM \"{admin}\""),
        )
        .await;
        self.by_hand("postgres", "REVOKE ALL ON DATABASE app FROM PUBLIC; GRANT ALL ON DATABASE app TO app")
            .await;
        self.by_hand("app", "GRANT ALL ON SCHEMA public TO app").await;
        self.store::<PostgreSQLServer>(original("stored-server.yaml", &[])).await;
        self.store::<PostgreSQLDatabase>(original("stored-database.yaml", &[])).await;
        self.store_secret(TEAM_LOGIN, &team).await;
        self.store_secret(APP_LOGIN, &app).await;
        Before { team, app, backend: self.backend_traces().await, log: 0, time: String::new() }
    }

    /// Stores an object as the original left it, status included, in place of the one of that name.
    pub async fn store<K>(&self, object: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + serde::Serialize
            + std::fmt::Debug,
    {
        let api: Api<K> = self.api();
        let whole: K = done(serde_json::from_value(object.clone()));
        let name = whole.name_any();
        if done(api.get_opt(&name).await).is_some() {
            self.patch::<K>(&name, json!({"metadata": {"finalizers": null}})).await;
            self.delete::<K>(&name).await;
            self.gone::<K>(&name).await;
        }
        done(api.create(&PostParams::default(), &whole).await);
        let status = Patch::Merge(json!({"status": object["status"]}));
        let params =
            PatchParams { field_manager: Some(ORIGINAL_MANAGER.to_owned()), ..PatchParams::default() };
        done(api.patch_status(&name, &params, &status).await);
    }

    /// Stores credentials as the original left them, in place of the Secret of that name.
    pub async fn store_secret(&self, name: &str, login: &Credentials) {
        if self.secret(name).await.is_some() {
            done(self.secrets().delete(name, &DeleteParams::default()).await);
        }
        let port = login.port.to_string();
        let words = [
            ("USERNAME", login.username.as_str()),
            ("PASSWORD", &login.password),
            ("DBNAME", &login.dbname),
            ("NAME", name),
            ("HOST", &login.host),
            ("PORT", &port),
            ("SSLMODE", &login.sslmode),
        ];
        let secret: Secret = done(serde_json::from_value(original("stored-secret.yaml", &words)));
        done(self.secrets().create(&PostParams::default(), &secret).await);
    }

    /// Leaves a password on its way, as the original does.
    pub async fn store_temporary(&self, prefix: &str, object: &str, password: &str) {
        let name = format!("{prefix}-{}-{object}-tmp", self.namespace);
        let words = [("NAME", name.as_str()), ("PASSWORD", password)];
        let secret: Secret = done(serde_json::from_value(original("stored-temporary.yaml", &words)));
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), OPERATOR_NAMESPACE);
        done(secrets.create(&PostParams::default(), &secret).await);
    }

    /// Everything in the team's server that a write would change.
    pub async fn backend_traces(&self) -> BackendTraces {
        let folder = self.local_server(TEAM).folder().to_owned();
        let mut files = BTreeMap::new();
        for part in [&folder, &folder.join("pgdata")] {
            for entry in done(std::fs::read_dir(part)).flatten().map(|entry| entry.path()) {
                if is_configuration(&entry) {
                    files.insert(entry.display().to_string(), done(std::fs::read_to_string(&entry)));
                }
            }
        }
        let passwords =
            "SELECT string_agg(rolname || ' ' || coalesce(rolpassword, '-'), ',' ORDER BY rolname)
            FROM pg_authid";
        let marks = "SELECT concat(
            (SELECT string_agg(format('%s %s %s', classoid, objoid, description), ',' ORDER BY classoid, objoid)
                FROM pg_shdescription),
            (SELECT string_agg(format('%s %s %s', datname, datdba, datacl), ',' ORDER BY datname) FROM pg_database),
            (SELECT string_agg(format('%s %s', roleid, member), ',' ORDER BY roleid, member) FROM pg_auth_members))";
        BackendTraces {
            files,
            passwords: self.ask("postgres", passwords).await.unwrap_or_default(),
            marks: self.ask("postgres", marks).await.unwrap_or_default(),
            started_at: self.started_at().await,
        }
    }

    /// What the operator has written about this story's objects after `before`, as `verb resource/subresource`.
    pub async fn written_since(&self, before: &Before) -> std::collections::BTreeSet<String> {
        let events = self.world.operator_writes().await;
        let later = events.into_iter().filter(|event| event.request_received_timestamp > before.time);
        let ours = later.filter_map(|event| event.object_ref.map(|about| (event.verb, about)));
        ours.filter(|(_, about)| about.namespace == self.namespace || about.name.contains(&self.namespace))
            .map(|(verb, about)| format!("{verb} {}/{}", about.resource, about.subresource))
            .collect()
    }

    /// Neither files nor roles nor databases have changed, PostgreSQL was not restarted, and was only asked.
    pub async fn was_only_read(&self, before: &Before) {
        assert_eq!(self.backend_traces().await, before.backend);
        let statements = self.local_server(TEAM).statements(before.log);
        let reads = ["SELECT", "BEGIN", "ROLLBACK", "SET", "SHOW"];
        let others: Vec<_> = statements.iter().filter(|(verb, _)| !reads.contains(&verb.as_str())).collect();
        assert!(others.is_empty(), "{others:#?}");
        assert!(!statements.is_empty(), "the log tells statements");
    }
}

fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.is_file() && (name.ends_with(".conf") || name == "server.json")
}
