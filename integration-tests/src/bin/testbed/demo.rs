//! `demo-up` and `demo-down`.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use hcpg::api::{Condition, ConditionStatus, ConditionType, Phase, PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::control_plane::{Binary, create_namespace, locate};
use integration_tests::operator::{CloudKind, KeptCloud, KeptOperator, install, project_file};
use integration_tests::world::Credentials;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{GroupVersionKind, TypeMeta};
use kube::{Client, ResourceExt};
use serde_json::Value;
use tokio::process::Command;

use crate::Failure;
use crate::cluster::{self, Target};

/// The namespace of the demo's objects.
pub const NAMESPACE: &str = "hcpg-demo";
const SERVER: &str = "demoteam";
const DATABASE: &str = "demoservice";
const SECRET: &str = "demoservice-postgres-credentials";
const READY_WITHIN: Duration = Duration::from_secs(180);
const QUERY: &str = "SELECT current_user AS \"user\", current_database() AS \"database\", \
                     split_part(version(), ' ', 2) AS \"PostgreSQL\", \
                     (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS \"TLS\"";

/// What the demo shows.
#[derive(Args)]
pub struct Demo {
    #[command(flatten)]
    target: Target,
    /// The backend that the servers are made with: on this host, or in a simulated cloud.
    #[arg(long, env = "BACKEND", default_value = "local")]
    backend: Backend,
}

/// Where the demo's servers are.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// PostgreSQL on this host.
    Local,
    /// A simulated Amazon RDS.
    Awsrds,
    /// A simulated Amazon Aurora.
    Awsaurora,
    /// A simulated Azure, with flexible servers.
    Azurepostgresflexible,
}

impl Backend {
    fn example(self) -> &'static str {
        match self {
            Self::Local => "examples/simple.yaml",
            Self::Awsrds => "examples/aws.yaml",
            Self::Awsaurora => "examples/aws-aurora.yaml",
            Self::Azurepostgresflexible => "examples/azure.yaml",
        }
    }

    fn cloud(self) -> Option<CloudKind> {
        match self {
            Self::Local => None,
            Self::Awsrds => Some(CloudKind::Awsrds),
            Self::Awsaurora => Some(CloudKind::Awsaurora),
            Self::Azurepostgresflexible => Some(CloudKind::Azurepostgresflexible),
        }
    }
}

/// Shows the operator at work from end to end, and leaves it running.
pub async fn up(Demo { target, backend }: &Demo) -> Result<(), Failure> {
    step(1, "A control plane");
    let cluster = cluster::ready(target).await?;
    let client = cluster.client().await?;

    step(2, "The operator");
    println!("building it; minutes the first time, then seconds");
    let mut operator = KeptOperator::of(&target.folder()?);
    cluster::refuse_taken(target, &client).await?;
    install(&client).await?;
    operator.prepare(&client, &cluster.kubeconfig).await?;
    operator.stop().await?;
    if let Some(kind) = backend.cloud() {
        let mut program = std::process::Command::new(std::env::current_exe()?);
        let name = kind.to_possible_value().map(|value| value.get_name().to_owned());
        program.arg("cloud").args(name);
        let cloud = KeptCloud::start(operator.folder(), kind, program).await?;
        operator = operator.configured(&cloud.config(), cloud.environment())?;
        println!("beside it a simulated cloud, with real PostgreSQL servers");
    }
    let port = operator.start().await?;
    println!("it runs as its own ServiceAccount with the rules of its chart");

    step(3, &format!("A server and a database: {}", backend.example()));
    create_namespace(&client, NAMESPACE).await?;
    apply_example(&client, backend.example()).await?;
    watch(&client, &operator).await?;

    step(4, "A login with nothing but the Secret");
    query(&client, operator.folder()).await?;

    step(5, "How to go on");
    let kubectl = kubectl().await?;
    go_on(target, &kubectl, &cluster.path, &operator, port);
    Ok(())
}

/// Takes down everything that `up` has made.
pub async fn down(target: &Target) -> Result<(), Failure> {
    let operator = KeptOperator::of(&target.folder()?);
    cluster::empty_theirs(target, &operator).await?;
    if operator.clear_away().await? {
        eprintln!(
            "ended the operator and its PostgreSQL servers, and deleted {}",
            operator.folder().display()
        );
    }
    cluster::down(target)
}

fn step(number: u32, title: &str) {
    println!("\n[{number}/5] {title}");
}

async fn apply_example(client: &Client, example: &str) -> Result<(), Failure> {
    let text = fs::read_to_string(project_file(example))?;
    for object in serde_saphyr::from_multiple::<Value>(&text)? {
        let types: TypeMeta = serde_json::from_value(object.clone())?;
        let (kind, _) = kube::discovery::pinned_kind(client, &GroupVersionKind::try_from(&types)?).await?;
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), NAMESPACE, &kind);
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        api.patch(&name, &PatchParams::apply("hcpg-demo").force(), &Patch::Apply(object)).await?;
        println!("applied {} {name}", types.kind);
    }
    Ok(())
}

/// Shows every phase as it passes, until both objects are ready.
async fn watch(client: &Client, operator: &KeptOperator) -> Result<(), Failure> {
    let servers: Api<PostgreSQLServer> = Api::namespaced(client.clone(), NAMESPACE);
    let databases: Api<PostgreSQLDatabase> = Api::namespaced(client.clone(), NAMESPACE);
    let since = Instant::now();
    let mut shown = [String::new(), String::new()];
    loop {
        let server = servers.get(SERVER).await?;
        let database = databases.get(DATABASE).await?;
        let states = [
            server.status.as_ref().map(|status| {
                let current = status.observed_generation == server.metadata.generation;
                State::of("server", &server.name_any(), current, status.phase, &status.conditions)
            }),
            database.status.as_ref().map(|status| {
                let current = status.observed_generation == database.metadata.generation;
                State::of("database", &database.name_any(), current, status.phase, &status.conditions)
            }),
        ];
        for (state, shown) in states.iter().flatten().zip(&mut shown) {
            if state.line != *shown {
                println!("{:>6.1} s  {}", since.elapsed().as_secs_f32(), state.line);
                shown.clone_from(&state.line);
            }
        }
        if states.iter().all(|state| state.as_ref().is_some_and(|state| state.ready)) {
            return Ok(());
        }
        if since.elapsed() > READY_WITHIN {
            return Err(format!(
                "not ready within {} s. The end of {}:\n{}\nThe lines above tell what is missing; `make demo-down` \
                 clears away, `make demo` tries again",
                READY_WITHIN.as_secs(),
                operator.log_path().display(),
                operator.log_tail()
            )
            .into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

struct State {
    line: String,
    ready: bool,
}

impl State {
    fn of(kind: &str, name: &str, current: bool, phase: Option<Phase>, conditions: &[Condition]) -> Self {
        let ready = conditions.iter().find(|condition| condition.type_ == ConditionType::Ready);
        let phase = phase.unwrap_or_default();
        let message = ready.map_or("", |ready| ready.message.as_str());
        let is_true = ready.is_some_and(|ready| ready.status == ConditionStatus::True);
        Self {
            line: format!("{kind:<8} {name:<12} {:<14} {message}", phase.as_str()),
            ready: current && phase == Phase::Ready && is_true,
        }
    }
}

/// Runs a query as an application would. Password and CA reach psql through its environment, never its arguments.
async fn query(client: &Client, folder: &Path) -> Result<(), Failure> {
    let secret = Api::<Secret>::namespaced(client.clone(), NAMESPACE).get(SECRET).await?;
    let incomplete = || format!("the Secret {NAMESPACE}/{SECRET} lacks a key");
    let login = Credentials::from_secret(&secret).ok_or_else(incomplete)?;
    let ca_file = folder.join("ca.crt");
    fs::write(&ca_file, login.ca.as_deref().ok_or_else(incomplete)?)?;
    println!("psql to {}:{}, database {}, user {}", login.host, login.port, login.dbname, login.username);
    let mut command = Command::new("psql");
    command.args([
        "--no-psqlrc",
        "--no-password",
        "--set=ON_ERROR_STOP=1",
        "--pset=pager=off",
        "--command",
        QUERY,
    ]);
    // Nothing of the user's own settings may help or hinder.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    let status = command
        .env("PGHOST", &login.host)
        .env("PGPORT", login.port.to_string())
        .env("PGDATABASE", &login.dbname)
        .env("PGUSER", &login.username)
        .env("PGPASSWORD", &login.password)
        .env("PGSSLMODE", "verify-full")
        .env("PGSSLROOTCERT", &ca_file)
        .env("PGCONNECT_TIMEOUT", "10")
        .env("PGPASSFILE", "/dev/null")
        .stdin(Stdio::null())
        .status()
        .await
        .map_err(|error| format!("psql could not be run: {error}; apt-get install postgresql-client"))?;
    if status.success() { Ok(()) } else { Err(format!("psql ended with {status}").into()) }
}

/// The line that makes `kubectl` the one that came with the control plane, where the user has none.
async fn kubectl() -> Result<String, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join("kubectl").is_file()) {
        return Ok(String::new());
    }
    let [kubectl] = locate([Binary::Kubectl]).await?;
    Ok(format!("  kubectl() {{ '{}' \"$@\"; }}\n", kubectl.display()))
}

fn go_on(target: &Target, kubectl: &str, kubeconfig: &Path, operator: &KeptOperator, port: u16) {
    let context = target.context().map(|context| format!(" CONTEXT={context}")).unwrap_or_default();
    println!(
        "\
The operator goes on in the background.
  export KUBECONFIG='{kubeconfig}'
{kubectl}  kubectl -n {NAMESPACE} get hcpg
  kubectl -n {NAMESPACE} get events
  kubectl -n {NAMESPACE} label pgdb/{DATABASE} operator/action=reset-password
  log         {log}
  metrics     http://127.0.0.1:{port}/metrics
  to stop     make demo-down{context}",
        kubeconfig = kubeconfig.display(),
        log = operator.log_path().display(),
    );
}
