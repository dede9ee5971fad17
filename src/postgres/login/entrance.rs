//! A connection over TLS, through SCRAM up to where the server lets us in.
//!
//! The driver believes that it makes a TLS connection. It gets one on which the start of the connection was said
//! already: its own first message is dropped, and what the server answered and we did not take is read by it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use rand::Rng;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::fallible_iterator::FallibleIterator;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, SHA_1_WITH_RSA_ENCRYPTION, SHA_256_WITH_RSA_ENCRYPTION,
    SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};

use super::keys;
use super::scram::{BOUND, Binding, Exchange, PLAIN};
use crate::postgres::endpoint::Login;
use crate::secrets::Password;

/// No message of a login is longer.
const LONGEST: usize = 64 * 1024;

/// Makes the connections of one login.
#[derive(Clone)]
pub(super) struct Entrance {
    tls: Arc<ClientConfig>,
    domain: String,
    start: BytesMut,
    /// None: the driver logs in.
    password: Option<Password>,
}

impl Entrance {
    /// As which user, to which database. Only a password in ASCII is tried here: any other has to be prepared first.
    pub fn new(tls: Arc<ClientConfig>, login: &Login<'_>, application_name: &str) -> Self {
        let parameters = [
            ("client_encoding", "UTF8"),
            ("user", login.user),
            ("database", login.dbname),
            ("application_name", application_name),
        ];
        let mut start = BytesMut::new();
        // A NUL byte in a name: the driver will say so.
        let written = frontend::startup_message(parameters, &mut start).is_ok();
        let password = login.password.filter(|password| written && password.expose().is_ascii()).cloned();
        Self { tls, domain: String::new(), start, password }
    }

    async fn enter(self, socket: Socket) -> io::Result<Entered> {
        let domain = ServerName::try_from(self.domain)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let stream = TlsConnector::from(self.tls).connect(domain, socket).await?;
        let certificates = stream.get_ref().1.peer_certificates();
        let binding = certificates.and_then(|all| digest_of(all.first()?));
        let mut entered =
            Entered { stream, binding, unread: BytesMut::new(), drops: Drops::Nothing, failure: None };
        if let Some(password) = &self.password {
            entered.drops = Drops::Start;
            // The driver meets it where it would have met it itself.
            entered.failure = entered.log_in(&self.start, password).await.err();
        }
        Ok(entered)
    }
}

impl MakeTlsConnect<Socket> for Entrance {
    type Stream = Entered;
    type TlsConnect = Self;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Self> {
        Ok(Self { domain: domain.to_owned(), ..self.clone() })
    }
}

impl TlsConnect<Socket> for Entrance {
    type Stream = Entered;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Entered>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(self.enter(socket))
    }
}

/// The digest of the certificate by which SCRAM is bound to it (RFC 5929, section 4.1); none where the certificate's
/// signature has no digest of its own.
fn digest_of(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match Certificate::from_der(certificate).ok()?.signature_algorithm.oid {
        SHA_1_WITH_RSA_ENCRYPTION | SHA_256_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_256 => &SHA256,
        SHA_384_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_384 => &SHA384,
        SHA_512_WITH_RSA_ENCRYPTION => &SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

/// The connection, as the driver uses it.
pub struct Entered {
    stream: tokio_rustls::client::TlsStream<Socket>,
    binding: Option<Vec<u8>>,
    /// What was read and not taken.
    unread: BytesMut,
    drops: Drops,
    failure: Option<io::Error>,
}

/// What of that which the driver writes does not go to the server.
enum Drops {
    /// Its first message, which holds its own length.
    Start,
    /// So much of it is left.
    Rest(usize),
    Nothing,
}

impl Entered {
    /// Takes part until the server has proved that it knows the password. Anything else it says is left to the driver.
    async fn log_in(&mut self, start: &[u8], password: &Password) -> io::Result<()> {
        self.stream.write_all(start).await?;
        self.stream.flush().await?;
        let Some(Message::AuthenticationSasl(offer)) = self.peek().await? else { return Ok(()) };
        let offered: Vec<String> = offer.mechanisms().map(|name| Ok(name.to_owned())).collect()?;
        let offers = |name: &str| offered.iter().any(|offered| offered == name);
        let (mechanism, binding) = match self.binding.clone() {
            Some(digest) if offers(BOUND) => (BOUND, Binding::Certificate(digest)),
            _ if !offers(PLAIN) => return Ok(()),
            None => (PLAIN, Binding::Impossible),
            Some(_) => (PLAIN, Binding::NotOffered),
        };
        self.take()?;
        let exchange = Exchange::new(nonce(), binding);
        let mut message = BytesMut::new();
        frontend::sasl_initial_response(mechanism, exchange.first().as_bytes(), &mut message)?;
        self.stream.write_all(&message).await?;
        self.stream.flush().await?;

        let Some(Message::AuthenticationSaslContinue(first)) = self.peek().await? else { return Ok(()) };
        let keys = |salt: &[u8], rounds| keys::of(password.expose().as_bytes(), salt, rounds);
        let (answer, expected) = exchange.answer(first.data(), keys).map_err(broken)?;
        self.take()?;
        message.clear();
        frontend::sasl_response(answer.as_bytes(), &mut message)?;
        self.stream.write_all(&message).await?;
        self.stream.flush().await?;

        let Some(Message::AuthenticationSaslFinal(last)) = self.peek().await? else { return Ok(()) };
        expected.check(last.data()).map_err(broken)?;
        self.take()
    }

    /// The next message, which stays unread; none where it is one that the driver knows better.
    async fn peek(&mut self) -> io::Result<Option<Message>> {
        loop {
            if let Some(length) = self.length()? {
                return Message::parse(&mut BytesMut::from(&self.unread[..length]));
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The length of the next message, once all of it is there.
    fn length(&self) -> io::Result<Option<usize>> {
        let Some(length) = self.unread.get(1..5).and_then(|bytes| bytes.try_into().ok()) else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(length) as usize + 1;
        if length > LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the server's answer is too long for a login",
            ));
        }
        Ok((self.unread.len() >= length).then_some(length))
    }

    /// The message that was looked at is read.
    fn take(&mut self) -> io::Result<()> {
        if let Some(length) = self.length()? {
            self.unread.advance(length);
        }
        Ok(())
    }
}

fn broken(error: super::scram::Broken) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// 144 bits that nobody can foresee, in letters that SCRAM allows.
fn nonce() -> String {
    let mut random = [0; 18];
    rand::rng().fill_bytes(&mut random);
    STANDARD.encode(random)
}

impl TlsStream for Entered {
    fn channel_binding(&self) -> ChannelBinding {
        self.binding.clone().map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

impl AsyncRead for Entered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Err(failure));
        }
        if !self.unread.is_empty() {
            let length = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread.split_to(length));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Entered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let rest = match self.drops {
            Drops::Nothing => {
                let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
                return Poll::Ready(Ok(written));
            }
            Drops::Rest(rest) => rest,
            Drops::Start => match bytes.get(..4).and_then(|bytes| bytes.try_into().ok()) {
                Some(length) => u32::from_be_bytes(length) as usize,
                None => return Poll::Ready(Err(io::ErrorKind::InvalidInput.into())),
            },
        };
        let dropped = rest.min(bytes.len());
        self.drops = if rest > dropped { Drops::Rest(rest - dropped) } else { Drops::Nothing };
        Poll::Ready(Ok(dropped))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
