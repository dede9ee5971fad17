//! `DescribeCertificates`.

use std::sync::Arc;

use crate::rds::AUTHORITY;
use crate::rds::realm::Realm;
use crate::rds::wire::{Answer, Form, Refusal, leaf, page};
use crate::rds_flavour::AUTHORITIES;

pub(super) fn describe(realm: &Arc<Realm>, form: &Form) -> Answer {
    let asked = form.text("CertificateIdentifier");
    let one = |name: &str| {
        let inner = [
            leaf("CertificateIdentifier", name),
            leaf("CertificateType", "CA"),
            leaf("ValidFrom", "2020-01-01T00:00:00Z"),
            leaf("ValidTill", "2120-01-01T00:00:00Z"),
            leaf("CertificateArn", format!("arn:aws:rds:{}::cert:{name}", realm.place.region)),
            leaf("CustomerOverride", false),
        ];
        (name.to_owned(), crate::rds::wire::node("Certificate", inner))
    };
    let known = AUTHORITIES.iter().filter(|name| asked.as_deref().is_none_or(|asked| asked == **name));
    let found: Vec<_> = known.map(|name| one(name)).collect();
    if let (Some(asked), true) = (&asked, found.is_empty()) {
        return Err(Refusal(404, "CertificateNotFound", format!("Certificate not found: {asked}")));
    }
    Ok(page(form, "Certificates", found)? + &leaf("DefaultCertificateForNewLaunches", AUTHORITY))
}
