//! Certificate authorities, and the servers' certificates with their addresses in them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use super::error::Error;

/// The authorities of one simulated cloud, by the names that the cloud gives them.
pub struct Authorities(BTreeMap<String, Authority>);

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authorities {
    /// New ones with these names.
    pub fn new(names: &[&str]) -> Result<Self, Error> {
        let made = |name: &&str| Ok(((*name).to_owned(), Authority::new(name)?));
        Ok(Self(names.iter().map(made).collect::<Result<_, Error>>()?))
    }

    /// All certificates, as a client should trust them.
    #[must_use]
    pub fn bundle(&self) -> String {
        self.0.values().map(|authority| authority.pem.as_str()).collect()
    }

    /// The certificate of one of them.
    #[must_use]
    pub fn pem(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|authority| authority.pem.as_str())
    }

    /// Certificate and key of a server at these addresses.
    pub(super) fn issue(&self, name: &str, addresses: &[Ipv4Addr]) -> Result<(String, String), Error> {
        let first = addresses.first().map(Ipv4Addr::to_string).unwrap_or_default();
        let names = addresses.iter().map(|at| SanType::IpAddress((*at).into())).collect();
        self.issue_for(name, &first, names)
    }

    /// Certificate and key of whoever answers under these names.
    pub(crate) fn issue_for(
        &self,
        name: &str,
        common_name: &str,
        names: Vec<SanType>,
    ) -> Result<(String, String), Error> {
        let authority = self.0.get(name).or_else(|| self.0.values().next()).ok_or(Error::NoAddress)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.subject_alt_names = names;
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        valid(&mut params);
        let key = KeyPair::generate()?;
        Ok((params.signed_by(&key, &authority.issuer)?.pem(), key.serialize_pem()))
    }
}

impl Authority {
    fn new(name: &str) -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, format!("simulated {name}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid(&mut params);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }
}

/// They live as long as a test; the years only keep them valid on machines whose clock is wrong.
fn valid(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
}
