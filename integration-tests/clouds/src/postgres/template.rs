//! Data folders as `initdb` makes them, made once per process and version, and copied from then on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::error::Error;
use super::extensions;
use super::flavour::Flavour;
use super::install::{Account, Install, run};
use crate::home;

/// Programs and data folder of one version.
#[derive(Clone)]
pub(super) struct Template {
    pub(super) bin: PathBuf,
    data: PathBuf,
}

static TEMPLATES: Mutex<BTreeMap<(u32, &'static str), Template>> = Mutex::new(BTreeMap::new());

/// The template of a version for servers of this flavour. Blocks for a second or two at the first call.
pub(super) fn template(install: &Install, flavour: &Flavour, account: Account) -> Result<Template, Error> {
    let owner = flavour.owner;
    // Held while it is made: whoever comes meanwhile wants the same.
    let mut templates = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = templates.get(&(install.major, owner)) {
        return Ok(template.clone());
    }
    let bin = match flavour.extensions {
        Some(stand_ins) => extensions::added(install, account, owner, stand_ins)?,
        None => account.reachable(install)?,
    };
    let home = home::folder().map_err(Error::io("make", "a temporary folder"))?;
    let folder = home.join(format!("template-{}-{owner}", install.major));
    fs::create_dir_all(&folder).map_err(Error::io("make", &folder))?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(Error::io("close", &folder))?;
    account.own(&folder)?;
    let data = folder.join("data");
    // Of an attempt that failed.
    let _ = fs::remove_dir_all(&data);
    run(
        "initdb",
        account
            .command(&bin.join("initdb"), &folder)
            .arg("-D")
            .arg(&data)
            .args(["-U", owner, "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"])
            // A third of what every server copies would be the first segment of its log.
            .args(["--wal-segsize", "1"])
            .args(["--auth-local", "trust", "--auth-host", "reject"]),
    )?;
    let template = Template { bin, data };
    templates.insert((install.major, owner), template.clone());
    Ok(template)
}

impl Template {
    /// Copies the data folder.
    pub(super) fn copy(&self, to: &Path, account: Account) -> Result<(), Error> {
        let folder = to.parent().unwrap_or(to);
        let mut command: Command = account.command(Path::new("cp"), folder);
        run("cp", command.args(["-a", "--reflink=auto", "--"]).arg(&self.data).arg(to))
    }
}
