//! Changes that interrupt connections and are not begun again as long as nothing is different: kept in the object's status.

use super::Remembered;
use crate::api::Attempt;

const RESTART: &str = "restart";
const VERSION: &str = "version";

impl Remembered {
    /// For the object's status.
    pub(super) fn attempts(&self) -> Vec<Attempt> {
        let attempt = |change: &str, from: Option<&String>, wanted: &String| Attempt {
            change: change.to_owned(),
            from: from.cloned(),
            wanted: wanted.clone(),
        };
        let restart = self.restarted_for.as_ref().map(|wanted| attempt(RESTART, None, wanted));
        let upgrade = self.upgrade.as_ref().map(|(from, wanted)| attempt(VERSION, Some(from), wanted));
        restart.into_iter().chain(upgrade).collect()
    }

    /// What was kept, once: later that is what this process itself has kept.
    pub(super) fn recall(&mut self, kept: &[Attempt]) {
        if std::mem::replace(&mut self.recalled, true) {
            return;
        }
        for attempt in kept {
            match (attempt.change.as_str(), &attempt.from) {
                (RESTART, _) if self.restarted_for.is_none() => {
                    self.restarted_for = Some(attempt.wanted.clone());
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
    use super::*;

    #[test]
    fn what_is_kept_is_known_to_whoever_begins_anew_and_what_he_has_done_since_is_newer() {
        let before = Remembered {
            restarted_for: Some("max_connections=50".to_owned()),
            upgrade: Some(("15.3".to_owned(), "16".to_owned())),
            ..Remembered::default()
        };
        let mut after = Remembered::default();
        after.recall(&before.attempts());
        assert_eq!((&after.restarted_for, &after.upgrade), (&before.restarted_for, &before.upgrade));

        let mut newer = Remembered { restarted_for: Some("other".to_owned()), ..Remembered::default() };
        newer.recall(&before.attempts());
        assert_eq!((newer.restarted_for.as_deref(), &newer.upgrade), (Some("other"), &before.upgrade));
        newer.upgrade = None;
        newer.recall(&before.attempts());
        assert_eq!(newer.upgrade, None, "it ended meanwhile");
    }
}
