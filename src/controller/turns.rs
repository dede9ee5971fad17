//! Who has a server's turn. Nobody waits for one: whoever comes in vain comes again, so that one slow server does not
//! hold the passes of all others.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The servers whose turn is taken.
#[derive(Clone, Default)]
pub struct Turns {
    taken: Arc<Mutex<HashSet<String>>>,
}

/// What became of asking for a turn.
pub enum Claim {
    /// The plan needs none.
    NotNeeded,
    /// It is ours until this is dropped.
    Ours {
        /// Only ever held.
        _turn: Turn,
    },
    /// Another pass has it.
    Taken,
}

/// A turn; dropping it gives it back, also when a pass is given up.
pub struct Turn {
    turns: Turns,
    server: String,
}

impl Turns {
    /// The turn of this server, unless somebody has it.
    pub fn take(&self, server: &str) -> Claim {
        if !self.lock().insert(server.to_owned()) {
            return Claim::Taken;
        }
        Claim::Ours { _turn: Turn { turns: self.clone(), server: server.to_owned() } }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.server);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_had_by_one_and_comes_back_when_it_is_dropped() {
        let turns = Turns::default();
        let first = turns.take("one");
        assert!(matches!(first, Claim::Ours { .. }));
        assert!(matches!(turns.take("one"), Claim::Taken), "nobody waits");
        assert!(matches!(turns.take("other"), Claim::Ours { .. }), "another server has a turn of its own");
        drop(first);
        assert!(matches!(turns.take("one"), Claim::Ours { .. }));
    }
}
