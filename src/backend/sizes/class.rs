//! Classes: names that an administrator gives to sizes.

use std::collections::BTreeMap;

use super::wish::{CLASS, CPU, MEMORY, Wish, rejection};
use crate::backend::Rejection;
use crate::config::AWS_DEFAULT_CLASS;

/// The class of a wish, where classes are one way to choose a size: on Azure and with the charts. As in the original,
/// none where the user names none, and none where the administrator names no default.
///
/// # Errors
/// When neither the user's class nor the default one exists. The original failed without a word.
pub(super) fn chosen<'a, C>(
    wish: &Wish<'a>,
    classes: &'a BTreeMap<String, C>,
    default: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Option<&'a C>, Rejection> {
    let Some(wanted) = wish.class else { return Ok(None) };
    let Some(default) = default.filter(|default| !default.is_empty()) else {
        warnings.push(format!(
            "{CLASS}: \"{wanted}\" has no effect, because the operator's configuration names no default_class; cpu and memoryMB count"
        ));
        return Ok(None);
    };
    if let Some(class) = classes.get(wanted) {
        return Ok(Some(class));
    }
    let Some(class) = classes.get(default) else {
        let message = format!(
            "found \"{wanted}\", expected one of: {}; the operator's configuration has no class \"{default}\" either, its default_class",
            names(classes)
        );
        return Err(rejection(CLASS, message));
    };
    warnings.push(unknown(wanted, default, classes));
    Ok(Some(class))
}

/// The class of a wish, where there is no other way to choose a size: on AWS. As in the original, `built_in` where the
/// default class is not defined.
pub(super) fn needed<'a, C>(
    wish: &Wish<'a>,
    classes: &'a BTreeMap<String, C>,
    default: &str,
    built_in: &'a C,
    warnings: &mut Vec<String>,
) -> &'a C {
    if let Some(class) = wish.class.and_then(|wanted| classes.get(wanted)) {
        return class;
    }
    match wish.class {
        // The built-in class may be named as if it stood in the configuration.
        Some(wanted) if wanted == default => {}
        Some(wanted) => warnings.push(unknown(wanted, default, classes)),
        None => {
            let fields = [(CPU, wish.cpu), (MEMORY, wish.memory_mb)];
            for (field, _) in fields.iter().filter(|(_, amount)| amount.is_some()) {
                warnings.push(format!(
                    "{field}: has no effect, sizes are chosen by class on this backend; the default class \"{default}\" is used; classes: {}",
                    names(classes)
                ));
            }
        }
    }
    classes.get(default).unwrap_or_else(|| {
        if default != AWS_DEFAULT_CLASS {
            warnings.push(format!(
                "{CLASS}: the operator's configuration has no class \"{default}\", its default_class; an instance of the type db.m5.large is used"
            ));
        }
        built_in
    })
}

fn unknown<C>(wanted: &str, default: &str, classes: &BTreeMap<String, C>) -> String {
    format!(
        "{CLASS}: there is no class \"{wanted}\"; the default class \"{default}\" is used; classes: {}",
        names(classes)
    )
}

fn names<C>(classes: &BTreeMap<String, C>) -> String {
    if classes.is_empty() {
        return "none".to_owned();
    }
    classes.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}
