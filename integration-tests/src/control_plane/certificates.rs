//! The control plane's keys and certificates: one CA, the API server's certificate, the admin's, and the key that
//! signs ServiceAccount tokens.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::error::Error;

/// The names under which the API server is reached: loopback, and what clients inside a cluster use.
const API_SERVER_NAMES: [&str; 7] = [
    "127.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    // The first address of `servers::SERVICE_RANGE`.
    "10.96.0.1",
];

/// The files that `create` leaves in a control plane's folder.
pub(super) struct Files {
    pub ca: PathBuf,
    pub server: PathBuf,
    pub server_key: PathBuf,
    pub admin: PathBuf,
    pub admin_key: PathBuf,
    pub tokens_key: PathBuf,
    pub tokens_public: PathBuf,
}

impl Files {
    pub fn in_folder(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        Self {
            ca: file("ca.crt"),
            server: file("server.crt"),
            server_key: file("server.key"),
            admin: file("admin.crt"),
            admin_key: file("admin.key"),
            tokens_key: file("service-accounts.key"),
            tokens_public: file("service-accounts.pub"),
        }
    }
}

/// Makes all keys and certificates anew.
///
/// A CA and separate leaf certificates, because rustls refuses a server that shows a CA certificate as its own.
pub(super) fn create(folder: &Path) -> Result<Files, Error> {
    let files = Files::in_folder(folder);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "control plane of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    write(&files.ca, &ca.pem())?;

    let mut server = CertificateParams::new(API_SERVER_NAMES.map(str::to_owned))?;
    server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    issue(server, &ca, &files.server, &files.server_key)?;

    // Kubernetes takes the common name for the user and the organisations for the groups.
    let mut admin = CertificateParams::default();
    admin.distinguished_name.push(DnType::CommonName, "admin");
    admin.distinguished_name.push(DnType::OrganizationName, "system:masters");
    admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    issue(admin, &ca, &files.admin, &files.admin_key)?;

    let tokens = KeyPair::generate()?;
    write(&files.tokens_key, &tokens.serialize_pem())?;
    write(&files.tokens_public, &tokens.public_key_pem())?;
    Ok(files)
}

fn issue(
    mut params: CertificateParams,
    ca: &CertifiedIssuer<'_, KeyPair>,
    certificate: &Path,
    key_file: &Path,
) -> Result<(), Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    write(certificate, &params.signed_by(&key, ca)?.pem())?;
    write(key_file, &key.serialize_pem())
}

/// Writes a file that only its owner may read.
pub(super) fn write(path: &Path, content: &str) -> Result<(), Error> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(Error::io("writing", path))
}
