//! Fields that the service takes, checks a little, and shows again: as data.

use std::collections::BTreeMap;

use super::wire::{Form, Refusal, combination, invalid, leaf};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Text,
    Flag,
    Number,
}

struct Plain {
    asked: &'static str,
    shown: &'static str,
    sort: Sort,
    /// Shown where nothing was asked for.
    default: Option<&'static str>,
    /// Only at the creation.
    once: bool,
}

const fn plain(
    asked: &'static str,
    shown: &'static str,
    sort: Sort,
    default: Option<&'static str>,
    once: bool,
) -> Plain {
    Plain { asked, shown, sort, default, once }
}

const INSTANCE: [Plain; 17] = [
    plain("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade", Sort::Flag, Some("true"), false),
    plain("CopyTagsToSnapshot", "CopyTagsToSnapshot", Sort::Flag, Some("false"), false),
    plain("PubliclyAccessible", "PubliclyAccessible", Sort::Flag, Some("false"), false),
    plain("DeletionProtection", "DeletionProtection", Sort::Flag, Some("false"), false),
    plain("MonitoringInterval", "MonitoringInterval", Sort::Number, Some("0"), false),
    plain("MonitoringRoleArn", "MonitoringRoleArn", Sort::Text, None, false),
    plain("EnablePerformanceInsights", "PerformanceInsightsEnabled", Sort::Flag, Some("false"), false),
    plain("PerformanceInsightsKMSKeyId", "PerformanceInsightsKMSKeyId", Sort::Text, None, false),
    plain(
        "PerformanceInsightsRetentionPeriod",
        "PerformanceInsightsRetentionPeriod",
        Sort::Number,
        None,
        false,
    ),
    plain(
        "EnableIAMDatabaseAuthentication",
        "IAMDatabaseAuthenticationEnabled",
        Sort::Flag,
        Some("false"),
        false,
    ),
    plain("DatabaseInsightsMode", "DatabaseInsightsMode", Sort::Text, Some("standard"), false),
    plain("NetworkType", "NetworkType", Sort::Text, Some("IPV4"), false),
    plain("LicenseModel", "LicenseModel", Sort::Text, Some("postgresql-license"), false),
    plain(
        "EngineLifecycleSupport",
        "EngineLifecycleSupport",
        Sort::Text,
        Some("open-source-rds-extended-support"),
        true,
    ),
    plain("StorageEncrypted", "StorageEncrypted", Sort::Flag, Some("false"), true),
    plain("KmsKeyId", "KmsKeyId", Sort::Text, None, true),
    plain("AvailabilityZone", "AvailabilityZone", Sort::Text, None, true),
];

/// A member's `PromotionTier` decides which reader becomes the writer.
const MEMBER: [Plain; 1] = [plain("PromotionTier", "PromotionTier", Sort::Number, Some("1"), false)];

const CLUSTER: [Plain; 10] = [
    plain("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade", Sort::Flag, Some("true"), false),
    plain("CopyTagsToSnapshot", "CopyTagsToSnapshot", Sort::Flag, Some("false"), false),
    plain("DeletionProtection", "DeletionProtection", Sort::Flag, Some("false"), false),
    plain(
        "EnableIAMDatabaseAuthentication",
        "IAMDatabaseAuthenticationEnabled",
        Sort::Flag,
        Some("false"),
        false,
    ),
    plain("EnableHttpEndpoint", "HttpEndpointEnabled", Sort::Flag, Some("false"), false),
    plain("DatabaseInsightsMode", "DatabaseInsightsMode", Sort::Text, Some("standard"), false),
    plain("NetworkType", "NetworkType", Sort::Text, Some("IPV4"), false),
    plain(
        "EngineLifecycleSupport",
        "EngineLifecycleSupport",
        Sort::Text,
        Some("open-source-rds-extended-support"),
        true,
    ),
    plain("StorageEncrypted", "StorageEncrypted", Sort::Flag, Some("false"), true),
    plain("KmsKeyId", "KmsKeyId", Sort::Text, None, true),
];

/// What has them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Instance,
    Member,
    Cluster,
}

impl Of {
    fn fields(self) -> impl Iterator<Item = &'static Plain> {
        let (first, second): (&[Plain], &[Plain]) = match self {
            Self::Instance => (&INSTANCE, &[]),
            Self::Member => (&INSTANCE, &MEMBER),
            Self::Cluster => (&CLUSTER, &[]),
        };
        first.iter().chain(second)
    }
}

/// Element → text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PlainFields(BTreeMap<&'static str, String>);

impl PlainFields {
    /// What the request asks for. With `creation`, those of the creation, too, and the defaults.
    pub(super) fn read(form: &Form, of: Of, creation: bool, place: &super::Place) -> Result<Self, Refusal> {
        let mut fields = BTreeMap::new();
        for field in of.fields().filter(|field| creation || !field.once) {
            let text = match field.sort {
                Sort::Text => form.text(field.asked),
                Sort::Flag => form.flag(field.asked)?.map(|flag| flag.to_string()),
                Sort::Number => form.number::<u32>(field.asked)?.map(|number| number.to_string()),
            };
            let default = || field.default.filter(|_| creation).map(str::to_owned);
            if let Some(text) = text.or_else(default) {
                fields.insert(field.shown, text);
            }
        }
        let mut fields = Self(fields);
        if creation {
            fields.key(place)?;
        }
        Ok(fields)
    }

    /// A key goes with encryption only; encryption without a key takes the account's default one.
    fn key(&mut self, place: &super::Place) -> Result<(), Refusal> {
        let named = self.0.contains_key("KmsKeyId");
        match (self.is("StorageEncrypted"), named) {
            (false, true) => Err(combination("KmsKeyId is only valid with StorageEncrypted.")),
            (true, false) => {
                let key = format!("arn:aws:kms:{}:{}:key/rds-default", place.region, place.account);
                self.0.insert("KmsKeyId", key);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// These, with what a change asks for.
    pub(super) fn changed(&self, change: Self) -> Result<Self, Refusal> {
        let mut all = self.0.clone();
        all.extend(change.0);
        let all = Self(all);
        all.check()?;
        Ok(all)
    }

    pub(super) fn check(&self) -> Result<(), Refusal> {
        let interval = self.get("MonitoringInterval").unwrap_or("0");
        if !["0", "1", "5", "10", "15", "30", "60"].contains(&interval) {
            return Err(invalid(format!("{interval} is not a valid MonitoringInterval.")));
        }
        if interval != "0" && self.get("MonitoringRoleArn").is_none() {
            return Err(combination(
                "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.",
            ));
        }
        if let Some(days) = self.get("PerformanceInsightsRetentionPeriod")
            && !days
                .parse::<u32>()
                .is_ok_and(|days| days == 7 || days == 731 || (days % 31 == 0 && days <= 713))
        {
            return Err(invalid(format!("{days} is not a valid PerformanceInsightsRetentionPeriod.")));
        }
        if let Some(tier) = self.get("PromotionTier")
            && !tier.parse::<u32>().is_ok_and(|tier| tier <= 15)
        {
            return Err(invalid("PromotionTier must be from 0 to 15."));
        }
        Ok(())
    }

    pub(super) fn get(&self, element: &str) -> Option<&str> {
        self.0.get(element).map(String::as_str)
    }

    pub(super) fn is(&self, element: &str) -> bool {
        self.get(element) == Some("true")
    }

    pub(super) fn set(&mut self, element: &'static str, text: impl ToString) {
        self.0.insert(element, text.to_string());
    }

    pub(super) fn xml(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(element, text)| leaf(element, text))
    }
}
