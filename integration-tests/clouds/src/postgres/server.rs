//! One PostgreSQL server.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::address::{Address, PORT};
use super::error::Error;
use super::flavour::{Admin, Parameters, name, text};
use super::template::{Template, template};
use super::{Pool, files, nearest};

/// Generous: machines that test are busy.
const START: Duration = Duration::from_secs(90);
const STOP: Duration = Duration::from_secs(20);
const STATEMENT: Duration = Duration::from_secs(60);

/// A PostgreSQL server; ends when it is dropped.
pub struct Server {
    pool: Pool,
    folder: PathBuf,
    template: Template,
    addresses: Arc<Vec<Address>>,
    asked: u32,
    major: u32,
    authority: Mutex<String>,
    process: Mutex<Option<Child>>,
    /// Held by whoever starts it: a change and the service itself may do so at the same time.
    starting: tokio::sync::Mutex<()>,
}

impl Server {
    /// Makes a server at this address and starts it. Ready for logins when this returns.
    pub async fn create(
        pool: &Pool,
        address: Address,
        authority: &str,
        admin: Admin,
        parameters: &Parameters,
    ) -> Result<Self, Error> {
        Self::create_at(pool, Arc::new(vec![address]), authority, admin, parameters).await
    }

    /// As `create`, at several addresses; the first one is its name.
    pub async fn create_at(
        pool: &Pool,
        addresses: Arc<Vec<Address>>,
        authority: &str,
        admin: Admin,
        parameters: &Parameters,
    ) -> Result<Self, Error> {
        let server = Self::bare(pool, addresses, authority, admin.major, parameters).await?;
        let admin = Admin { major: server.major, ..admin };
        for statement in (pool.0.flavour.bootstrap)(&admin) {
            server.sql("postgres", &statement).await?;
        }
        Ok(server)
    }

    /// With the cloud's own role only.
    pub(super) async fn bare(
        pool: &Pool,
        addresses: Arc<Vec<Address>>,
        authority: &str,
        major: u32,
        parameters: &Parameters,
    ) -> Result<Self, Error> {
        if addresses.is_empty() {
            return Err(Error::NoAddress);
        }
        let install = nearest(major)?;
        let (account, flavour) = (pool.0.account, pool.0.flavour);
        let folder = pool.place();
        let template = {
            let (install, folder) = (install.clone(), folder.clone());
            blocking(move || {
                let template = template(&install, flavour, account)?;
                fs::create_dir_all(&folder).map_err(Error::io("make", &folder))?;
                fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
                    .map_err(Error::io("close", &folder))?;
                account.own(&folder)?;
                template.copy(&folder.join("data"), account)?;
                Ok(template)
            })
            .await?
        };
        let server = Self {
            pool: pool.clone(),
            folder,
            template,
            addresses,
            asked: major,
            major: install.major,
            authority: Mutex::new(authority.to_owned()),
            process: Mutex::new(None),
            starting: tokio::sync::Mutex::new(()),
        };
        server.write(parameters)?;
        server.start().await?;
        Ok(server)
    }

    /// Where it listens, with port 5432.
    #[must_use]
    pub fn ip(&self) -> Ipv4Addr {
        // `bare` refuses a server without an address.
        self.addresses.first().map_or(Ipv4Addr::LOCALHOST, Address::ip)
    }

    /// All of its addresses; they can be handed to the server that takes its place.
    #[must_use]
    pub fn addresses(&self) -> Arc<Vec<Address>> {
        self.addresses.clone()
    }

    /// The pool that it comes from.
    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The authority of its certificate.
    #[must_use]
    pub fn authority(&self) -> String {
        self.authority.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The major version that really runs.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The major version that was asked for.
    #[must_use]
    pub fn asked_major(&self) -> u32 {
        self.asked
    }

    /// Whether its process runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        let mut process = self.process();
        process.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Starts it and waits until it answers; nothing if it runs.
    pub async fn start(&self) -> Result<(), Error> {
        let _alone = self.starting.lock().await;
        if !self.runs() {
            let log = self.folder.join("log");
            let open = |log: &Path| OpenOptions::new().create(true).append(true).open(log);
            let file = open(&log).map_err(Error::io("open", &log))?;
            let again = file.try_clone().map_err(Error::io("open", &log))?;
            let program = self.template.bin.join("postgres");
            let child = self
                .pool
                .0
                .account
                .command(&program, &self.folder)
                .arg("-D")
                .arg(self.folder.join("data"))
                .stdout(Stdio::from(file))
                .stderr(Stdio::from(again))
                .spawn()
                .map_err(Error::io("start", &program))?;
            *self.process() = Some(child);
        }
        let deadline = Instant::now() + START;
        loop {
            match self.ask("postgres", "SELECT 1").await {
                Ok(_) => return Ok(()),
                Err(_) if self.runs() && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(_) => return Err(Error::Start { address: self.ip(), log: self.log() }),
            }
        }
    }

    /// Ends it in an orderly way, with its sessions.
    pub async fn stop(&self) -> Result<(), Error> {
        self.signal(Signal::SIGINT);
        let deadline = Instant::now() + STOP;
        while self.runs() {
            if Instant::now() > deadline {
                self.kill();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        *self.process() = None;
        Ok(())
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&self) {
        self.signal(Signal::SIGQUIT);
    }

    /// Writes its parameters. Takes effect with `reload` or with the next start, as PostgreSQL has it.
    pub fn write(&self, parameters: &Parameters) -> Result<(), Error> {
        let flavour = self.pool.0.flavour;
        let tls_only = (flavour.tls_only)(self.major, parameters);
        let addresses: Vec<Ipv4Addr> = self.addresses.iter().map(Address::ip).collect();
        let (certificate, key) = self.pool.0.authorities.issue(&self.authority(), &addresses)?;
        self.file("server.crt", &certificate)?;
        self.file("server.key", &key)?;
        self.file("hba.conf", &files::access(flavour, tls_only))?;
        self.file("parameters.conf", &files::parameters(parameters))?;
        self.file("data/postgresql.conf", &files::main(&self.folder, &addresses))
    }

    /// From the next `write` on its certificate comes from this authority.
    pub fn set_authority(&self, authority: &str) {
        authority.clone_into(&mut self.authority.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Has it read its files.
    pub fn reload(&self) {
        self.signal(Signal::SIGHUP);
    }

    /// Changes the password of a role.
    pub async fn set_password(&self, role: &str, password: &str) -> Result<(), Error> {
        self.sql("postgres", &format!("ALTER ROLE {} PASSWORD {}", name(role), text(password))).await
    }

    /// Runs statements as the cloud's own role.
    pub async fn sql(&self, database: &str, statements: &str) -> Result<(), Error> {
        self.ask(database, statements).await.map(drop)
    }

    /// Rows of the answers to statements that the cloud's own role runs.
    pub async fn ask(&self, database: &str, statements: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        let work = async { Ok::<_, Error>(self.client(database).await?.simple_query(statements).await?) };
        let answer = tokio::time::timeout(STATEMENT, work)
            .await
            .map_err(|_| Error::Sql(format!("no answer within {} s", STATEMENT.as_secs())))??;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        };
        Ok(answer.into_iter().filter_map(row).collect())
    }

    /// A session of the cloud's own role. It ends with the client.
    pub(super) async fn client(&self, database: &str) -> Result<tokio_postgres::Client, Error> {
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(&self.folder)
            .port(PORT)
            .user(self.pool.0.flavour.owner)
            .dbname(database)
            .connect(NoTls)
            .await?;
        // It ends when the client is dropped.
        tokio::spawn(connection);
        Ok(client)
    }

    /// The end of its log.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    fn file(&self, name: &str, content: &str) -> Result<(), Error> {
        let (path, new) = (self.folder.join(name), self.folder.join(format!("{name}.new")));
        let _ = fs::remove_file(&new);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .map_err(Error::io("write", &new))?;
        self.pool.0.account.own(&new)?;
        fs::rename(&new, &path).map_err(Error::io("write", path))
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = self.process().as_mut()
            && matches!(child.try_wait(), Ok(None))
            && let Ok(pid) = i32::try_from(child.id())
        {
            // It may have ended in between; it is not reaped yet, so nobody else has its number.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if let Some(mut child) = self.process().take() {
            let deadline = Instant::now() + Duration::from_secs(5);
            while matches!(child.try_wait(), Ok(None)) {
                if Instant::now() > deadline {
                    let _ = child.kill();
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Interrupted)?
}
