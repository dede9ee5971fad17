//! Which file lies where, and how files are written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown, lchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::fence;

use super::account::Account;
use super::error::LocalError;
use crate::failpoints;

const STAGING: &str = ".creating-";
const DOOMED: &str = ".deleting-";

/// The folder with everything.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// `backends.local.data_dir`.
    pub(super) root: PathBuf,
}

impl Layout {
    pub(super) fn cluster(&self, identity: &str) -> Cluster {
        Cluster { folder: self.root.join(short_id(identity)) }
    }

    /// Where a cluster is built. Nothing ever runs or is read from here.
    pub(super) fn staging(&self, identity: &str) -> Cluster {
        Cluster { folder: self.root.join(format!("{STAGING}{}", short_id(identity))) }
    }

    /// Where a cluster goes to be removed.
    pub(super) fn doomed(&self, identity: &str, millis: i64) -> PathBuf {
        self.root.join(format!("{DOOMED}{}-{millis}", short_id(identity)))
    }

    pub(super) fn authority(&self) -> PathBuf {
        self.root.join("ca")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join(".lock")
    }

    /// All clusters, those being built included.
    pub(super) fn clusters(&self) -> Result<Vec<Cluster>, LocalError> {
        Ok(self
            .entries()?
            .into_iter()
            .filter(|(name, _)| !name.starts_with(DOOMED))
            .map(|(_, c)| c)
            .collect())
    }

    /// Removes what interrupted deletions left behind. Their servers were stopped before they got that name.
    pub(super) fn sweep(&self) -> Result<(), LocalError> {
        for (_, cluster) in self.entries()?.into_iter().filter(|(name, _)| name.starts_with(DOOMED)) {
            remove_tree(&cluster.folder)?;
        }
        Ok(())
    }

    /// Where clusters were being built.
    pub(super) fn stagings(&self) -> Result<Vec<Cluster>, LocalError> {
        let entries = self.entries()?.into_iter();
        Ok(entries.filter(|(name, _)| name.starts_with(STAGING)).map(|(_, cluster)| cluster).collect())
    }

    fn entries(&self) -> Result<Vec<(String, Cluster)>, LocalError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(LocalError::io("read", &self.root)(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(LocalError::io("read", &self.root))?;
            let kind = entry.file_type().map_err(LocalError::io("read", &self.root))?;
            if kind.is_dir() {
                found.push((
                    entry.file_name().to_string_lossy().into_owned(),
                    Cluster { folder: entry.path() },
                ));
            }
        }
        Ok(found)
    }
}

/// One server's folder.
///
/// It belongs to the operator; only what PostgreSQL itself must write belongs to the user it runs as.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
}

impl Cluster {
    pub(super) fn pgdata(&self) -> PathBuf {
        self.folder.join("pgdata")
    }

    pub(super) fn tls(&self) -> PathBuf {
        self.folder.join("tls")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    pub(super) fn record(&self) -> PathBuf {
        self.folder.join("server.json")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    pub(super) fn parameters(&self) -> PathBuf {
        self.pgdata().join("hcpg.conf")
    }

    /// There while the server may not have read [`Self::parameters`] yet: what it read before.
    pub(super) fn parameters_before(&self) -> PathBuf {
        self.folder.join("parameters-before.conf")
    }

    /// Key of the registry of running work.
    pub(super) fn key(&self) -> &Path {
        &self.folder
    }
}

/// Twelve hexadecimal digits that stand for a name: the path of a Unix socket may have 107 bytes only.
///
/// FNV-1a: stable for ever and without a dependency. Two names with one id are recognised by `server.json`, like two
/// objects with one name, so the hash need not resist attacks.
pub(super) fn short_id(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:012x}", (hash ^ (hash >> 48)) & 0xffff_ffff_ffff)
}

/// Makes a folder with exactly this mode, whatever the umask; it may be there already.
pub(super) fn make_folder(path: &Path, mode: u32, owner: Option<&Account>) -> Result<(), LocalError> {
    fence::pass_blocking();
    match fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(LocalError::io("make the folder", path)(error)),
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(LocalError::io("set the mode of", path))?;
    if let Some(account) = owner.filter(|account| account.switch) {
        lchown(path, Some(account.uid), Some(account.gid))
            .map_err(LocalError::io("change the owner of", path))?;
    }
    failpoints::done("local folder made");
    Ok(())
}

/// Writes a file so that after a crash either the old or the new content is there, never half of it.
pub(super) fn write_atomic(
    path: &Path,
    content: &[u8],
    mode: u32,
    owner: Option<&Account>,
) -> Result<(), LocalError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let unique = format!(".tmp-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(unique);
    let temporary = path.with_file_name(name);
    fence::pass_blocking();
    let written = write_new(&temporary, content, mode, owner).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // The temporary file is of no use; that it may stay behind is the smaller evil.
        let _ = fs::remove_file(&temporary);
        return Err(LocalError::io("write", path)(error));
    }
    path.parent().map_or(Ok(()), sync_folder)?;
    failpoints::done(&format!("local file {}", path.file_name().unwrap_or_default().display()));
    Ok(())
}

/// `create_new` follows no symbolic link, so nobody can lead a root operator elsewhere.
fn write_new(path: &Path, content: &[u8], mode: u32, owner: Option<&Account>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    if let Some(account) = owner.filter(|account| account.switch) {
        fchown(&file, Some(account.uid), Some(account.gid))?;
    }
    file.sync_all()
}

/// Renames and makes the rename survive a power failure.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), LocalError> {
    fence::pass_blocking();
    fs::rename(from, to).map_err(LocalError::io("rename", from))?;
    to.parent().map_or(Ok(()), sync_folder)?;
    failpoints::done("local folder renamed");
    Ok(())
}

fn sync_folder(path: &Path) -> Result<(), LocalError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(LocalError::io("sync", path))
}

/// Removes a folder with everything in it; it may be gone already.
pub(super) fn remove_tree(path: &Path) -> Result<(), LocalError> {
    fence::pass_blocking();
    match fs::remove_dir_all(path) {
        Ok(()) => failpoints::done("local folder removed"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(LocalError::io("remove", path)(error)),
    }
    Ok(())
}

/// Whether something of that name is there; an error is an error, never "no".
pub(super) fn exists(path: &Path) -> Result<bool, LocalError> {
    path.try_exists().map_err(LocalError::io("look for", path))
}
