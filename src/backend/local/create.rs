//! Making a server.
//!
//! Everything is built in a staging folder and becomes the server by one rename. A crash before the rename leaves
//! nothing that counts, a crash after it leaves a complete server that is merely stopped, with the right password.

use std::fs;
use std::sync::Arc;

use jiff::Timestamp;

use crate::failpoints;
use crate::fence;
use crate::secrets::Password;

use super::super::Owner;
use super::account::{Account, run};
use super::bootstrap_sql;
use super::conf::{self, Parameters, SUPERUSER};
use super::error::LocalError;
use super::install::Install;
use super::layout::{Cluster, exists, make_folder, remove_tree, rename};
use super::ports::Allocation;
use super::process;
use super::record::Record;
use super::tasks::Claim;
use super::{Local, tls};

pub(super) const CREATE: &str = "create";

/// What a new server is made from.
pub(super) struct Plan {
    pub(super) identity: String,
    pub(super) owner: Owner,
    pub(super) version: Option<String>,
    pub(super) storage_gb: Option<u64>,
    pub(super) parameters: Parameters,
    pub(super) password: Password,
}

impl Local {
    /// Accepts the request: everything that can be refused is refused here; the rest goes on in the background.
    pub(super) fn create(self: &Arc<Self>, plan: Plan) -> Result<(), LocalError> {
        let cluster = self.layout.cluster(&plan.identity);
        let claim = match Claim::take(cluster.key(), &plan.owner, CREATE) {
            Ok(claim) => claim,
            Err(work) if work.owner != plan.owner => {
                return Err(LocalError::Conflict {
                    message: format!(
                        "the local server {} is being used by the PostgreSQLServer {}/{}",
                        plan.identity, work.owner.namespace, work.owner.name
                    ),
                });
            }
            Err(work) if work.operation == CREATE => return Ok(()),
            Err(work) => return Err(LocalError::Busy { operation: work.operation }),
        };
        if self.is_there(&cluster, &plan, &claim)? {
            claim.leave();
            return Ok(());
        }
        let account = Account::resolve(&self.config.run_as_user)?;
        let install = self.installs.choose(plan.version.as_deref())?.clone();
        self.make_root()?;
        account.must_reach(&self.layout.root, &install.program("initdb"))?;
        self.layout.sweep()?;
        let staging = self.layout.staging(&plan.identity);
        process::kill_leftovers(&staging)?;
        remove_tree(&staging.folder)?;
        let record = self.stage(&staging, &plan, &install)?;
        let local = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let built = local.build(&staging, &cluster, record, &plan, &install, &account);
            match built {
                Ok(()) => {
                    tracing::info!(server = %plan.identity, "local server created");
                    drop(claim);
                }
                Err(error) => {
                    tracing::warn!(server = %plan.identity, %error, "local server not created");
                    claim.fail(error.to_string());
                }
            }
        });
        Ok(())
    }

    /// Whether the server exists already. A shell without data is removed on the way.
    fn is_there(&self, cluster: &Cluster, plan: &Plan, claim: &Claim) -> Result<bool, LocalError> {
        let has_data = exists(&cluster.pgdata())?;
        match Record::read(cluster)? {
            None if has_data => {
                return Err(LocalError::Conflict { message: self.unmarked(cluster) });
            }
            Some(record) if !record.belongs_to(&plan.identity, &plan.owner) => {
                return Err(LocalError::Conflict { message: record.whose() });
            }
            // It never took a connection, and this process saw it fail.
            Some(record) if has_data && (record.was_available || claim.previous.is_none()) => {
                return Ok(true);
            }
            _ => {}
        }
        if exists(&cluster.folder)? {
            self.discard(cluster, &plan.identity)?;
        }
        Ok(false)
    }

    fn make_root(&self) -> Result<(), LocalError> {
        let root = &self.layout.root;
        if exists(root)? {
            return Ok(());
        }
        if let Some(parent) = root.parent() {
            fs::create_dir_all(parent).map_err(LocalError::io("make the folder", parent))?;
        }
        make_folder(root, 0o755, None)
    }

    /// Chooses the port and writes it down.
    fn stage(&self, staging: &Cluster, plan: &Plan, install: &Install) -> Result<Record, LocalError> {
        let config = &self.config;
        let allocation = Allocation::lock(&self.layout)?;
        let port = allocation.port(&self.layout, config.address, config.port_first, config.port_last)?;
        let record = Record {
            identity: plan.identity.clone(),
            namespace: plan.owner.namespace.clone(),
            name: plan.owner.name.clone(),
            owner_uid: plan.owner.uid.clone(),
            port,
            version: install.major,
            admin_username: config.admin_username.clone(),
            created_at: Timestamp::now().as_millisecond(),
            storage_gb: plan.storage_gb,
            shared_buffers_mb: None,
            memory_mb: None,
            restarted_for: None,
            was_available: false,
            left: false,
        };
        make_folder(&staging.folder, 0o755, None)?;
        record.write(staging)?;
        Ok(record)
    }

    fn build(
        &self,
        staging: &Cluster,
        cluster: &Cluster,
        mut record: Record,
        plan: &Plan,
        install: &Install,
        account: &Account,
    ) -> Result<(), LocalError> {
        make_folder(&staging.pgdata(), 0o700, Some(account))?;
        make_folder(&staging.socket(), 0o700, Some(account))?;
        initialise(staging, install, account)?;
        failpoints::done("local initdb");
        let sql = bootstrap_sql::bootstrap(&record.admin_username, &plan.password, install.major);
        run_alone(staging, install, account, &sql)?;
        failpoints::done("local bootstrap");
        conf::check_parameters(staging, &plan.parameters, install, account)?;
        conf::write_parameters(staging, &plan.parameters, account)?;
        conf::write(staging, cluster, &record, self.config.address, account)?;
        {
            // Two first servers must not make two authorities.
            let _one_at_a_time = Allocation::lock(&self.layout)?;
            tls::issue(&self.layout, staging, self.config.address, account)?;
        }
        rename(&staging.folder, &cluster.folder)?;
        process::start(cluster, record.port, install, account)?;
        record.was_available = true;
        record.write(cluster)
    }
}

/// Makes the data folder. The superuser has no password: it logs in over the socket only.
fn initialise(staging: &Cluster, install: &Install, account: &Account) -> Result<(), LocalError> {
    let failed = match initdb(staging, install, account, "C.UTF-8")? {
        None => return Ok(()),
        Some(message) if message.contains("locale") => initdb(staging, install, account, "C")?,
        other => other,
    };
    failed.map_or(Ok(()), |message| Err(LocalError::Tool { tool: "initdb", message }))
}

fn initdb(
    staging: &Cluster,
    install: &Install,
    account: &Account,
    locale: &str,
) -> Result<Option<String>, LocalError> {
    let program = install.program("initdb");
    let mut command = account.command(&program, &staging.folder);
    command
        .args(["--auth-host=scram-sha-256", "--auth-local=peer", "--encoding=UTF8", "--data-checksums"])
        .args([format!("--locale={locale}"), format!("--username={SUPERUSER}")])
        .arg("-D")
        .arg(staging.pgdata());
    fence::pass_blocking();
    let finished = run(command, None, process::TOOL_LIMIT).map_err(LocalError::io("run", &program))?;
    Ok((!finished.success).then(|| process::complaint(&finished.stderr)))
}

/// Runs statements without a server: no socket, no port, nobody else can connect meanwhile.
fn run_alone(
    staging: &Cluster,
    install: &Install,
    account: &Account,
    statements: &str,
) -> Result<(), LocalError> {
    let program = install.program("postgres");
    let mut command = account.command(&program, &staging.folder);
    command.arg("--single").arg("-D").arg(staging.pgdata());
    for setting in ["exit_on_error=true", "log_statement=none", "log_min_error_statement=panic"] {
        command.args(["-c", setting]);
    }
    command.arg("postgres");
    fence::pass_blocking();
    let finished = run(command, Some(statements.as_bytes()), process::TOOL_LIMIT)
        .map_err(LocalError::io("run", &program))?;
    if finished.success {
        return Ok(());
    }
    Err(LocalError::Tool { tool: "postgres --single", message: process::complaint(&finished.stderr) })
}
