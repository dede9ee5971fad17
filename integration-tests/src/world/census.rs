//! What there is exactly once, and what must not be left over.

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, ListParams};

use super::{Story, done};
use crate::operator::OPERATOR_NAMESPACE;

impl Story<'_> {
    /// One folder and one postmaster for the server, one role and one database for each name, and logins that work:
    /// `secrets` are the credentials Secrets, and the only Secrets of the namespace. No password is pending.
    pub async fn exactly_one_of_each(&self, server: &str, databases: &[&str], secrets: &[&str]) {
        let local = self.local_server(server);
        let mine = |path: &PathBuf| {
            let record = std::fs::read_to_string(path.join("server.json")).unwrap_or_default();
            record.contains(&format!("\"{}\"", self.namespace))
        };
        let folders: Vec<PathBuf> = self.folders().into_iter().filter(mine).collect();
        assert_eq!(folders, [local.folder()]);
        assert_eq!(self.unfinished_folders(), Vec::<PathBuf>::new());
        assert_eq!(postmasters(local.folder()), 1);

        let mut administrator = None;
        for secret in secrets {
            let credentials = self.credentials(secret).await;
            drop(done(credentials.connect().await));
            administrator.get_or_insert(credentials.username);
        }
        let superuser = done(local.superuser("postgres").await);
        let list = async |query: &str| -> Vec<String> {
            let rows = done(superuser.query(query, &[]).await);
            let mut names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            names.sort();
            names
        };
        let mut roles = databases.to_vec();
        roles.extend(administrator.as_deref());
        roles.push("hcpg_superuser");
        roles.sort_unstable();
        assert_eq!(list("SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_'").await, roles);
        let mut present = [databases, &["postgres"]].concat();
        present.sort_unstable();
        assert_eq!(list("SELECT datname::text FROM pg_database WHERE NOT datistemplate").await, present);
        assert_eq!(self.pending_passwords().await, Vec::<String>::new());
    }

    /// Neither server nor Secret nor a password on its way.
    pub async fn nothing_is_left(&self, server: &str) {
        assert!(!self.has_local_server(server));
        assert_eq!(self.unfinished_folders(), Vec::<PathBuf>::new());
        assert_eq!(self.pending_passwords().await, Vec::<String>::new());
        assert_eq!(names(&self.secrets()).await, Vec::<String>::new());
    }

    /// The pending passwords, of whatever object.
    pub async fn pending_passwords(&self) -> Vec<String> {
        let mut found = names(&Api::namespaced(self.client.clone(), OPERATOR_NAMESPACE)).await;
        found.retain(|name| name.starts_with("hcpg-pending-"));
        found
    }

    fn folders(&self) -> Vec<PathBuf> {
        let entries = done(std::fs::read_dir(self.world.operator.data_dir()));
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }

    /// Where servers are being built, or were on their way out.
    pub fn unfinished_folders(&self) -> Vec<PathBuf> {
        let is_hidden =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        self.folders().into_iter().filter(is_hidden).collect()
    }
}

async fn names(secrets: &Api<Secret>) -> Vec<String> {
    done(secrets.list(&ListParams::default()).await).iter().map(ResourceExt::name_any).collect()
}

/// How many servers run on the data in this folder.
pub fn postmasters(folder: &Path) -> usize {
    let data = folder.join("pgdata").display().to_string();
    let is_one = |arguments: &str| {
        let arguments: Vec<&str> = arguments.split('\0').collect();
        arguments.first().is_some_and(|program| program.ends_with("/postgres"))
            && arguments.contains(&data.as_str())
    };
    let processes = done(std::fs::read_dir("/proc")).flatten();
    let found: Vec<(String, String)> = processes
        .filter(|process| {
            std::fs::read_to_string(process.path().join("cmdline")).is_ok_and(|arguments| is_one(&arguments))
        })
        .map(|process| (process.file_name().to_string_lossy().into_owned(), parent(&process.path())))
        .collect();
    // A child of a postmaster bears its parent's command line until it has set its own title.
    found.iter().filter(|(_, parent)| !found.iter().any(|(pid, _)| pid == parent)).count()
}

/// The parent of a process; empty when it has ended meanwhile.
fn parent(process: &Path) -> String {
    let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    line.unwrap_or_default().trim().to_owned()
}
