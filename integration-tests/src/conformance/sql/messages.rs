//! As much of PostgreSQL's protocol as it takes to tell requests apart.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// As whom the operator gives itself out.
const OPERATOR: &str = "hybrid-cloud-postgresql-operator";
/// The code that asks for TLS, in the place of a version.
const SSL_REQUEST: u32 = 80_877_103;
/// No message that a test sends is longer.
const LONGEST: usize = 1 << 20;

/// How a connection begins.
pub(super) struct Start {
    /// The message itself.
    pub bytes: Vec<u8>,
    /// The role that logs in.
    pub user: String,
    /// To which database.
    pub database: String,
    /// Whether the operator does.
    pub is_operators: bool,
}

/// Waits for the wish for TLS; false where somebody only knocked.
pub(super) async fn wants_tls(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
    match untagged(stream).await {
        Ok(message) if code(&message) == Some(SSL_REQUEST) => Ok(true),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "no TLS is asked for")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads the first message over TLS.
pub(super) async fn start(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Start> {
    let bytes = untagged(stream).await?;
    let texts: Vec<&[u8]> = bytes.get(8..).unwrap_or_default().split(|byte| *byte == 0).collect();
    let value = |name: &str| {
        let pair = texts.chunks_exact(2).find(|pair| pair[0] == name.as_bytes());
        pair.map(|pair| String::from_utf8_lossy(pair[1]).into_owned()).unwrap_or_default()
    };
    let (user, database) = (value("user"), value("database"));
    let is_operators = value("application_name") == OPERATOR;
    Ok(Start { user, database, is_operators, bytes })
}

/// The message that asks for TLS.
pub(super) fn ask_for_tls() -> [u8; 8] {
    let mut message = [0, 0, 0, 8, 0, 0, 0, 0];
    message[4..].copy_from_slice(&SSL_REQUEST.to_be_bytes());
    message
}

/// A message without a letter in front: only the first ones of a connection.
async fn untagged(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    message.resize(sensible(length)?.max(4), 0);
    stream.read_exact(&mut message[4..]).await?;
    Ok(message)
}

fn code(message: &[u8]) -> Option<u32> {
    message.get(4..8)?.try_into().ok().map(u32::from_be_bytes)
}

fn sensible(length: u32) -> io::Result<usize> {
    let length = length as usize;
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
    }
    Ok(length)
}

/// One message with its letter.
pub(super) struct Message<'a> {
    /// What kind it is.
    pub tag: u8,
    /// All of it.
    pub bytes: &'a [u8],
}

impl Message<'_> {
    /// The SQL text of a query, simple or parsed.
    pub fn sql(&self) -> Option<String> {
        let body = self.bytes.get(5..)?;
        let mut texts = body.split(|byte| *byte == 0);
        let text = match self.tag {
            b'Q' => texts.next(),
            // Before it stands the statement's name.
            b'P' => texts.nth(1),
            _ => None,
        };
        text.map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// Whether it is a step of a login after which more steps come.
    pub fn is_step_of_login(&self) -> bool {
        const SASL: u32 = 10;
        const SASL_CONTINUE: u32 = 11;
        let step = self.bytes.get(5..9).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        self.tag == b'R' && matches!(step, Some(SASL | SASL_CONTINUE))
    }
}

/// The message at the beginning of `bytes`, once all of it is there.
pub(super) fn first(bytes: &[u8]) -> io::Result<Option<Message<'_>>> {
    let Some(length) = bytes.get(1..5).and_then(|length| length.try_into().ok()) else { return Ok(None) };
    let length = sensible(u32::from_be_bytes(length))? + 1;
    Ok(bytes.get(..length).map(|bytes| Message { tag: bytes[0], bytes }))
}
