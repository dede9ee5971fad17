//! A real PostgreSQL for the tests of this module: TLS only, SCRAM only, and an administrator who is no superuser.
//!
//! One server per test binary. Statics are never dropped, so the server hangs on a pipe instead: a shell reads it, and
//! when the test process ends, however it ends, the shell stops the server and removes its directory.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Uid, User};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::super::*;
use super::admins::AdminKind;
use crate::secrets::Password;

pub const SUPERUSER: &str = "postgres";
pub const ADMIN: &str = "hcpg_admin";
const SUPERUSER_PASSWORD: &str = "super.secret-1";
const ADMIN_PASSWORD: &str = "admin.secret-1";

const SUPERVISE: &str = r#""$0" -D "$1/data" 2>>"$1/log" & server=$!
read -r _
kill -INT "$server"; wait "$server"; rm -rf "$1""#;

pub struct Server {
    pub port: u16,
    pub major: u32,
    pub admin_kind: AdminKind,
    pub directory: PathBuf,
    pub ca_pem: String,
    /// A CA that did not issue the server's certificate.
    pub strange_ca_pem: String,
    /// Closing its standard input stops the server.
    _supervisor: Child,
}

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

/// The server of this test binary.
pub fn server() -> &'static Server {
    &SERVER
}

impl Server {
    fn start() -> Self {
        let account = unprivileged();
        let admin_kind = AdminKind::chosen();
        let directory = tempfile::Builder::new().prefix("hcpg-sql-").tempdir().unwrap().keep();
        let (ca_pem, certificate, key) = certificates();
        // Modules of tests are loaded from here.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        let password_file = directory.join("password");
        fs::write(&password_file, SUPERUSER_PASSWORD).unwrap();
        fs::write(directory.join("server.crt"), certificate).unwrap();
        fs::write(directory.join("server.key"), key).unwrap();
        fs::set_permissions(directory.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(directory.join("log"), "").unwrap();
        if let Some((uid, gid)) = account {
            for entry in ["", "password", "server.crt", "server.key", "log"] {
                chown(directory.join(entry), Some(uid.as_raw()), Some(gid.as_raw())).unwrap();
            }
        }

        let data = directory.join("data");
        let mut initdb = command(&bin("initdb"), account, &directory);
        initdb.arg("-D").arg(&data).args(["-U", SUPERUSER, "--auth=scram-sha-256", "--no-sync"]);
        initdb.args(["--encoding=UTF8", "--locale=C.UTF-8"]).arg("--pwfile").arg(&password_file);
        let output = initdb.output().unwrap();
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));

        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = directory.display();
        let mut settings = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
        writeln!(
            settings,
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{place}'\n\
             ssl = on\nssl_cert_file = '{place}/server.crt'\nssl_key_file = '{place}/server.key'\n\
             fsync = off\nlog_statement = all\nlog_line_prefix = '<%u@%d> '\n{}",
            admin_kind.settings()
        )
        .unwrap();
        let hba = "local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(data.join("pg_hba.conf"), hba).unwrap();

        let mut supervisor = command(Path::new("/bin/sh"), account, &directory);
        supervisor.arg("-c").arg(SUPERVISE).arg(bin("postgres")).arg(&directory);
        // Waiting for it is init's: it lives as long as this process does, and ends with it.
        #[allow(clippy::zombie_processes)]
        let supervisor =
            supervisor.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let major = fs::read_to_string(data.join("PG_VERSION")).unwrap().trim().parse().unwrap();
        let strange_ca_pem = certificates().0;
        let server =
            Self { port, major, admin_kind, directory, ca_pem, strange_ca_pem, _supervisor: supervisor };
        server.prepare();
        server
    }

    /// Waits until the server answers and creates the administrator. In a thread and runtime of its own: tests call
    /// this from inside theirs.
    fn prepare(&self) {
        let work = async {
            let deadline = Instant::now() + Duration::from_secs(30);
            let superuser = loop {
                match self.superuser(SUPERUSER).await {
                    Ok(session) => break session,
                    Err(error) if Instant::now() > deadline => panic!("{error}\n{}", self.log()),
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            };
            self.admin_kind.create(self, &superuser, ADMIN_PASSWORD).await;
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
            });
        });
    }

    pub fn endpoint(&self) -> Endpoint {
        self.endpoint_with(TlsMode::Verify { ca_pem: self.ca_pem.clone() })
    }

    pub fn endpoint_with(&self, tls: TlsMode) -> Endpoint {
        Endpoint { host: "127.0.0.1".to_owned(), port: self.port, tls }
    }

    pub fn socket(&self) -> Endpoint {
        Endpoint { host: self.directory.display().to_string(), port: self.port, tls: TlsMode::Disable }
    }

    pub async fn superuser(&self, dbname: &str) -> Result<Session, SqlError> {
        let password = Password::new(SUPERUSER_PASSWORD);
        let login = Login { user: SUPERUSER, password: Some(&password), dbname };
        Session::open(&self.socket(), &login, Timeouts::default()).await
    }

    /// The restricted administrator, over verified TLS.
    pub async fn admin(&self) -> Session {
        let password = Password::new(ADMIN_PASSWORD);
        let login = Login { user: ADMIN, password: Some(&password), dbname: "postgres" };
        Session::open(&self.endpoint(), &login, Timeouts::default()).await.unwrap()
    }

    /// An administrator who may install extensions: before 13 only a superuser may.
    pub async fn extension_admin(&self) -> Session {
        let admin = self.admin().await;
        if admin.version_num() >= 130_000 { admin } else { self.superuser("postgres").await.unwrap() }
    }

    pub async fn login(&self, user: &str, password: &Password, dbname: &str) -> Result<Session, SqlError> {
        let login = Login { user, password: Some(password), dbname };
        Session::open(&self.endpoint(), &login, Timeouts::default()).await
    }

    /// Everything the server has logged, all statements included.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap()
    }
}

/// PostgreSQL refuses to run as root, and CI runs as root.
fn unprivileged() -> Option<(Uid, Gid)> {
    if !Uid::effective().is_root() {
        return None;
    }
    let account = User::from_name("postgres").unwrap().or(User::from_name("nobody").unwrap()).unwrap();
    Some((account.uid, account.gid))
}

fn command(program: &Path, account: Option<(Uid, Gid)>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).env("LC_ALL", "C.UTF-8");
    if let Some((uid, gid)) = account {
        command.uid(uid.as_raw()).gid(gid.as_raw());
    }
    command
}

/// `HCPG_TEST_POSTGRES_BIN`, else the newest of Debian's, else the search path.
fn bin(program: &str) -> PathBuf {
    if let Some(directory) = std::env::var_os("HCPG_TEST_POSTGRES_BIN") {
        return Path::new(&directory).join(program);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    newest.map_or(PathBuf::from(program), |version| {
        PathBuf::from(format!("/usr/lib/postgresql/{version}/bin/{program}"))
    })
}

/// A CA, and a certificate and key for 127.0.0.1 issued by it. rustls takes no CA as a server's own certificate.
fn certificates() -> (String, String, String) {
    let mut ca = CertificateParams::new(Vec::<String>::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(rcgen::DnType::CommonName, "test CA");
    let ca_key = KeyPair::generate().unwrap();
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    (ca_pem, certificate.pem(), key.serialize_pem())
}
