//! The parameters that a version of PostgreSQL knows, asked from itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use super::error::Error;
use super::flavour::Flavour;
use super::install::{Account, Install};
use super::template::template;
use crate::home;

/// One row of `pg_settings`.
#[derive(Clone, Debug, Deserialize)]
pub struct Setting {
    /// For example `work_mem`.
    pub name: String,
    /// Who may change it when: `internal`, `postmaster`, `sighup`, …
    pub context: String,
    /// `bool`, `integer`, `real`, `string`, `enum`.
    pub vartype: String,
    /// Of a plain number, for example `kB`.
    pub unit: Option<String>,
    /// The least number.
    pub min_val: Option<String>,
    /// The greatest number.
    pub max_val: Option<String>,
    /// The words that it takes.
    pub enumvals: Option<Vec<String>>,
    /// The built-in default.
    pub boot_val: Option<String>,
    /// What it is for.
    pub short_desc: Option<String>,
}

/// Name → setting.
pub type Settings = BTreeMap<String, Setting>;

static KNOWN: Mutex<BTreeMap<u32, Arc<Settings>>> = Mutex::new(BTreeMap::new());

const QUERY: &str = "SELECT jsonb_agg(to_jsonb(s)) FROM (SELECT name, context, vartype, unit, min_val, max_val, \
                     enumvals, boot_val, short_desc FROM pg_settings) s\n";

/// Of one version, once per process. Blocks for a second or two at the first call.
pub(super) fn settings(
    install: &Install,
    flavour: &Flavour,
    account: Account,
) -> Result<Arc<Settings>, Error> {
    // Held while it asks: whoever comes meanwhile wants the same.
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(settings) = known.get(&install.major) {
        return Ok(settings.clone());
    }
    let template = template(install, flavour, account)?;
    let home = home::folder().map_err(Error::io("make", "a temporary folder"))?;
    // PostgreSQL writes to it, and the template is being copied.
    let folder = home.join(format!("settings-{}", install.major));
    fs::create_dir_all(&folder).map_err(Error::io("make", &folder))?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(Error::io("close", &folder))?;
    account.own(&folder)?;
    let data = folder.join("data");
    template.copy(&data, account)?;
    let program = template.bin.join("postgres");
    let mut child = account
        .command(&program, &folder)
        .args(["--single", "-D"])
        .arg(&data)
        .arg("postgres")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::io("start", &program))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(QUERY.as_bytes()).map_err(Error::io("ask", &program))?;
    }
    let finished = child.wait_with_output().map_err(Error::io("run", &program))?;
    let _ = fs::remove_dir_all(&folder);
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    let settings = Arc::new(parse(&said).ok_or_else(|| Error::Program {
        program: "postgres --single",
        output: said + &String::from_utf8_lossy(&finished.stderr),
    })?);
    known.insert(install.major, settings.clone());
    Ok(settings)
}

/// A single user's PostgreSQL prints each value as `1: name = "value"\t(typeid = …)`.
fn parse(said: &str) -> Option<Settings> {
    let (_, value) = said.split_once(" = \"")?;
    let (value, _) = value.rsplit_once("\"\t(typeid")?;
    let rows: Vec<Setting> = serde_json::from_str(value).ok()?;
    Some(rows.into_iter().map(|row| (row.name.clone(), row)).collect())
}
