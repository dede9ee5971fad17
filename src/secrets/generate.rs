//! New passwords.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{CryptoRng, RngExt};

use super::Password;

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";
/// The characters of the original operator; no backend refuses one of them (RDS refuses `/`, `"`, `@` and blanks).
const SPECIAL: &[u8] = b"+-_.:<>?";

/// What generated passwords look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Number of characters. Fewer than there are classes of characters count as one of each class.
    pub length: usize,
    /// Whether there are special characters.
    pub special_characters: bool,
}

/// A new random password: it begins with a letter or digit and contains a lower and an upper letter, a digit and, if
/// asked for, a special character.
///
/// The generator is rand's thread generator: ChaCha12, seeded and reseeded by the operating system.
pub fn generate(rules: &PasswordRules) -> Password {
    generate_with(rules, &mut rand::rng())
}

fn generate_with(rules: &PasswordRules, rng: &mut impl CryptoRng) -> Password {
    let mut classes = vec![LOWER, UPPER, DIGITS];
    if rules.special_characters {
        classes.push(SPECIAL);
    }
    let length = rules.length.max(classes.len());
    let alphabet = classes.concat();

    // One character of each class first, the rest from the whole alphabet, then all of them in random order. Nothing
    // is drawn again, so there is nothing to wait for, whatever the length.
    let mut characters: Vec<u8> = Vec::with_capacity(length);
    characters.extend(classes.iter().filter_map(|class| class.choose(rng)));
    while characters.len() < length {
        characters.extend(alphabet.choose(rng));
    }
    characters.shuffle(rng);

    // The first character is exchanged for any of the letters and digits if it is special.
    let plain: Vec<usize> =
        (0..length).filter(|&at| characters.get(at).is_some_and(u8::is_ascii_alphanumeric)).collect();
    if plain.first() != Some(&0) && !plain.is_empty() {
        let other = plain[rng.random_range(0..plain.len())];
        characters.swap(0, other);
    }

    // Exactly as long as needed: no copy of it is left behind when it moves into the password.
    let mut clear_text = String::with_capacity(length);
    clear_text.extend(characters.iter().map(|&byte| char::from(byte)));
    characters.fill(0);
    Password::new(clear_text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn check(password: &str, rules: &PasswordRules) {
        let bytes = password.as_bytes();
        let minimum = if rules.special_characters { 4 } else { 3 };
        assert_eq!(bytes.len(), rules.length.max(minimum));
        assert!(bytes[0].is_ascii_alphanumeric());
        for class in [LOWER, UPPER, DIGITS] {
            assert!(bytes.iter().any(|byte| class.contains(byte)));
        }
        assert_eq!(bytes.iter().any(|byte| SPECIAL.contains(byte)), rules.special_characters);
        let known = |byte: &u8| [LOWER, UPPER, DIGITS, SPECIAL].iter().any(|class| class.contains(byte));
        assert!(bytes.iter().all(known));
    }

    proptest! {
        #[test]
        fn passwords_keep_the_rules(length in 0usize..=128, special_characters: bool) {
            let rules = PasswordRules { length, special_characters };
            check(generate(&rules).expose(), &rules);
        }
    }

    #[test]
    fn every_character_occurs_and_passwords_differ() {
        let rules = PasswordRules { length: 16, special_characters: true };
        let passwords: BTreeSet<String> = (0..2000).map(|_| generate(&rules).expose().to_owned()).collect();
        assert_eq!(passwords.len(), 2000);
        let seen: BTreeSet<u8> = passwords.iter().flat_map(|password| password.bytes()).collect();
        assert_eq!(seen.len(), 26 + 26 + 10 + 8);
        let first: BTreeSet<u8> = passwords.iter().filter_map(|password| password.bytes().next()).collect();
        assert_eq!(first.len(), 26 + 26 + 10);
        // Special characters may stand everywhere but in front.
        for at in 1..16 {
            assert!(passwords.iter().any(|password| SPECIAL.contains(&password.as_bytes()[at])));
        }
    }

    #[test]
    fn the_generator_is_cryptographic() {
        fn cryptographic(_: impl CryptoRng) {}
        cryptographic(rand::rng());
    }

    #[test]
    fn a_password_is_not_printed() {
        let password = generate(&PasswordRules { length: 16, special_characters: true });
        assert!(!format!("{password:?}").contains(password.expose()));
    }
}
