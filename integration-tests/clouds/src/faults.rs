//! Faults on the wire, for any call.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Refused with this HTTP status and error code, not executed.
    Error(u16, String),
    /// Refused because the caller's token has expired, not executed.
    ExpiredToken,
    /// The connection is closed before the call is executed.
    Reset,
    /// The call is executed, then the connection is closed without an answer.
    Lost,
    /// The call is executed; half of the answer comes, then the connection is closed.
    Truncated,
    /// The call is executed; the answer comes in small pieces, the last one after so long a time.
    SlowDrip(Duration),
    /// The call is executed and answered; so many reads that follow are answered as if it had not been.
    Eventual(u32),
    /// No answer, not executed; until the client gives up.
    Hang,
}

impl Kind {
    /// Whether the cloud carries out a call that this hits.
    #[must_use]
    pub fn executes(&self) -> bool {
        matches!(self, Self::Lost | Self::Truncated | Self::SlowDrip(_) | Self::Eventual(_))
    }
}

/// A fault, and which calls it hits.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Only this action; none: any.
    pub action: Option<String>,
    /// Only calls for this identifier; none: any.
    pub id: Option<String>,
    /// What goes wrong.
    pub kind: Kind,
    /// How many calls it still hits.
    pub times: u32,
}

/// Faults by chance, the same ones for the same seed and the same order of calls.
#[derive(Clone, Debug)]
pub struct Chance {
    /// Where the random numbers begin.
    pub seed: u64,
    /// How many of a thousand calls are hit.
    pub per_mille: u32,
    /// What goes wrong with them; each as often as the others.
    pub kinds: Vec<Kind>,
}

/// The faults that are armed.
#[derive(Default)]
pub struct Faults(Mutex<Armed>);

#[derive(Default)]
struct Armed {
    aimed: Vec<Fault>,
    by_chance: Option<(Chance, StdRng)>,
}

impl Faults {
    /// Arms one more.
    pub fn add(&self, fault: Fault) {
        self.armed().aimed.push(fault);
    }

    /// From now on calls are hit by chance, those that no armed fault hits.
    pub fn by_chance(&self, chance: Chance) {
        let random = StdRng::seed_from_u64(chance.seed);
        self.armed().by_chance = Some((chance, random));
    }

    /// How many calls of that action for that identifier still meet a fault that was aimed at them.
    pub fn left(&self, action: &str, id: &str) -> u32 {
        let armed = self.armed();
        let aimed = armed
            .aimed
            .iter()
            .filter(|fault| fault.action.as_deref() == Some(action) && fault.id.as_deref() == Some(id));
        aimed.map(|fault| fault.times).sum()
    }

    /// Disarms all.
    pub fn clear(&self) {
        *self.armed() = Armed::default();
    }

    /// The first one that hits this call, used up by one.
    pub(crate) fn take(&self, action: &str, id: &str) -> Option<Kind> {
        let mut armed = self.armed();
        let hit = armed.aimed.iter_mut().find(|fault| {
            fault.times > 0
                && fault.action.as_deref().is_none_or(|wanted| wanted == action)
                && fault.id.as_deref().is_none_or(|wanted| wanted == id)
        });
        if let Some(hit) = hit {
            hit.times -= 1;
            return Some(hit.kind.clone());
        }
        let (chance, random) = armed.by_chance.as_mut()?;
        if chance.kinds.is_empty() || random.random_range(0..1000) >= chance.per_mille {
            return None;
        }
        Some(chance.kinds[random.random_range(0..chance.kinds.len())].clone())
    }

    fn armed(&self) -> std::sync::MutexGuard<'_, Armed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Vec<Option<Kind>> {
        let faults = Faults::default();
        faults.by_chance(Chance { seed, per_mille: 300, kinds: vec![Kind::Reset, Kind::Lost] });
        (0..200).map(|_| faults.take("Any", "any")).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_faults_and_another_seed_others() {
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let hits = drawn(7).iter().flatten().count();
        assert!((30..90).contains(&hits), "{hits} of 200 calls at 300 in 1000");
    }

    #[test]
    fn an_aimed_fault_hits_its_calls_only_and_as_often_as_it_says() {
        let faults = Faults::default();
        let (action, id) = (Some("Create".to_owned()), Some("shop".to_owned()));
        faults.add(Fault { action, id, kind: Kind::Hang, times: 1 });
        assert_eq!(faults.take("Delete", "shop"), None);
        assert_eq!(faults.take("Create", "other"), None);
        assert_eq!(faults.take("Create", "shop"), Some(Kind::Hang));
        assert_eq!(faults.take("Create", "shop"), None);
    }
}
