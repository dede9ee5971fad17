//! Changes that interrupt connections and are not begun again as long as nothing is different: kept in the object's status.

use super::memory::Remembered;
use super::versions::VERSION;
use crate::api::Attempt;

const RESTART: &str = "restart";

impl Remembered {
    /// For the status of the server's object. A restart names the instance, where that is only a part of the server.
    pub(super) fn attempts(&self, server: &str) -> Vec<Attempt> {
        let attempt = |change: &str, from: Option<String>, wanted: &String| Attempt {
            change: change.to_owned(),
            from,
            wanted: wanted.clone(),
        };
        let part = |instance: &String| (instance != server).then(|| instance.clone());
        let restarts =
            self.restarted_for.iter().map(|(instance, wanted)| attempt(RESTART, part(instance), wanted));
        let upgrade =
            self.upgrade.as_ref().map(|(from, wanted)| attempt(VERSION, Some(from.clone()), wanted));
        restarts.chain(upgrade).collect()
    }

    /// What was kept, once: later that is what this process itself has kept.
    pub(super) fn recall(&mut self, server: &str, kept: &[Attempt]) {
        if std::mem::replace(&mut self.recalled, true) {
            return;
        }
        for attempt in kept {
            match (attempt.change.as_str(), &attempt.from) {
                (RESTART, part) => {
                    let instance = part.clone().unwrap_or_else(|| server.to_owned());
                    self.restarted_for.entry(instance).or_insert_with(|| attempt.wanted.clone());
                }
                (VERSION, Some(from)) if self.upgrade.is_none() => {
                    self.upgrade = Some((from.clone(), attempt.wanted.clone()));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn restarted(instances: &[&str], wanted: &str) -> BTreeMap<String, String> {
        instances.iter().map(|instance| ((*instance).to_owned(), wanted.to_owned())).collect()
    }

    #[test]
    fn what_is_kept_is_known_to_whoever_begins_anew_and_what_he_has_done_since_is_newer() {
        let before = Remembered {
            restarted_for: restarted(&["shop"], "max_connections=50"),
            upgrade: Some(("15.3".to_owned(), "16".to_owned())),
            ..Remembered::default()
        };
        assert_eq!(before.attempts("shop")[0].from, None, "the server is the instance");
        let mut after = Remembered::default();
        after.recall("shop", &before.attempts("shop"));
        assert_eq!((&after.restarted_for, &after.upgrade), (&before.restarted_for, &before.upgrade));

        let mut newer = Remembered { restarted_for: restarted(&["shop"], "other"), ..Remembered::default() };
        newer.recall("shop", &before.attempts("shop"));
        assert_eq!((newer.restarted_for["shop"].as_str(), &newer.upgrade), ("other", &before.upgrade));
        newer.upgrade = None;
        newer.recall("shop", &before.attempts("shop"));
        assert_eq!(newer.upgrade, None, "it ended meanwhile");
    }

    #[test]
    fn the_members_of_a_cluster_are_kept_one_by_one() {
        let both = ["shop-primary", "shop-replica"];
        let before =
            Remembered { restarted_for: restarted(&both, "max_connections=50"), ..Remembered::default() };
        let mut after = Remembered::default();
        after.recall("shop", &before.attempts("shop"));
        assert_eq!(after.restarted_for, before.restarted_for);
    }
}
