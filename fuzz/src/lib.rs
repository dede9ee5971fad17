//! What the fuzz targets share. See docs/fuzzing.md.

pub mod conf;
pub mod config;
pub mod lexer;

/// The parts of an input, which are separated by NUL: as readable as `/proc/self/environ`, and easy to mutate.
pub fn parts(data: &[u8]) -> impl Iterator<Item = String> + '_ {
    data.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned())
}

/// Whether Kubernetes takes this as a name (a DNS-1123 subdomain).
pub fn is_kubernetes_name(name: &str) -> bool {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}
