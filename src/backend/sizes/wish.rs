//! What a user asks for, with every amount made sure of.

use crate::api::Size;
use crate::backend::Rejection;

pub(super) const CLASS: &str = "size.class";
pub(super) const CPU: &str = "size.cpu";
pub(super) const MEMORY: &str = "size.memoryMB";
pub(super) const STORAGE: &str = "size.storageGB";
pub(super) const AUTO_GROW: &str = "size.storageAutoGrow";
pub(super) const MAX_STORAGE: &str = "size.maxStorageGB";

/// `spec.size`, with amounts that are at least 1.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wish<'a> {
    pub(super) class: Option<&'a str>,
    pub(super) cpu: Option<u64>,
    pub(super) memory_mb: Option<u64>,
    pub(super) storage_gb: Option<u64>,
    pub(super) auto_grow: bool,
    pub(super) max_storage_gb: Option<u64>,
}

impl<'a> Wish<'a> {
    /// The CRD refuses amounts below 1, but keeps objects that were there before it did.
    pub(super) fn read(size: Option<&'a Size>) -> Result<Self, Vec<Rejection>> {
        let Some(size) = size else { return Ok(Self::default()) };
        let mut refused = Vec::new();
        let mut amount = |field: &str, value: Option<i64>| {
            let value = value?;
            let amount = u64::try_from(value).ok().filter(|amount| *amount > 0);
            if amount.is_none() {
                refused.push(rejection(field, format!("found {value}, expected 1 or more")));
            }
            amount
        };
        let wish = Self {
            class: size.class.as_deref().filter(|class| !class.is_empty()),
            cpu: amount(CPU, size.cpu),
            memory_mb: amount(MEMORY, size.memory_mb),
            storage_gb: amount(STORAGE, size.storage_gb),
            auto_grow: size.storage_auto_grow.unwrap_or(false),
            max_storage_gb: amount(MAX_STORAGE, size.max_storage_gb),
        };
        if refused.is_empty() { Ok(wish) } else { Err(refused) }
    }

    /// For backends whose storage has the size it was given.
    pub(super) fn warn_of_growth(&self, warnings: &mut Vec<String>) {
        if self.auto_grow {
            warnings
                .push(format!("{AUTO_GROW}: has no effect, storage does not grow by itself on this backend"));
        }
        if self.max_storage_gb.is_some() {
            warnings.push(format!(
                "{MAX_STORAGE}: has no effect, storage does not grow by itself on this backend"
            ));
        }
    }

    /// For backends whose storage grows by itself as far as the provider lets it.
    pub(super) fn warn_of_bound(&self, warnings: &mut Vec<String>) {
        if self.max_storage_gb.is_some() {
            warnings.push(format!("{MAX_STORAGE}: has no effect, growth cannot be bounded on this backend"));
        }
    }
}

pub(super) fn rejection(field: &str, message: String) -> Rejection {
    Rejection { field: field.to_owned(), message }
}
