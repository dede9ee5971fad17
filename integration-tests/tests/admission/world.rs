//! A control plane with our definitions, and kubectl.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use integration_tests::control_plane::{Binary, ControlPlane, Options, locate};
use kube::Client;
use tokio::sync::OnceCell;

/// How long the API server may take to serve what was installed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A control plane and the kubectl of its version.
pub struct World {
    control_plane: ControlPlane,
    kubectl: PathBuf,
}

/// What kubectl said.
pub struct Said {
    /// Whether it succeeded.
    pub ok: bool,
    /// Its output.
    pub out: String,
    /// Its errors and warnings.
    pub err: String,
}

/// The world that the tests share; it ends with the process.
pub async fn world() -> &'static World {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD
        .get_or_init(|| async {
            let world = World::start().await;
            world.install(&[]);
            world
        })
        .await
}

/// The folder of the project.
pub fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

impl World {
    /// A control plane without our definitions.
    pub async fn start() -> Self {
        let [kubectl] = locate([Binary::Kubectl]).await.unwrap();
        let control_plane = ControlPlane::start(Options::throw_away()).await.unwrap();
        Self { control_plane, kubectl }
    }

    /// Installs the definitions in `crds/`, which must raise no warning, and waits until they are served.
    pub fn install(&self, options: &[&str]) {
        let crds = project().join("crds");
        let mut arguments = vec!["apply", "--server-side", "--filename", crds.to_str().unwrap()];
        arguments.extend(options);
        let said = self.kubectl(&arguments, "");
        assert!(said.ok && said.err.is_empty(), "{}", said.err);
        self.until(&["get", "hcpg"], |said| said.ok);
        self.until(&["explain", "postgresqlserver.spec.changeWindow"], |said| said.ok);
    }

    /// A client with the admin's rights.
    pub async fn client(&self) -> Client {
        self.control_plane.client().await.unwrap()
    }

    /// Runs kubectl.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = Command::new(&self.kubectl)
            .arg("--kubeconfig")
            .arg(self.control_plane.kubeconfig_path())
            .args(arguments)
            // No cache of what the API server serves: it changes in these tests.
            .arg("--cache-dir")
            .arg(self.control_plane.folder().join("kubectl-cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Lets the API server judge the objects without storing them.
    pub fn judge(&self, objects: &str) -> Said {
        self.kubectl(&["create", "--dry-run=server", "--output=json", "--filename=-"], objects)
    }

    /// Creates objects.
    pub fn create(&self, objects: &str) {
        let said = self.kubectl(&["create", "--filename=-"], objects);
        assert!(said.ok, "{objects}\n{}", said.err);
    }

    /// Runs kubectl again and again until it says what is waited for.
    pub fn until(&self, arguments: &[&str], holds: impl Fn(&Said) -> bool) {
        let begin = Instant::now();
        loop {
            let said = self.kubectl(arguments, "");
            if holds(&said) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{arguments:?}: {}{}", said.out, said.err);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// A server with this spec, in YAML on one line.
pub fn server(name: &str, spec: &str) -> String {
    object("PostgreSQLServer", name, spec)
}

/// A database with this spec, in YAML on one line.
pub fn database(name: &str, spec: &str) -> String {
    object("PostgreSQLDatabase", name, spec)
}

fn object(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: hybridcloud.maibornwolff.de/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    )
}
