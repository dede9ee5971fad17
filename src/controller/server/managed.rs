//! Which server parameters and firewall rules we have set: only these are ever reset or removed. Pure.

use std::collections::BTreeSet;

use crate::backend::{Change, Difference};

/// The names after this pass, of those whose fields begin with `prefix`.
///
/// `recorded` are those of the status, `asked` those that are asked for, `differences` all that differ, `begun` those of
/// them that the plan changes now: they are recorded before the effect, so that a crash leaves nothing behind that
/// nobody knows to be ours.
pub(super) fn names(
    prefix: &str,
    recorded: &[String],
    asked: &BTreeSet<String>,
    differences: &[&Difference],
    begun: &[Difference],
) -> Vec<String> {
    let name = |difference: &Difference| difference.field.strip_prefix(prefix).map(str::to_owned);
    let differing: BTreeSet<String> = differences.iter().filter_map(|one| name(one)).collect();
    let begun: BTreeSet<String> = begun.iter().filter_map(name).collect();
    let resetting: BTreeSet<String> = differences
        .iter()
        .filter(|one| one.wanted.is_none() && matches!(one.change, Change::Apply { .. }))
        .filter_map(|one| name(one))
        .collect();
    // What is as asked counts as set by us: asked for once, it is looked after.
    let set = asked.iter().filter(|name| !differing.contains(*name) || begun.contains(*name));
    let kept = recorded.iter().filter(|name| asked.contains(*name) || resetting.contains(*name));
    set.chain(kept).cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{PARAMETER, Stage};

    fn difference(name: &str, wanted: Option<&str>) -> Difference {
        Difference {
            field: format!("{PARAMETER}{name}"),
            found: None,
            wanted: wanted.map(str::to_owned),
            change: Change::Apply { stage: Stage::Configure, restart: false, revives: false },
        }
    }

    fn managed(
        recorded: &[&str],
        asked: &[&str],
        differences: &[Difference],
        begun: &[Difference],
    ) -> Vec<String> {
        let recorded: Vec<String> = recorded.iter().map(|name| (*name).to_owned()).collect();
        let asked = asked.iter().map(|name| (*name).to_owned()).collect();
        names(PARAMETER, &recorded, &asked, &differences.iter().collect::<Vec<_>>(), begun)
    }

    #[test]
    fn a_parameter_is_ours_before_it_is_set_and_until_it_is_reset() {
        let (set, reset) = (difference("work_mem", Some("1")), difference("work_mem", None));
        assert_eq!(managed(&[], &["work_mem"], std::slice::from_ref(&set), &[]), Vec::<String>::new());
        let begun = [set];
        assert_eq!(managed(&[], &["work_mem"], &begun, &begun), ["work_mem"]);
        assert_eq!(managed(&["work_mem"], &["work_mem"], &[], &[]), ["work_mem"]);
        assert_eq!(managed(&["work_mem"], &["work_mem"], &begun, &[]), ["work_mem"], "somebody changed it");
        assert_eq!(managed(&["work_mem"], &[], &[reset], &[]), ["work_mem"], "it is not reset yet");
        assert_eq!(managed(&["work_mem"], &[], &[], &[]), Vec::<String>::new());
    }

    #[test]
    fn what_waits_and_never_was_set_is_not_ours() {
        let waits = [difference("a", Some("1"))];
        assert_eq!(managed(&[], &["a", "b"], &waits, &[]), ["b"]);
    }
}
