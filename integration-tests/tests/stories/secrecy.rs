//! A whole life with everything logged: no password is anywhere but in the Secrets.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use hcpg::api::{ConditionType, PostgreSQLDatabase, PostgreSQLServer};
use hcpg::secrets::field;
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{SharedWorld, Story, database_condition};
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::api::Api;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Everything is logged, of the libraries too.
static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    log: "trace".to_owned(),
    config: json!({"reconcile": {"label_reset_interval_seconds": 0}}),
    ..OperatorOptions::default()
});

const SERVER: &str = "vault";
const DATABASE: &str = "safe";
/// A user's own choice, with all that is awkward in URIs, in SQL and in configuration files.
const CHOSEN: &str = "it's \"50%\" $wrong\\ & ?d=:/@ü";
/// For the search itself: it must be found where it is put.
const PLANTED: &str = "Planted:by+the.test<0>";

const OBJECTS: &str = "
apiVersion: hybridcloud.maibornwolff.de/v1alpha1
kind: PostgreSQLServer
metadata:
  name: vault
spec:
  size: {cpu: 1, memoryMB: 512, storageGB: 1}
  credentialsSecret: vault-credentials
  serverParameters:
    log_statement: all
    log_min_duration_statement: '0'
    log_connections: 'on'
    log_error_verbosity: verbose
---
apiVersion: hybridcloud.maibornwolff.de/v1alpha1
kind: PostgreSQLDatabase
metadata:
  name: safe
spec:
  serverRef: {name: vault}
  credentialsSecret: safe-credentials
";

#[tokio::test]
async fn no_password_is_anywhere_but_in_the_secrets() {
    let world = WORLD.get().await;
    let story = world.story("secrecy").await;
    let folder = world.operator.folder().to_owned();
    let passwords: Shared = Arc::default();
    let told: Shared = Arc::default();
    watch_secrets(&story.client, &passwords);
    watch_objects::<PostgreSQLServer>(&story.client, &told);
    watch_objects::<PostgreSQLDatabase>(&story.client, &told);
    watch_objects::<Event>(&story.client, &told);
    let processes = Processes::watch(&folder);

    live(&story).await;

    // What PostgreSQL wrote is looked at before it goes with its server.
    let log = story.local_server(SERVER).log();
    assert!(log.contains("CREATE DATABASE") && log.contains("SCRAM-SHA-256"), "statements are not logged");
    let metrics = world.operator.metrics().await.unwrap();
    // The last password in a Secret: when it was seen, all before it were.
    let secret = Secret {
        metadata: kube::api::ObjectMeta { name: Some("planted".to_owned()), ..Default::default() },
        string_data: Some([("password".to_owned(), PLANTED.to_owned())].into()),
        ..Secret::default()
    };
    story.secrets().create(&Default::default(), &secret).await.unwrap();
    story.eventually("all Secrets were seen", async || passwords.contains(PLANTED).then_some(())).await;
    let needles = Needles::of(&passwords.all());
    println!("{} passwords, {} needles", passwords.all().len(), needles.texts.len());
    // Two on creation, two resets, the user's own, the planted one.
    assert!(passwords.all().len() >= 6 && passwords.contains(CHOSEN));

    let mut found = needles.in_folder(&folder);
    story.delete::<PostgreSQLDatabase>(DATABASE).await;
    story.gone::<PostgreSQLDatabase>(DATABASE).await;
    story.delete::<PostgreSQLServer>(SERVER).await;
    story.gone::<PostgreSQLServer>(SERVER).await;
    found.extend(needles.in_folder(&folder));
    found.extend(needles.in_text("metrics", &metrics));
    found.extend(needles.in_text("metrics", &world.operator.metrics().await.unwrap()));
    for object in told.all() {
        found.extend(needles.in_text("an object or event", &object));
    }
    found.extend(needles.in_file(world.audit_log().path()));
    // The log is long, and with "trace" it would be a poor one without the libraries' lines.
    let operator_log = world.operator.log();
    assert!(
        operator_log.contains("TRACE") && operator_log.contains("rustls") && operator_log.contains("kube")
    );
    // The driver would tell the text of every statement; a verifier is no password, and still nobody's business.
    assert!(!operator_log.contains("SCRAM-SHA-256$"));
    let seen = processes.end();
    println!("{} command lines and environments", seen.len());
    assert!(
        seen.iter().any(|text| text.contains("pgdata"))
            && seen.iter().any(|text| text.contains("KUBECONFIG="))
    );
    for text in &seen {
        found.extend(needles.in_text("a process", text));
    }
    assert!(found.is_empty(), "{found:#?}");

    the_search_finds(&needles, &folder).await;
}

/// Created, reset in every way, damaged, misused.
async fn live(story: &Story<'_>) {
    story.apply(OBJECTS).await;
    let ready = async || {
        story.server_ready(SERVER).await;
        story.database_ready(DATABASE).await;
    };
    ready().await;
    let first = story.credentials("safe-credentials").await;

    // Reset on request.
    let label = json!({"metadata": {"labels": {"operator/action": "reset-password"}}});
    story.patch::<PostgreSQLServer>(SERVER, label.clone()).await;
    story.patch::<PostgreSQLDatabase>(DATABASE, label).await;
    story
        .eventually("both resets are done", async || {
            let (server, database) = (story.server(SERVER).await, story.database(DATABASE).await);
            (server.labels().is_empty() && database.labels().is_empty()).then_some(())
        })
        .await;
    ready().await;
    assert!(first.is_refused().await.unwrap());

    // Drift: somebody sets another password in PostgreSQL, then a user writes one of his own into the Secret.
    let superuser = story.local_server(SERVER).superuser("postgres").await.unwrap();
    superuser.batch_execute("ALTER ROLE safe PASSWORD 'drifted'; ALTER ROLE safe NOLOGIN").await.unwrap();
    drop(superuser);
    let credentials = story.credentials("safe-credentials").await;
    touch(story).await;
    story
        .eventually("the published password is in force again", async || credentials.connect().await.ok())
        .await;
    story.patch::<Secret>("safe-credentials", json!({"stringData": {"password": CHOSEN}})).await;
    touch(story).await;
    story
        .eventually("the user's password is in force", async || {
            story.credentials("safe-credentials").await.connect().await.ok()
        })
        .await;

    // An extension that nobody has.
    let spec = json!({"spec": {"database": {"extensions": ["no_such_extension"]}}});
    story.patch::<PostgreSQLDatabase>(DATABASE, spec).await;
    story
        .database_where(DATABASE, "names the extension", |database| {
            database_condition(database, ConditionType::Synced)
                .is_some_and(|synced| synced.message.contains("no_such_extension"))
        })
        .await;
    story.patch::<PostgreSQLDatabase>(DATABASE, json!({"spec": {"database": {"extensions": []}}})).await;
    ready().await;
}

/// Wakes the operator, which does not watch Secrets nor PostgreSQL.
async fn touch(story: &Story<'_>) {
    static TOUCHES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let touch = TOUCHES.fetch_add(1, Ordering::Relaxed).to_string();
    story
        .patch::<PostgreSQLDatabase>(DATABASE, json!({"metadata": {"annotations": {"story/touch": touch}}}))
        .await;
}

/// The same search, now with something to be found: in a file, in base64 and percent-encoded, in an environment.
async fn the_search_finds(needles: &Needles, folder: &Path) {
    let file = folder.join("data/planted");
    let encoded = forms(PLANTED);
    assert!(encoded.len() >= 3, "{encoded:?}");
    for form in encoded {
        std::fs::write(&file, format!("before {form} after")).unwrap();
        assert_eq!(needles.in_folder(folder).len(), 1, "{form}");
    }
    std::fs::remove_file(&file).unwrap();
    let processes = Processes::watch(folder);
    let mut sleep =
        Command::new("sleep").arg("60").env("PLANTED", PLANTED).current_dir(folder).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    sleep.kill().unwrap();
    sleep.wait().unwrap();
    assert!(processes.end().iter().any(|text| !needles.in_text("a process", text).is_empty()));
}

/// Texts that several watchers collect.
#[derive(Default)]
struct Texts(Mutex<BTreeSet<String>>);
type Shared = Arc<Texts>;

impl Texts {
    fn add(&self, text: String) {
        self.0.lock().unwrap().insert(text);
    }

    fn contains(&self, text: &str) -> bool {
        self.0.lock().unwrap().contains(text)
    }

    fn all(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Every password that ever stands in a Secret, pending ones too.
fn watch_secrets(client: &Client, passwords: &Shared) {
    let passwords = passwords.clone();
    watch::<Secret>(client, move |secret| {
        if let Some(password) = field(&secret, "password") {
            passwords.add(password);
        }
    });
}

/// Every state of every object.
fn watch_objects<K>(client: &Client, told: &Shared)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + Debug + Send + 'static,
{
    let told = told.clone();
    watch::<K>(client, move |object| told.add(serde_json::to_string(&object).unwrap()));
}

fn watch<K>(client: &Client, mut see: impl FnMut(K) + Send + 'static)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let stream = watcher(Api::<K>::all(client.clone()), watcher::Config::default());
    tokio::spawn(async move {
        let mut objects = std::pin::pin!(stream.default_backoff().applied_objects().map_err(drop));
        while let Some(object) = objects.next().await {
            if let Ok(object) = object {
                see(object);
            }
        }
    });
}

/// Command lines and environments of everything that runs in a folder, looked at again and again.
struct Processes {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<BTreeSet<String>>,
}

impl Processes {
    fn watch(folder: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, folder) = (stop.clone(), folder.to_owned());
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !told.load(Ordering::Relaxed) {
                for process in std::fs::read_dir("/proc").unwrap().flatten() {
                    look_at(&process.path(), &folder, &mut seen);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            seen
        });
        Self { stop, thread }
    }

    fn end(self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn look_at(process: &Path, folder: &Path, seen: &mut BTreeSet<String>) {
    let read = |file: &str| {
        let bytes = std::fs::read(process.join(file)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let arguments = read("cmdline");
    let at_work = std::fs::read_link(process.join("cwd")).is_ok_and(|at| at.starts_with(folder));
    if at_work || arguments.contains(&*folder.to_string_lossy()) {
        seen.insert(arguments);
        seen.insert(read("environ"));
    }
}

/// What is searched for: each password in each form it could have.
struct Needles {
    texts: Vec<Vec<u8>>,
    /// Which pairs of bytes a needle begins with.
    begins: Vec<bool>,
}

impl Needles {
    fn of(passwords: &BTreeSet<String>) -> Self {
        let texts: BTreeSet<Vec<u8>> =
            passwords.iter().flat_map(|password| forms(password)).map(String::into_bytes).collect();
        let mut begins = vec![false; 1 << 16];
        for text in &texts {
            begins[pair(text)] = true;
        }
        Self { texts: texts.into_iter().collect(), begins }
    }

    fn are_in(&self, bytes: &[u8]) -> Vec<String> {
        let positions = (0..bytes.len().saturating_sub(1)).filter(|at| self.begins[pair(&bytes[*at..])]);
        let hits =
            positions.flat_map(|at| self.texts.iter().filter(move |text| bytes[at..].starts_with(text)));
        hits.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    fn in_text(&self, place: &str, text: &str) -> Vec<String> {
        let around = text.chars().take(300).collect::<String>();
        self.are_in(text.as_bytes()).iter().map(|hit| format!("{hit} in {place}: {around}")).collect()
    }

    fn in_file(&self, path: &Path) -> Vec<String> {
        // PostgreSQL removes files of its own at any time.
        let bytes = std::fs::read(path).unwrap_or_default();
        self.are_in(&bytes).iter().map(|hit| format!("{hit} in {}", path.display())).collect()
    }

    /// All files; the operator's program, which nobody writes, apart.
    fn in_folder(&self, folder: &Path) -> Vec<String> {
        files(folder)
            .iter()
            .filter(|file| !file.ends_with("operator"))
            .flat_map(|file| self.in_file(file))
            .collect()
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.is_file())
        .collect()
}

/// As it is, in base64, percent-encoded, and as JSON and PostgreSQL's files quote it.
fn forms(password: &str) -> BTreeSet<String> {
    let quoted = serde_json::to_string(password).unwrap();
    BTreeSet::from([
        password.to_owned(),
        base64(password.as_bytes()),
        percent_encoded(password),
        quoted.trim_matches('"').to_owned(),
        password.replace('\'', "''"),
        password.replace(':', "\\:"),
    ])
}

/// Without the end, which depends on what follows.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.as_chunks::<3>().0.iter().flat_map(|[a, b, c]| {
        let bits = u32::from(*a) << 16 | u32::from(*b) << 8 | u32::from(*c);
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift & 63) as usize]))
    });
    digits.collect()
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
