//! Certificates that are trusted besides the known ones.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Why a backend on AWS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AwsConfigError {
    /// The file cannot be read.
    #[error("extra_ca_file: {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It holds something else than certificates, or nothing.
    #[error("extra_ca_file: {path}: expected certificates in PEM format")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
}

/// The certificates of the file, as PEM; none where no file is named.
///
/// # Errors
/// When it cannot be read, or holds none.
pub(super) fn read(path: Option<&Path>) -> Result<Option<String>, AwsConfigError> {
    let Some(path) = path else { return Ok(None) };
    let unreadable = |error| AwsConfigError::Unreadable { path: path.to_owned(), error };
    let pem = std::fs::read_to_string(path).map_err(unreadable)?;
    // All of them: a client that is given one that it cannot read does not start.
    let mut roots = RootCertStore::empty();
    let sound = CertificateDer::pem_slice_iter(pem.as_bytes())
        .all(|one| one.is_ok_and(|certificate| roots.add(certificate).is_ok()));
    if sound && !roots.is_empty() {
        return Ok(Some(pem));
    }
    Err(AwsConfigError::NoCertificate { path: path.to_owned() })
}
