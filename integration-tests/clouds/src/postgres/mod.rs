//! Real PostgreSQL servers that stand behind the servers of a simulated cloud.
//!
//! Each is a postmaster of the asked major version (or the nearest that is installed) on a loopback address of its own,
//! port 5432, with TLS and an administrator that is not a superuser. They end with this process, however it ends.

mod address;
mod authority;
mod carry;
mod error;
mod extensions;
mod files;
mod flavour;
mod install;
mod server;
mod settings;
mod template;

pub use address::{Address, PORT};
pub use authority::Authorities;
pub use carry::carry_over;
pub use error::Error;
pub use flavour::{Admin, Flavour, Parameters, name, text};
pub use install::{Install, installs, nearest};
pub use server::Server;
pub use settings::{Setting, Settings};

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::home;
use install::Account;

/// Where the servers of one simulated cloud come from. Clones are the same pool.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    account: Account,
    flavour: &'static Flavour,
    authorities: Arc<Authorities>,
    made: AtomicU32,
}

impl Pool {
    /// A pool with certificate authorities of its own.
    pub fn new(flavour: &'static Flavour, authorities: &[&str]) -> Result<Self, Error> {
        Self::with(flavour, Arc::new(Authorities::new(authorities)?))
    }

    /// A pool of another flavour with the same authorities.
    pub fn beside(&self, flavour: &'static Flavour) -> Result<Self, Error> {
        Self::with(flavour, self.0.authorities.clone())
    }

    fn with(flavour: &'static Flavour, authorities: Arc<Authorities>) -> Result<Self, Error> {
        if installs().is_empty() {
            return Err(Error::NoPostgres);
        }
        let account = Account::resolve()?;
        let home = home::folder().map_err(Error::io("make", "a temporary folder"))?;
        let folder = tempfile::Builder::new()
            .prefix("p")
            .rand_bytes(4)
            .tempdir_in(&home)
            .map_err(Error::io("make a folder in", &home))?
            .keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
            .map_err(Error::io("close", &folder))?;
        account.own(&folder)?;
        Ok(Self(Arc::new(Inner { folder, account, flavour, authorities, made: AtomicU32::new(0) })))
    }

    /// The certificate authorities.
    #[must_use]
    pub fn authorities(&self) -> &Authorities {
        &self.0.authorities
    }

    /// The parameters that the version knows which stands in for this major one. Blocks for a second or two at the
    /// first call.
    pub fn settings(&self, major: u32) -> Result<Arc<Settings>, Error> {
        settings::settings(&nearest(major)?, self.0.flavour, self.0.account)
    }

    fn flavour(&self) -> &'static Flavour {
        self.0.flavour
    }

    /// A folder for one more server.
    fn place(&self) -> PathBuf {
        self.0.folder.join(format!("s{}", self.0.made.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // What is left goes with the process.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
