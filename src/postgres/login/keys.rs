//! The keys of passwords that were tried lately.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{LazyLock, Mutex, PoisonError};

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use rand::Rng;

use super::scram::Keys;

/// So many are remembered at least, and twice as many at most: 4 MiB.
const REMEMBERED: usize = 16_384;

static KEYS: LazyLock<Mutex<Remembered>> = LazyLock::new(Mutex::default);

/// Marks are made with it: from what is remembered here nobody can try passwords elsewhere.
static MARKING: LazyLock<hmac::Key> = LazyLock::new(|| {
    let mut random = [0; 32];
    rand::rng().fill_bytes(&mut random);
    hmac::Key::new(HMAC_SHA256, &random)
});

type Mark = [u8; 32];

/// The keys of this password; hashed only where they were not lately.
pub(super) fn of(password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Keys {
    let mark = mark(password, salt, rounds);
    let known = KEYS.lock().unwrap_or_else(PoisonError::into_inner).find(&mark);
    known.unwrap_or_else(|| {
        let keys = Keys::derive(password, salt, rounds);
        KEYS.lock().unwrap_or_else(PoisonError::into_inner).remember(mark, keys.clone());
        keys
    })
}

fn mark(password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Mark {
    let mut context = hmac::Context::with_key(&MARKING);
    // Lengths first, so that no two lists of parts look the same.
    context.update(&password.len().to_be_bytes());
    context.update(password);
    context.update(&rounds.get().to_be_bytes());
    context.update(salt);
    let mut mark = Mark::default();
    mark.copy_from_slice(context.sign().as_ref());
    mark
}

/// Two generations: what is not asked for while `REMEMBERED` others are goes.
#[derive(Default)]
struct Remembered {
    young: HashMap<Mark, Keys>,
    old: HashMap<Mark, Keys>,
}

impl Remembered {
    fn find(&mut self, mark: &Mark) -> Option<Keys> {
        if let Some(keys) = self.young.get(mark) {
            return Some(keys.clone());
        }
        let keys = self.old.remove(mark)?;
        self.remember(*mark, keys.clone());
        Some(keys)
    }

    fn remember(&mut self, mark: Mark, keys: Keys) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(mark, keys);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn keys() -> Keys {
        Keys::derive(b"password", b"salt", NonZeroU32::MIN)
    }

    fn number(of: usize) -> Mark {
        let mut mark = Mark::default();
        mark[..8].copy_from_slice(&of.to_be_bytes());
        mark
    }

    #[test]
    fn what_is_asked_for_stays_and_what_is_not_goes() {
        let mut remembered = Remembered::default();
        remembered.remember(number(0), keys());
        remembered.remember(number(1), keys());
        for other in 2..2 * REMEMBERED + 2 {
            remembered.remember(number(other), keys());
            if other % 1000 == 0 {
                assert!(remembered.find(&number(0)).is_some(), "after {other}");
            }
        }
        assert!(remembered.find(&number(0)).is_some());
        assert!(remembered.find(&number(1)).is_none());
        assert!(remembered.young.len() + remembered.old.len() <= 2 * REMEMBERED);
    }

    #[test]
    fn another_password_salt_or_number_of_rounds_has_another_mark() {
        let rounds = NonZeroU32::new(4096).unwrap();
        let all = [
            mark(b"password", b"salt", rounds),
            mark(b"passwor", b"dsalt", rounds),
            mark(b"password", b"tlas", rounds),
            mark(b"password", b"salt", NonZeroU32::MIN),
        ];
        for (index, one) in all.iter().enumerate() {
            assert_eq!(all.iter().filter(|other| *other == one).count(), 1, "{index}");
        }
    }
}
