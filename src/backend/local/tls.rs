//! The backend's own certificate authority and the servers' certificates.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::account::Account;
use super::error::LocalError;
use super::layout::{Cluster, Layout, exists, make_folder, remove_tree, rename, write_atomic};

const AUTHORITY_NAME: &str = "hybrid-cloud-postgresql-operator local CA";

/// Writes the server's key and certificate, and beside them the authority that signed it. Called before every start:
/// a certificate is renewed by a restart, and a changed address finds its way in.
pub(super) fn issue(
    layout: &Layout,
    cluster: &Cluster,
    address: IpAddr,
    account: &Account,
) -> Result<(), LocalError> {
    let authority = layout.authority();
    make_authority(layout)?;
    let ca_pem = read(&authority.join("ca.pem"))?;
    let ca_key = KeyPair::from_pem(&read(&authority.join("ca.key"))?)?;
    // The issuer is the name and the key; both are the same at every start.
    let issuer = Issuer::new(authority_params()?, ca_key);

    let mut params = CertificateParams::new(vec![address.to_string(), "localhost".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    validity(&mut params, 10);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;

    let folder = cluster.tls();
    make_folder(&folder, 0o755, None)?;
    write_atomic(&folder.join("server.key"), key.serialize_pem().as_bytes(), 0o600, Some(account))?;
    write_atomic(&folder.join("server.crt"), certificate.pem().as_bytes(), 0o644, None)?;
    write_atomic(&folder.join("ca.pem"), ca_pem.as_bytes(), 0o644, None)
}

/// The authority that signed this server's certificate. The server's own copy: it stays true if the authority is lost.
pub(super) fn trusted(cluster: &Cluster) -> Result<String, LocalError> {
    read(&cluster.tls().join("ca.pem"))
}

/// Makes the authority once; key and certificate appear together or not at all.
fn make_authority(layout: &Layout) -> Result<(), LocalError> {
    let folder = layout.authority();
    if exists(&folder)? {
        return Ok(());
    }
    let key = KeyPair::generate()?;
    let certificate = authority_params()?.self_signed(&key)?;
    let staging = layout.root.join(format!(".ca-{}", std::process::id()));
    remove_tree(&staging)?;
    make_folder(&staging, 0o700, None)?;
    write_atomic(&staging.join("ca.key"), key.serialize_pem().as_bytes(), 0o600, None)?;
    write_atomic(&staging.join("ca.pem"), certificate.pem().as_bytes(), 0o644, None)?;
    rename(&staging, &folder)
}

fn authority_params() -> Result<CertificateParams, LocalError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params, 30);
    Ok(params)
}

/// From yesterday (clocks differ) for some years.
fn validity(params: &mut CertificateParams, years: i16) {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let yesterday = today.saturating_sub(Span::new().days(1));
    let moment = |date: jiff::civil::Date, add: i16| {
        // The 28th exists in every month of every year.
        rcgen::date_time_ymd(i32::from(date.year() + add), date.month() as u8, date.day().min(28) as u8)
    };
    params.not_before = moment(yesterday, 0);
    params.not_after = moment(yesterday, years);
}

fn read(path: &Path) -> Result<String, LocalError> {
    fs::read_to_string(path).map_err(LocalError::io("read", path))
}
