//! Hostile text in every field that takes text: it is refused with a sentence about the field, or it stays text.

mod fields;
mod log;
mod values;

use std::path::{Path, PathBuf};

use fields::{Field, SETTING};
use futures::StreamExt;
use futures::stream;
use hcpg::api::names::{ACTION, PAUSED, RESET_PASSWORD_AT};
use hcpg::api::{Condition, ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{SharedWorld, Story, answer, is_ready};
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::discovery::ApiResource;
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use values::{FILE, MARK};

static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    // Only where there is a choice is it judged.
    config: json!({"allowed_backends": ["local"]}),
    ..OperatorOptions::default()
});

/// How many requests are under way at a time.
const AT_ONCE: usize = 8;

/// Hostile text in one field.
struct Attack {
    /// A name for an object.
    name: String,
    /// Which text where, for people.
    title: String,
    field: Field,
    text: String,
    spec: Value,
}

fn attacks(plural: &str) -> Vec<Attack> {
    let fields = Field::all(plural);
    let titles: Vec<String> = fields.iter().map(Field::title).collect();
    println!("{plural}: {}", titles.join("; "));
    let of = |(at, field): (usize, Field)| {
        values::all().into_iter().enumerate().map(move |(number, (what, text))| Attack {
            name: format!("attack-{at}-{number}"),
            title: format!("{what} in {}", field.title()),
            spec: field.spec_with(&text),
            field: field.clone(),
            text,
        })
    };
    fields.into_iter().enumerate().flat_map(of).collect()
}

/// Objects as they are sent. As JSON: applying goes through YAML, which has limits of its own.
fn raw<K: Resource<DynamicType = ()>>(story: &Story<'_>) -> Api<DynamicObject> {
    Api::namespaced_with(story.client.clone(), &story.namespace, &ApiResource::erase::<K>(&()))
}

/// A whole object; a field that is not attacked gets what it needs.
fn object(kind: &str, name: &str, attacked: &Value) -> DynamicObject {
    let mut spec = match kind {
        "PostgreSQLServer" => json!({"credentialsSecret": format!("{name}-login")}),
        _ => json!({"credentialsSecret": format!("{name}-login"), "serverRef": {"name": "main"}}),
    };
    let mut attacked = attacked.clone();
    // Each its own Secret, unless that is what is attacked.
    if attacked["credentialsSecret"] == "hostile-credentials" {
        attacked.as_object_mut().unwrap().remove("credentialsSecret");
    }
    json_patch::merge(&mut spec, &attacked);
    let object = json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
    });
    serde_json::from_value(object).unwrap()
}

/// Those that the API server lets in. The others are refused with a message that names the field.
async fn let_in<K: Resource<DynamicType = ()>>(story: &Story<'_>) -> Vec<Attack> {
    let (kind, plural) = (K::kind(&()), K::plural(&()));
    let api = raw::<K>(story);
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let judged = stream::iter(attacks(&plural)).map(|attack| {
        let (api, params, kind) = (&api, &params, &kind);
        async move {
            let object = object(kind, &attack.name, &attack.spec);
            match api.create(params, &object).await {
                Ok(_) => Some(attack),
                Err(kube::Error::Api(status)) => {
                    let (title, path) = (&attack.title, attack.field.path());
                    assert!(matches!(status.code, 400 | 422), "{title}: {status:?}");
                    assert!(status.message.contains(&path), "{title}: {}", status.message);
                    None
                }
                Err(error) => panic!("{}: {error}", attack.title),
            }
        }
    });
    let judged: Vec<Option<Attack>> = judged.buffer_unordered(AT_ONCE).collect().await;
    let all = judged.len();
    let accepted: Vec<Attack> = judged.into_iter().flatten().collect();
    println!("{plural}: {} of {all} are refused at admission", all - accepted.len());
    assert!(!accepted.is_empty() && accepted.len() < all);
    accepted
}

/// Whether the operator has come to an end with this generation, and whether well. Some(false): a condition names the
/// field or, in PostgreSQL's words, what it is.
fn ended(
    generation: Option<i64>,
    observed: Option<i64>,
    ready: bool,
    all: &[Condition],
    field: &Field,
) -> Option<bool> {
    if generation != observed {
        return None;
    }
    let is = |type_: ConditionType, status| all.iter().find(|one| one.type_ == type_ && one.status == status);
    let path = field.path();
    let name = path.trim_end_matches("[0]").rsplit('.').next().unwrap_or_default();
    let words = [name, if name == "charset" { "encoding" } else { "locale" }];
    // What is on its way passes; the word may come with it.
    let last = |one: &&&Condition| {
        one.type_ == ConditionType::Stalled
            || [Reason::Rejected, Reason::NotApplied, Reason::CreateFailed].contains(&one.reason)
    };
    let names_it = |one: &&Condition| {
        let message = one.message.to_lowercase();
        words.iter().any(|word| message.contains(&word.to_lowercase()))
            || (name == "serverParameters" && message.contains(SETTING))
    };
    let troubles = [
        is(ConditionType::Stalled, ConditionStatus::True),
        is(ConditionType::Synced, ConditionStatus::False),
    ];
    if troubles.iter().flatten().filter(last).any(names_it) {
        return Some(false);
    }
    (ready && is(ConditionType::Synced, ConditionStatus::True).is_some()).then_some(true)
}

/// Everything that an attack could have changed, as text.
async fn catalog(story: &Story<'_>) -> Vec<String> {
    let server = story.local_server("main");
    let everywhere = [
        "SELECT json_agg(r ORDER BY oid) FROM (SELECT * FROM pg_authid) r",
        "SELECT json_agg(r ORDER BY oid) FROM (SELECT * FROM pg_database) r",
        "SELECT json_agg(r ORDER BY r::text) FROM (SELECT roleid, member, admin_option FROM pg_auth_members) r",
        "SELECT json_agg(r ORDER BY r::text) FROM (SELECT * FROM pg_shdescription) r",
    ];
    let inside = [
        "SELECT json_agg(r ORDER BY r::text) FROM (SELECT * FROM pg_extension) r",
        "SELECT json_agg(r ORDER BY r::text) FROM (SELECT nspname, nspacl FROM pg_namespace WHERE nspname !~ '^pg_') r",
        "SELECT json_agg(r ORDER BY r::text) FROM (SELECT relname, relacl FROM pg_class WHERE relnamespace = 'public'::regnamespace) r",
    ];
    let mut all = Vec::new();
    for (database, queries) in [("postgres", &everywhere[..]), ("postgres", &inside), ("canary", &inside)] {
        let superuser = server.superuser(database).await.unwrap();
        for query in queries {
            // Frozen at any time by autovacuum.
            let query = format!(
                "SELECT regexp_replace(({query})::text, '\"dat(frozenx|minmx)id\":\"?[0-9]+\"?', '', 'g')"
            );
            all.push(answer(&superuser, &query).await.unwrap_or_default());
        }
    }
    all
}

/// Files with a hostile name: below the operator's folder, where `../..` leads, and where a shell would have put one.
fn strange_files(data_dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![data_dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    let here = std::env::current_dir().unwrap();
    for folder in data_dir.ancestors().skip(1).chain(here.ancestors()).chain([Path::new("/tmp")]) {
        found.extend(std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    found.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(MARK)));
    found
}

fn main_server() -> Value {
    // What this backend passes over is there from the beginning; a quote and a backslash come into PostgreSQL's files.
    let spec = json!({
        "credentialsSecret": "main-login",
        "size": {"class": format!("$(touch /tmp/{FILE})")},
        "network": {"firewallRules": [{"name": format!("../../{FILE}"), "startIp": "1.2.3.4", "endIp": "1.2.3.4"}]},
        "serverParameters": {"log_statement": "all", "main.odd": format!("a'b\\'; {MARK}\\")},
    });
    json!({"apiVersion": "hybridcloud.maibornwolff.de/v1alpha1", "kind": "PostgreSQLServer", "metadata": {"name": "main"}, "spec": spec})
}

/// The canary, on a server that was hostile from the beginning.
async fn with_canary(story: &Story<'_>) {
    story.try_apply(main_server()).await.unwrap();
    story.plain_database("canary", "main").await;
    story.server_ready("main").await;
    story.database_ready("canary").await;
    let canary = story.credentials("canary-credentials").await.connect().await.unwrap();
    canary.batch_execute("CREATE TABLE song (line text); INSERT INTO song VALUES ('la')").await.unwrap();
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    let odd = answer(&superuser, "SELECT current_setting('main.odd')").await;
    assert_eq!(odd, Some(format!("a'b\\'; {MARK}\\")));
}

/// New databases, all at once.
async fn attack_databases(story: &Story<'_>) -> Vec<String> {
    let attacks = let_in::<PostgreSQLDatabase>(story).await;
    let outcomes = stream::iter(&attacks).map(async |attack| {
        let object = object("PostgreSQLDatabase", &attack.name, &attack.spec);
        raw::<PostgreSQLDatabase>(story).create(&PostParams::default(), &object).await.unwrap();
        let good = story
            .eventually(&format!("{} comes to an end", attack.title), async || {
                let database = story.database(&attack.name).await;
                let status = database.status.as_ref()?;
                let (generation, observed) = (database.metadata.generation, status.observed_generation);
                let ready = is_ready(generation, observed, status.phase, &status.conditions);
                ended(generation, observed, ready, &status.conditions, &attack.field)
            })
            .await;
        println!("{}: {}", attack.title, if good { "ready" } else { "a condition" });
    });
    outcomes.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    attacks.into_iter().map(|attack| attack.name).collect()
}

/// The running server, one change after the other.
async fn attack_server(story: &Story<'_>) {
    for attack in let_in::<PostgreSQLServer>(story).await {
        let mut object = main_server();
        let mut spec = attack.spec.clone();
        spec.as_object_mut().unwrap().remove("credentialsSecret");
        json_patch::merge(&mut object["spec"], &spec);
        change_spec(story, &object["spec"]).await;
        let good = story
            .eventually(&format!("{} comes to an end", attack.title), async || {
                let server = story.server("main").await;
                let status = server.status.as_ref()?;
                let (generation, observed) = (server.metadata.generation, status.observed_generation);
                let ready = is_ready(generation, observed, status.phase, &status.conditions);
                ended(generation, observed, ready, &status.conditions, &attack.field)
            })
            .await;
        println!("{}: {}", attack.title, if good { "ready" } else { "a condition" });
        if good && attack.spec["serverParameters"][SETTING].is_string() {
            let superuser = story.local_server("main").superuser("postgres").await.unwrap();
            let query = format!("SELECT current_setting('{SETTING}', true)");
            let arrives =
                async || (answer(&superuser, &query).await.as_ref() == Some(&attack.text)).then_some(());
            story.eventually(&format!("{} arrives as it is", attack.title), arrives).await;
        }
    }
    change_spec(story, &main_server()["spec"]).await;
    story.server_ready("main").await;
}

async fn change_spec(story: &Story<'_>, spec: &Value) {
    let patch = serde_json::from_value(json!([{"op": "replace", "path": "/spec", "value": spec}])).unwrap();
    let patch = Patch::<Value>::Json(patch);
    raw::<PostgreSQLServer>(story).patch("main", &PatchParams::default(), &patch).await.unwrap();
}

/// What users ask for besides the spec.
async fn attack_annotations(story: &Story<'_>) {
    for key in [ACTION, RESET_PASSWORD_AT, PAUSED] {
        for (_, text) in values::all() {
            let change = json!({"metadata": {"annotations": {key: text}}});
            story.patch::<PostgreSQLServer>("main", change.clone()).await;
            story.patch::<PostgreSQLDatabase>("canary", change).await;
        }
        let change = json!({"metadata": {"annotations": {key: null}}});
        story.patch::<PostgreSQLServer>("main", change.clone()).await;
        story.patch::<PostgreSQLDatabase>("canary", change).await;
    }
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let story = WORLD.get().await.story("hostile").await;
    let data_dir = story.world.operator.data_dir();
    with_canary(&story).await;
    let login = story.credentials("canary-credentials").await;
    let before = catalog(&story).await;

    let databases = attack_databases(&story).await;
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    let names = "SELECT rolname::text FROM pg_roles WHERE oid > 16383 UNION SELECT datname::text FROM pg_database WHERE oid > 16383";
    for row in superuser.query(names, &[]).await.unwrap() {
        let name: String = row.get(0);
        let expected = databases.iter().any(|object| object.replace('-', "_") == name);
        assert!(expected || ["canary", "postgres"].contains(&name.as_str()), "{name:?} came to be");
    }
    attack_server(&story).await;
    attack_annotations(&story).await;
    for name in &databases {
        story.delete::<PostgreSQLDatabase>(name).await;
    }
    for name in &databases {
        story.gone::<PostgreSQLDatabase>(name).await;
    }

    story.server_ready("main").await;
    story.database_ready("canary").await;
    assert_eq!(story.credentials("canary-credentials").await, login);
    assert_eq!(catalog(&story).await, before);
    let canary = login.connect().await.unwrap();
    assert_eq!(answer(&canary, "SELECT line FROM song").await.as_deref(), Some("la"));
    let leftovers: Vec<String> = story
        .databases()
        .list(&Default::default())
        .await
        .unwrap()
        .iter()
        .map(ResourceExt::name_any)
        .collect();
    assert_eq!(leftovers, ["canary"]);

    assert_eq!(strange_files(&data_dir), Vec::<PathBuf>::new());
    let statements = log::statements(&story.local_server("main").log());
    let hostile =
        |text: &str| [MARK, FILE, "/etc/passwd", "DROP DATABASE canary"].iter().any(|it| text.contains(it));
    assert!(statements.iter().any(|statement| hostile(statement)), "nothing hostile was ever sent");
    let escaped: Vec<&String> =
        statements.iter().filter(|statement| hostile(&log::unquoted(statement))).collect();
    assert_eq!(escaped, Vec::<&String>::new());
}
