//! What stands between the operator and one server.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, IpAddr, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::messages::{self, Message, Start};
use super::{SqlFault, SqlFaults, names};

/// Where a server is, and the folder with its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub host: String,
    pub port: u16,
    pub tls: PathBuf,
}

/// Listens for connections to one server, as long as it is there.
pub(super) struct Proxy {
    /// Where it listens.
    pub port: u16,
    target: Arc<Mutex<Target>>,
    listening: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Proxy {
    /// Stands before the server of the namespace.
    pub async fn start(target: Target, faults: SqlFaults, namespace: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((target.host.as_str(), 0)).await?;
        let port = listener.local_addr()?.port();
        let target = Arc::new(Mutex::new(target));
        let listening = tokio::spawn(listen(listener, target.clone(), faults, namespace.to_owned()));
        Ok(Self { port, target, listening })
    }

    /// From now on it stands before that server.
    pub fn lead_to(&self, target: Target) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }
}

async fn listen(listener: TcpListener, target: Arc<Mutex<Target>>, faults: SqlFaults, namespace: String) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Out of file descriptors, for the moment.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let target = target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (faults, namespace) = (faults.clone(), namespace.clone());
        tokio::spawn(async move {
            if let Err(error) = serve(client, &target, &faults, &namespace).await {
                tracing::debug!(namespace, %error, "a connection through the proxy broke");
            }
        });
    }
}

/// One connection from its beginning to its end. Whatever goes wrong on one side ends it on the other.
async fn serve(
    mut client: TcpStream,
    target: &Target,
    faults: &SqlFaults,
    namespace: &str,
) -> io::Result<()> {
    if !messages::wants_tls(&mut client).await? {
        return Ok(());
    }
    let server = target.connect().await?;
    client.set_nodelay(true)?;
    client.write_all(b"S").await?;
    let mut client = target.accept(client).await?;
    let start = messages::start(&mut client).await?;
    let mut talk = Talk { client, server, asked: Vec::new(), answered: Vec::new(), loses: false };
    let name = names::of_login(&start);
    let counting = start.is_operators.then_some((faults, namespace));
    talk.begin(&start, counting.and_then(|(faults, namespace)| faults.ask(namespace, &name)), counting).await
}

impl Target {
    /// As the server itself would.
    async fn accept(&self, client: TcpStream) -> io::Result<server::TlsStream<TcpStream>> {
        let certificates: Vec<_> =
            CertificateDer::pem_file_iter(self.tls.join("server.crt")).map_err(broken)?.flatten().collect();
        let key = PrivateKeyDer::from_pem_file(self.tls.join("server.key")).map_err(broken)?;
        let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key);
        if let Ok(config) = &mut config {
            // PostgreSQL has none either.
            config.send_tls13_tickets = 0;
        }
        TlsAcceptor::from(Arc::new(config.map_err(broken)?)).accept(client).await
    }

    async fn connect(&self) -> io::Result<client::TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(self.tls.join("ca.pem")).map_err(broken)?.flatten() {
            roots.add(certificate).map_err(broken)?;
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let name = match self.host.parse::<std::net::IpAddr>() {
            Ok(address) => ServerName::IpAddress(IpAddr::from(address)),
            Err(_) => ServerName::try_from(self.host.clone()).map_err(broken)?,
        };
        let mut server = TcpStream::connect((self.host.as_str(), self.port)).await?;
        server.set_nodelay(true)?;
        server.write_all(&messages::ask_for_tls()).await?;
        if server.read_u8().await? != b'S' {
            return Err(broken("the server speaks no TLS"));
        }
        TlsConnector::from(Arc::new(config)).connect(name, server).await
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

/// Who counts requests, and for which namespace; nobody where a test asks.
type Counting<'a> = Option<(&'a SqlFaults, &'a str)>;

/// Client and server, and what of their messages is not complete yet.
struct Talk {
    client: server::TlsStream<TcpStream>,
    server: client::TlsStream<TcpStream>,
    asked: Vec<u8>,
    answered: Vec<u8>,
    /// The answer that is on its way shall not arrive.
    loses: bool,
}

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    /// It is over: as its ends wish, or broken.
    Over,
}

impl Talk {
    async fn begin(
        &mut self,
        start: &Start,
        fault: Option<SqlFault>,
        counting: Counting<'_>,
    ) -> io::Result<()> {
        if self.ask(&start.bytes, fault).await? == Goes::Over {
            return Ok(());
        }
        loop {
            let goes = tokio::select! {
                read = self.client.read_buf(&mut self.asked) => match read? {
                    0 => Goes::Over,
                    _ => self.requests(counting).await?,
                },
                read = self.server.read_buf(&mut self.answered) => match read? {
                    0 if self.loses => self.reset()?,
                    0 => Goes::Over,
                    _ => self.answers().await?,
                },
            };
            if goes == Goes::Over {
                return Ok(());
            }
        }
    }

    /// Hands on what is complete of what the client asks, request by request.
    async fn requests(&mut self, counting: Counting<'_>) -> io::Result<Goes> {
        while let Some(Request { length, name }) = request(&self.asked)? {
            let bytes: Vec<u8> = self.asked.drain(..length).collect();
            let fault = match (counting, &name) {
                (Some((faults, namespace)), Some(name)) => faults.ask(namespace, name),
                _ => None,
            };
            if self.ask(&bytes, fault).await? == Goes::Over {
                return Ok(Goes::Over);
            }
        }
        Ok(Goes::On)
    }

    /// Hands one request on, or lets it meet its fault.
    async fn ask(&mut self, bytes: &[u8], fault: Option<SqlFault>) -> io::Result<Goes> {
        match fault {
            Some(SqlFault::Cut) => return self.reset(),
            Some(SqlFault::Hang) => {
                // Until the client has enough of it.
                let mut unheard = [0; 1024];
                while self.client.read(&mut unheard).await? > 0 {}
                return Ok(Goes::Over);
            }
            Some(SqlFault::Lost) => self.loses = true,
            None => {}
        }
        self.server.write_all(bytes).await?;
        self.server.flush().await?;
        Ok(Goes::On)
    }

    /// Hands on what the server answers, or waits for the end of it in silence.
    async fn answers(&mut self) -> io::Result<Goes> {
        if !self.loses {
            self.client.write_all(&self.answered).await?;
            self.client.flush().await?;
            self.answered.clear();
            return Ok(Goes::On);
        }
        while let Some(Message { tag, bytes }) = messages::first(&self.answered)? {
            let message = Message { tag, bytes };
            if tag == b'Z' {
                return self.reset();
            }
            // Otherwise the login would never come to its end.
            if message.is_step_of_login() {
                self.client.write_all(bytes).await?;
                self.client.flush().await?;
            }
            let length = bytes.len();
            self.answered.drain(..length);
        }
        Ok(Goes::On)
    }

    /// Closes the client's connection by a reset rather than a goodbye.
    fn reset(&mut self) -> io::Result<Goes> {
        self.client.get_ref().0.set_zero_linger()?;
        Ok(Goes::Over)
    }
}

/// What a client says until it waits for an answer.
struct Request {
    length: usize,
    /// None: a step of a login, or the goodbye.
    name: Option<String>,
}

/// The request at the beginning of `bytes`, once all of it is there.
fn request(bytes: &[u8]) -> io::Result<Option<Request>> {
    let (mut length, mut name) = (0, None);
    while let Some(message) = messages::first(&bytes[length..])? {
        length += message.bytes.len();
        name = name.or(message.sql().map(|sql| names::of_statement(&sql)));
        // Query, Sync, an answer in a login, Terminate.
        if matches!(message.tag, b'Q' | b'S' | b'p' | b'X') {
            return Ok(Some(Request { length, name }));
        }
    }
    Ok(None)
}
