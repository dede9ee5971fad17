//! SCRAM-SHA-256 (RFC 5802 and 7677) as a client, for passwords that need no preparation. Pure.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// More rounds than that are not hashed: they are the server's choice, and whoever poses as one could keep us busy. The
/// driver has the same limit.
const MOST_ROUNDS: u32 = 100_000;

/// Its name in the protocol.
pub(super) const PLAIN: &str = "SCRAM-SHA-256";
/// Its name where the login is bound to the TLS connection.
pub(super) const BOUND: &str = "SCRAM-SHA-256-PLUS";

/// What binds a login to its TLS connection, so that nobody in between can pass it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// The server cannot.
    NotOffered,
    /// We cannot: the certificate's signature has no digest that could be used.
    Impossible,
    /// To the server's certificate (`tls-server-end-point`, RFC 5929).
    Certificate(Vec<u8>),
}

impl Binding {
    fn header(&self) -> &'static str {
        match self {
            Self::NotOffered => "y,,",
            Self::Impossible => "n,,",
            Self::Certificate(_) => "p=tls-server-end-point,,",
        }
    }

    fn encoded(&self) -> String {
        let mut data = self.header().as_bytes().to_vec();
        if let Self::Certificate(digest) = self {
            data.extend_from_slice(digest);
        }
        STANDARD.encode(data)
    }
}

/// The keys that follow from a password, a salt and a number of rounds. With them one can log in: not `Debug`.
#[derive(Clone)]
pub(super) struct Keys {
    client: [u8; 32],
    server: [u8; 32],
}

impl Keys {
    /// Hashes as often as it takes.
    pub fn derive(password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Self {
        let mut salted = [0; 32];
        pbkdf2::derive(PBKDF2_HMAC_SHA256, rounds, salt, password, &mut salted);
        Self { client: sign(&salted, b"Client Key"), server: sign(&salted, b"Server Key") }
    }
}

#[cfg(test)]
impl Keys {
    /// As servers store them: from this one nobody can log in.
    pub fn as_stored(&self) -> String {
        format!("{}:{}", STANDARD.encode(digest(&SHA256, &self.client)), STANDARD.encode(self.server))
    }
}

fn sign(key: &[u8], data: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, key), data);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

/// Why a login was broken off by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// It does not speak SCRAM as it should.
    #[error("the server's SCRAM message cannot be read")]
    Unreadable,
    /// The answer is not one to our question.
    #[error("the server's SCRAM message does not belong to this login")]
    Foreign,
    /// It asks for too much work.
    #[error("the server asks for more than {MOST_ROUNDS} rounds of SCRAM")]
    TooManyRounds,
    /// It took the login, and does not know the password itself.
    #[error("the server does not prove that it knows the password")]
    Unproven,
    /// It says what is wrong in SCRAM's own words.
    #[error("the server broke SCRAM off")]
    Refused,
}

/// The client's side of one exchange.
pub(super) struct Exchange {
    nonce: String,
    binding: Binding,
}

/// What the server must prove at the end.
pub(super) struct Expected {
    server_key: [u8; 32],
    transcript: String,
}

impl Exchange {
    /// Begins one. `nonce` is printable, has no comma, and was never used before.
    pub fn new(nonce: String, binding: Binding) -> Self {
        Self { nonce, binding }
    }

    /// The first message. PostgreSQL takes the user's name from the start of the connection.
    pub fn first(&self) -> String {
        format!("{}n=,r={}", self.binding.header(), self.nonce)
    }

    /// The answer to the server's first message; `keys` makes those for a salt and a number of rounds.
    ///
    /// # Errors
    /// When the message is not one, or not to us.
    pub fn answer(
        &self,
        first: &[u8],
        keys: impl FnOnce(&[u8], NonZeroU32) -> Keys,
    ) -> Result<(String, Expected), Broken> {
        let first = std::str::from_utf8(first).map_err(|_| Broken::Unreadable)?;
        let mut parts = first.split(',');
        let mut part =
            |name: &str| parts.next().and_then(|part| part.strip_prefix(name)).ok_or(Broken::Unreadable);
        let (nonce, salt, rounds) = (part("r=")?, part("s=")?, part("i=")?);
        if parts.next().is_some() {
            return Err(Broken::Unreadable);
        }
        if !nonce.starts_with(&self.nonce) {
            return Err(Broken::Foreign);
        }
        let salt = STANDARD.decode(salt).map_err(|_| Broken::Unreadable)?;
        let rounds: NonZeroU32 = rounds.parse().map_err(|_| Broken::Unreadable)?;
        if rounds.get() > MOST_ROUNDS {
            return Err(Broken::TooManyRounds);
        }
        let Keys { client, server } = keys(&salt, rounds);
        let without_proof = format!("c={},r={nonce}", self.binding.encoded());
        let transcript = format!("n=,r={},{first},{without_proof}", self.nonce);
        let signature = sign(digest(&SHA256, &client).as_ref(), transcript.as_bytes());
        let proof: Vec<u8> = client.iter().zip(signature).map(|(key, bits)| key ^ bits).collect();
        let answer = format!("{without_proof},p={}", STANDARD.encode(proof));
        Ok((answer, Expected { server_key: server, transcript }))
    }
}

impl Expected {
    /// Whether the server's last message proves that it knows the password, too.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self, last: &[u8]) -> Result<(), Broken> {
        let last = std::str::from_utf8(last).map_err(|_| Broken::Unreadable)?;
        if last.starts_with("e=") {
            return Err(Broken::Refused);
        }
        let verifier = last.strip_prefix("v=").ok_or(Broken::Unreadable)?;
        let verifier = STANDARD.decode(verifier).map_err(|_| Broken::Unreadable)?;
        let key = hmac::Key::new(HMAC_SHA256, &self.server_key);
        hmac::verify(&key, self.transcript.as_bytes(), &verifier).map_err(|_| Broken::Unproven)
    }
}
