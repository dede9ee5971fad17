//! What a request asks of an instance, at its creation or later.

use crate::rds_flavour::AUTHORITIES;

use crate::rds::Place;
use crate::rds::plain::{Of, PlainFields};
use crate::rds::storage::Asked;
use crate::rds::versions::AURORA;
use crate::rds::wire::{Form, Refusal, invalid};

pub(super) struct Wish {
    pub(super) class: Option<String>,
    pub(super) version: Option<String>,
    pub(super) storage: Asked,
    pub(super) max_storage: Option<u32>,
    pub(super) multi_az: Option<bool>,
    pub(super) retention: Option<u32>,
    pub(super) backup_window: Option<String>,
    pub(super) maintenance_window: Option<String>,
    pub(super) ca: Option<String>,
    pub(super) group: Option<String>,
    pub(super) subnet_group: Option<String>,
    pub(super) security_groups: Vec<String>,
    pub(super) password: Option<String>,
    pub(super) plain: PlainFields,
}

impl Wish {
    pub(super) fn read(form: &Form, of: Of, creation: bool, place: &Place) -> Result<Self, Refusal> {
        let ca = form.text("CACertificateIdentifier");
        if let Some(ca) = ca.as_ref().filter(|ca| !AUTHORITIES.contains(&ca.as_str())) {
            return Err(Refusal(404, "CertificateNotFound", format!("Certificate not found: {ca}")));
        }
        super::port(form, if creation { "Port" } else { "DBPortNumber" })?;
        let class = form.text("DBInstanceClass");
        if let Some(class) = class.as_ref().filter(|class| !legal_class(class)) {
            return Err(invalid(format!("Invalid DB Instance class: {class}")));
        }
        Ok(Self {
            class,
            version: form.text("EngineVersion"),
            storage: Asked {
                kind: form.text("StorageType"),
                size: form.number("AllocatedStorage")?,
                iops: form.number("Iops")?,
                throughput: form.number("StorageThroughput")?,
            },
            max_storage: form.number("MaxAllocatedStorage")?,
            multi_az: form.flag("MultiAZ")?,
            retention: super::retention(form.number("BackupRetentionPeriod")?, 0)?,
            backup_window: form.text("PreferredBackupWindow"),
            maintenance_window: form.text("PreferredMaintenanceWindow"),
            ca,
            group: form.text("DBParameterGroupName"),
            subnet_group: form.text("DBSubnetGroupName"),
            security_groups: form.list("VpcSecurityGroupIds.VpcSecurityGroupId"),
            password: super::password(form, 128)?,
            plain: PlainFields::read(form, of, creation, place)?,
        })
    }

    /// The name of a field that only the cluster takes.
    pub(super) fn of_the_cluster(&self) -> Option<&'static str> {
        let fields = [
            ("MasterUserPassword", self.password.is_some()),
            ("AllocatedStorage", self.storage.size.is_some()),
            ("StorageType", self.storage.kind.is_some()),
            ("Iops", self.storage.iops.is_some()),
            ("StorageThroughput", self.storage.throughput.is_some()),
            ("MaxAllocatedStorage", self.max_storage.is_some()),
            ("BackupRetentionPeriod", self.retention.is_some()),
            ("PreferredBackupWindow", self.backup_window.is_some()),
            ("VpcSecurityGroupIds", !self.security_groups.is_empty()),
            ("MultiAZ", self.multi_az == Some(true)),
        ];
        fields.iter().find(|(_, asked)| *asked).map(|(name, _)| *name)
    }
}

/// The form of a class: `db.`, a family, a size. Which of them a region has is not simulated.
fn legal_class(class: &str) -> bool {
    let Some((family, size)) = class.strip_prefix("db.").and_then(|rest| rest.split_once('.')) else {
        return class == "db.serverless";
    };
    let mut letters = family.chars();
    let family = matches!(letters.next(), Some('t' | 'm' | 'r' | 'x' | 'c'))
        && matches!(letters.next(), Some('1'..='9'))
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let size = match size.strip_suffix("xlarge") {
        Some(times) => times.is_empty() || times.parse::<u32>().is_ok(),
        None => ["micro", "small", "medium", "large"].contains(&size),
    };
    family && size
}

/// Serverless is Aurora's, and Aurora has no class below `medium`.
pub(super) fn class_for(engine: &str, class: &str) -> Result<(), Refusal> {
    let small = class.ends_with(".micro") || class.ends_with(".small");
    if (engine == AURORA && small) || (engine != AURORA && class == "db.serverless") {
        return Err(crate::rds::wire::combination(format!(
            "RDS does not support creating a DB instance with the following combination: DBInstanceClass={class}, \
             Engine={engine}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("db.t3.micro", true)]
    #[case("db.r6gd.16xlarge", true)]
    #[case("db.m5.xlarge", true)]
    #[case("db.serverless", true)]
    #[case("db.bogus", false)]
    #[case("db.t3.tiny", false)]
    #[case("t3.micro", false)]
    fn a_class_has_a_family_and_a_size(#[case] class: &str, #[case] legal: bool) {
        assert_eq!(legal_class(class), legal);
    }
}
