//! PostgreSQL's JDBC driver: `jdbc/fetch.sh` finds or fetches it, and a JDK.

use std::path::{Path, PathBuf};

use crate::fetched::{NotToBeHad, fetch};

/// The archive of the driver; `java` is there as well then.
///
/// # Errors
/// Without a network, or where JDK or Maven are missing and may not be installed.
pub fn driver() -> Result<PathBuf, NotToBeHad> {
    fetch("PostgreSQL's JDBC driver", "jdbc/fetch.sh", &[], |said| {
        let path = PathBuf::from(said.trim_end());
        path.is_file().then_some(path)
    })
}

/// The program that logs in with each URL it reads; `java -cp <driver> <this>` runs it from its source.
pub fn login_program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("jdbc/Login.java")
}
