//! Programs of a version with extensions as a cloud has them.
//!
//! Whether somebody who is no superuser may create an extension stands in its control file (`trusted`, from PostgreSQL 13
//! on), and clouds say yes to more than PostgreSQL does. Files are shared with the installed version by hard links; those
//! that differ are written anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Error;
use super::install::{Account, Install, run};
use crate::home;

/// From this version on there is `trusted`.
const TRUST: u32 = 13;
/// A language that reaches the machine stays with the superuser, in every cloud.
const NEVER: [&str; 5] = ["plperlu", "plpython3u", "pltclu", "file_fdw", "adminpack"];

/// The programs; as they are installed if their extensions lie elsewhere, as in Debian's packages.
pub(super) fn added(
    install: &Install,
    account: Account,
    name: &str,
    stand_ins: &[&str],
) -> Result<PathBuf, Error> {
    let whole = install.bin.parent().unwrap_or(&install.bin);
    let inside = ["share/postgresql/extension", "share/extension"];
    let Some(inside) = inside.iter().find(|inside| whole.join(inside).is_dir()) else {
        return account.reachable(install);
    };
    if install.major < TRUST {
        return account.reachable(install);
    }
    let home = home::folder().map_err(Error::io("make", "a temporary folder"))?;
    let copy = home.join(format!("postgresql-{}-{name}", install.major));
    if copy.exists() {
        return Ok(copy.join("bin"));
    }
    // Of an attempt that failed; a link does not reach another file system, a copy does.
    let new = home.join(format!("postgresql-{}-{name}.new", install.major));
    let with = |how: &str| {
        let _ = fs::remove_dir_all(&new);
        run("cp", Command::new("cp").args([how, "--"]).arg(whole).arg(&new))
    };
    with("-rlL").or_else(|_| with("-rL"))?;
    let folder = new.join(inside);
    for entry in fs::read_dir(&folder).map_err(Error::io("read", &folder))?.flatten() {
        trust(&entry.path())?;
    }
    for name in stand_ins {
        stand_in(&folder, name)?;
    }
    fs::rename(&new, &copy).map_err(Error::io("write", &copy))?;
    Ok(copy.join("bin"))
}

fn trust(file: &Path) -> Result<(), Error> {
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    if file.extension().is_none_or(|kind| kind != "control") || NEVER.contains(&name) {
        return Ok(());
    }
    let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
    if text.lines().any(|line| line.trim_start().starts_with("trusted")) {
        return Ok(());
    }
    // It is a hard link: removed first, so that the installed file stays as it is.
    fs::remove_file(file).map_err(Error::io("remove", file))?;
    fs::write(file, text + "\ntrusted = true\n").map_err(Error::io("write", file))
}

fn stand_in(folder: &Path, name: &str) -> Result<(), Error> {
    let control = folder.join(format!("{name}.control"));
    if control.exists() {
        return Ok(());
    }
    let text = "comment = 'empty, of a simulated cloud'\ndefault_version = '1.0'\nrelocatable = true\ntrusted = true\n";
    fs::write(&control, text).map_err(Error::io("write", &control))?;
    let script = folder.join(format!("{name}--1.0.sql"));
    fs::write(&script, "-- nothing\n").map_err(Error::io("write", &script))
}
