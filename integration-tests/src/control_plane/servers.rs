//! How etcd and kube-apiserver are called.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use super::certificates::Files;
use super::error::Error;

/// The database.
pub(super) const ETCD: &str = "etcd";
/// The API server.
pub(super) const API_SERVER: &str = "kube-apiserver";
/// The API server's audit log in the control plane's folder.
pub(super) const AUDIT_LOG: &str = "audit.log";
/// Where cluster addresses of Services come from; nothing routes there.
const SERVICE_RANGE: &str = "10.96.0.0/16";

/// etcd's socket, relative to the control plane's folder, in which both servers run.
///
/// A socket instead of a port: etcd has no login here, and a socket in a folder of mode 0700 is out of other users'
/// reach; nor can it collide with anything. Relative, because socket paths end at 107 bytes. The `:0` is
/// part of the file's name; etcd insists on something that looks like a port.
const ETCD_SOCKET: &str = "unix://etcd.sock:0";
/// The socket on which etcd would talk to other members.
const ETCD_PEER_SOCKET: &str = "unix://etcd-peer.sock:0";

/// What is recorded of each request: who, what, and how it ended. No bodies, which may be Secrets.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  # The API server talking to itself, and whether it is ready: nobody asks for that.
  - level: None
    users: [system:apiserver]
  - level: None
    nonResourceURLs: ['/healthz*', '/livez*', '/readyz*']
  - level: Metadata
";

/// etcd's arguments.
pub(super) fn etcd(folder: &Path) -> Vec<String> {
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--name={ETCD}"),
        format!("--listen-client-urls={ETCD_SOCKET}"),
        format!("--advertise-client-urls={ETCD_SOCKET}"),
        format!("--listen-peer-urls={ETCD_PEER_SOCKET}"),
        format!("--initial-advertise-peer-urls={ETCD_PEER_SOCKET}"),
        format!("--initial-cluster={ETCD}={ETCD_PEER_SOCKET}"),
        // The data need not survive a crash of the machine.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

/// kube-apiserver's arguments; its audit policy is written to `folder`.
pub(super) fn api_server(folder: &Path, files: &Files, port: u16, kept: bool) -> Result<Vec<String>, Error> {
    let policy = folder.join("audit-policy.yaml");
    super::certificates::write(&policy, AUDIT_POLICY)?;
    Ok(vec![
        format!("--etcd-servers={ETCD_SOCKET}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        // Else it looks for an address of the host's network, and fails where there is none.
        "--advertise-address=127.0.0.1".to_owned(),
        // It would try in vain to publish the loopback address as endpoint of the Service `kubernetes`.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--service-cluster-ip-range={SERVICE_RANGE}"),
        "--authorization-mode=RBAC".to_owned(),
        "--anonymous-auth=false".to_owned(),
        format!("--client-ca-file={}", files.ca.display()),
        format!("--tls-cert-file={}", files.server.display()),
        format!("--tls-private-key-file={}", files.server_key.display()),
        format!("--cert-dir={}", folder.display()),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!("--service-account-signing-key-file={}", files.tokens_key.display()),
        format!("--service-account-key-file={}", files.tokens_public.display()),
        format!("--audit-policy-file={}", policy.display()),
        format!("--audit-log-path={}", folder.join(AUDIT_LOG).display()),
        // A kept cluster must not fill the disk: at most the current part and the one before. A throw-away one ends soon,
        // and whoever counts its requests shall find all of them.
        "--audit-log-maxbackup=1".to_owned(),
        format!("--audit-log-maxsize={}", if kept { 100 } else { 4000 }),
        "--profiling=false".to_owned(),
    ])
}

/// A port of loopback that is free now. Another process may take it before the API server does; the caller tries again.
pub(crate) fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("finding a free port on", "127.0.0.1"))
}
