//! The gate before a single server: everybody logs in as `user@server` [D], which PostgreSQL itself knows nothing of.
//!
//! It ends TLS, takes the suffix off, and hands on everything else as it is.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::postgres::{Address, Error, PORT};

const TLS_REQUEST: u32 = 80_877_103;
const CANCEL_REQUEST: u32 = 80_877_102;
/// A startup packet is small; PostgreSQL's own limit.
const MOST: usize = 10_000;

/// Ends when it is dropped.
pub(in crate::azure) struct Gate {
    address: Address,
    listener: tokio::task::JoinHandle<()>,
}

/// Who may pass.
pub(super) struct Rules {
    /// The server's name.
    pub(super) server: String,
    /// Whether TLS is a must.
    pub(super) tls: bool,
    /// PostgreSQL behind.
    pub(super) behind: Ipv4Addr,
}

impl Gate {
    pub(super) async fn open(address: Address, acceptor: TlsAcceptor, rules: Rules) -> Result<Self, Error> {
        let socket = TcpListener::bind((address.ip(), PORT)).await.map_err(Error::io("bind", "a gate"))?;
        let rules = Arc::new(rules);
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let (acceptor, rules) = (acceptor.clone(), rules.clone());
                // An error is a client that went away.
                tokio::spawn(async move { pass(stream, &acceptor, &rules).await });
            }
        });
        Ok(Self { address, listener })
    }

    pub(in crate::azure) fn ip(&self) -> Ipv4Addr {
        self.address.ip()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn pass(mut stream: TcpStream, acceptor: &TlsAcceptor, rules: &Rules) -> io::Result<()> {
    let first = packet(&mut stream).await?;
    if code(&first) == Some(TLS_REQUEST) {
        stream.write_all(b"S").await?;
        let mut stream = acceptor.accept(stream).await?;
        let first = packet(&mut stream).await?;
        return through(stream, first, rules).await;
    }
    if rules.tls {
        return refuse(stream, "SSL connection is required. Please specify SSL options and retry.").await;
    }
    through(stream, first, rules).await
}

/// Length and content.
async fn packet(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = usize::try_from(stream.read_u32().await?).unwrap_or(MOST);
    if !(8..MOST).contains(&length) {
        return Err(io::Error::other("no startup packet"));
    }
    let mut content = vec![0; length - 4];
    stream.read_exact(&mut content).await?;
    Ok(content)
}

fn code(packet: &[u8]) -> Option<u32> {
    packet.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

async fn through(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    first: Vec<u8>,
    rules: &Rules,
) -> io::Result<()> {
    let first = match code(&first) {
        Some(CANCEL_REQUEST) => first,
        _ => match stripped(&first, &rules.server) {
            Some(first) => first,
            None => {
                let message = "Invalid Username specified. Please check the Username and retry connection. The Username \
                               should be in <username@hostname> format.";
                return refuse(stream, message).await;
            }
        },
    };
    let mut behind = TcpStream::connect((rules.behind, PORT)).await?;
    let length = u32::try_from(first.len() + 4).unwrap_or_default();
    behind.write_all(&length.to_be_bytes()).await?;
    behind.write_all(&first).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut behind).await.map(drop)
}

/// The startup packet with `user` in place of `user@server`; none: there was no such suffix.
fn stripped(packet: &[u8], server: &str) -> Option<Vec<u8>> {
    let mut parts: Vec<String> = packet
        .get(4..)?
        .split(|byte| *byte == 0)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    // Names and values take turns.
    let at = parts.iter().step_by(2).position(|name| name == "user")? * 2 + 1;
    let (user, host) = parts.get(at)?.rsplit_once('@')?;
    if !host.split('.').next()?.eq_ignore_ascii_case(server) && host.parse::<Ipv4Addr>().is_err() {
        return None;
    }
    parts[at] = user.to_owned();
    let mut new = packet[..4].to_vec();
    new.extend(parts.join("\0").as_bytes());
    Some(new)
}

async fn refuse(mut stream: impl AsyncWrite + Unpin, message: &str) -> io::Result<()> {
    let mut fields = Vec::new();
    for (field, value) in [('S', "FATAL"), ('V', "FATAL"), ('C', "28000"), ('M', message)] {
        fields.extend(format!("{field}{value}\0").as_bytes());
    }
    fields.push(0);
    let length = u32::try_from(fields.len() + 4).unwrap_or_default();
    stream.write_all(b"E").await?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&fields).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn startup(user: &str) -> Vec<u8> {
        [b"\0\x03\0\0user\0".as_slice(), user.as_bytes(), b"\0database\0user\0\0"].concat()
    }

    #[rstest::rstest]
    #[case("app@shop", Some("app"))]
    #[case("app@shop.postgres.database.azure.com", Some("app"))]
    #[case("a@b@shop", Some("a@b"))]
    #[case("app@127.3.4.5", Some("app"))]
    #[case("app@other", None)]
    #[case("app", None)]
    fn the_suffix_is_taken_off_and_must_be_there(#[case] user: &str, #[case] plain: Option<&str>) {
        assert_eq!(stripped(&startup(user), "shop"), plain.map(startup));
    }
}
