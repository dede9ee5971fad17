//! What stands in a credentials Secret.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::Password;
use super::mark::{SecretOwner, marked_uid};

/// The six keys of the original operator.
pub const ORIGINAL_KEYS: [&str; 6] = ["username", "password", "dbname", "host", "port", "sslmode"];

/// Everything an application needs to log in, the password apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// Role that logs in.
    pub username: String,
    /// Database to connect to.
    pub dbname: String,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// libpq's `sslmode`.
    pub sslmode: String,
    /// The backend, as `provider`.
    pub provider: String,
    /// The certificates that sign the server's, PEM, where they are known.
    pub ca_pem: Option<String>,
}

/// Whose the Secret under the wanted name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// It bears the object's mark.
    Ours,
    /// Written by the original operator for this object, or for an object of the same name that is gone.
    Inherited,
    /// Anything else.
    Foreign,
}

impl ConnectionFacts {
    /// The data of the credentials Secret.
    pub fn data(&self, password: &Password) -> BTreeMap<String, ByteString> {
        let mut data: BTreeMap<&str, String> = BTreeMap::from([
            ("username", self.username.clone()),
            ("password", password.expose().to_owned()),
            ("dbname", self.dbname.clone()),
            ("host", self.host.clone()),
            ("port", self.port.to_string()),
            ("sslmode", self.sslmode.clone()),
            ("hostname", self.host.clone()),
            ("database", self.dbname.clone()),
            ("type", "postgresql".to_owned()),
            ("provider", self.provider.clone()),
            ("uri", self.uri(password, &self.sslmode)),
            ("jdbc-uri", self.jdbc_uri(password)),
        ]);
        if let Some(pgpass) = self.pgpass(password) {
            data.insert("pgpass", pgpass);
        }
        if let Some(ca_pem) = &self.ca_pem {
            data.insert("ca.crt", ca_pem.clone());
            data.insert("uri-verify-full", self.uri(password, "verify-full"));
        }
        data.into_iter().map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes()))).collect()
    }

    fn uri(&self, password: &Password, sslmode: &str) -> String {
        format!(
            "postgresql://{}:{}@{}:{}/{}?sslmode={sslmode}",
            percent_encode(&self.username),
            percent_encode(password.expose()),
            bracketed(&self.host),
            self.port,
            percent_encode(&self.dbname)
        )
    }

    fn jdbc_uri(&self, password: &Password) -> String {
        format!(
            "jdbc:postgresql://{}:{}/{}?user={}&password={}&sslmode={}",
            bracketed(&self.host),
            self.port,
            percent_encode(&self.dbname),
            percent_encode(&self.username),
            percent_encode(password.expose()),
            self.sslmode
        )
    }

    /// None for a password that was taken over from somebody's Secret with a line break in it: the file has no way to
    /// write it, and what comes after the break would be read as a login of its own.
    fn pgpass(&self, password: &Password) -> Option<String> {
        let fields = [&self.host, &self.port.to_string(), &self.dbname, &self.username, password.expose()]
            .map(|field| match field.replace('\\', "\\\\").replace(':', "\\:") {
                // Alone it stands for everything; libpq takes it as a character behind a backslash.
                alone if alone == "*" => "\\*".to_owned(),
                field => field,
            });
        let line = fields.join(":");
        (!line.contains(['\n', '\r'])).then(|| line + "\n")
    }

    /// Whose the Secret is. One without a mark, or with that of an object of the same name before this one, is taken
    /// over only if it says what this object's would say.
    pub fn recognise(&self, owner: &SecretOwner, secret: &Secret) -> Recognised {
        if owner.owns(secret) {
            return Recognised::Ours;
        }
        let says = |key: &str, value: &str| field(secret, key).as_deref() == Some(value);
        let names = |key: &str, value: &str| field(secret, key).is_some_and(|found| is_named(&found, value));
        let left = marked_uid(secret).is_none() || owner.succeeds_in(secret);
        let complete = ORIGINAL_KEYS.iter().all(|key| field(secret, key).is_some());
        if left
            && complete
            && says("host", &self.host)
            && names("username", &self.username)
            && names("dbname", &self.dbname)
        {
            Recognised::Inherited
        } else {
            Recognised::Foreign
        }
    }

    /// Whether the Secret says all of this, and bears the mark of `owner`.
    pub fn is_published_in(&self, owner: &SecretOwner, secret: &Secret, password: &Password) -> bool {
        let Some(found) = &secret.data else { return false };
        let labels = secret.metadata.labels.as_ref();
        self.data(password).iter().all(|(key, value)| found.get(key) == Some(value))
            && owner
                .labels()
                .iter()
                .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    }
}

/// Whether `found` names what is called `name` in PostgreSQL, which keeps 63 bytes of a name: the original wrote longer
/// ones down whole, and whoever logs in with one is let in under what was kept of it. The login of some services is the
/// name and, behind an `@`, the server's.
fn is_named(found: &str, name: &str) -> bool {
    let kept = |name: &str| name.get(..LONGEST_NAME).unwrap_or(name).to_owned();
    let kept = match found.split_once('@') {
        Some((role, server)) => format!("{}@{server}", kept(role)),
        None => kept(found),
    };
    found == name || kept == name
}

/// What PostgreSQL keeps of a name, in bytes.
const LONGEST_NAME: usize = 63;

/// Whether the original operator may have written the Secret: its six keys, and nobody's mark.
pub fn is_unmarked_and_complete(secret: &Secret) -> bool {
    marked_uid(secret).is_none() && ORIGINAL_KEYS.iter().all(|key| field(secret, key).is_some())
}

/// A key of the Secret as text.
pub fn field(secret: &Secret, key: &str) -> Option<String> {
    let bytes = &secret.data.as_ref()?.get(key)?.0;
    String::from_utf8(bytes.clone()).ok()
}

/// The password in the Secret.
pub fn password_in(secret: &Secret) -> Option<Password> {
    field(secret, "password").filter(|password| !password.is_empty()).map(Password::new)
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// RFC 3986: everything but the unreserved characters.
fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ConnectionFacts {
        ConnectionFacts {
            username: "app".to_owned(),
            dbname: "a.b".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 54320,
            sslmode: "require".to_owned(),
            provider: "local".to_owned(),
            ca_pem: Some("PEM".to_owned()),
        }
    }

    fn owner(uid: &str) -> SecretOwner {
        SecretOwner {
            kind: "PostgreSQLDatabase",
            namespace: "team".to_owned(),
            name: "app".to_owned(),
            uid: uid.to_owned(),
        }
    }

    fn secret(data: BTreeMap<String, ByteString>, labels: Option<BTreeMap<String, String>>) -> Secret {
        let mut secret = Secret { data: Some(data), ..Secret::default() };
        secret.metadata.labels = labels;
        secret
    }

    #[test]
    fn awkward_passwords_survive_every_format() {
        let data = facts().data(&Password::new("a:b\\c?d@e/f%"));
        let text = |key: &str| String::from_utf8(data[key].0.clone()).unwrap();
        assert_eq!(
            text("uri"),
            "postgresql://app:a%3Ab%5Cc%3Fd%40e%2Ff%25@127.0.0.1:54320/a.b?sslmode=require"
        );
        assert_eq!(text("pgpass"), "127.0.0.1:54320:a.b:app:a\\:b\\\\c?d@e/f%\n");
        assert!(text("jdbc-uri").ends_with("&password=a%3Ab%5Cc%3Fd%40e%2Ff%25&sslmode=require"));
        assert!(text("uri-verify-full").ends_with("sslmode=verify-full"));
    }

    #[test]
    fn a_password_that_is_a_star_is_no_pattern_in_a_pgpass_file() {
        let data = facts().data(&Password::new("*"));
        assert_eq!(data["pgpass"].0, b"127.0.0.1:54320:a.b:app:\\*\n");
    }

    #[test]
    fn a_password_with_a_line_break_has_no_line_in_a_pgpass_file() {
        for password in ["from a file\n", "x\n*:*:*:*:y", "x\r"].map(Password::new) {
            let data = facts().data(&password);
            assert!(!data.contains_key("pgpass"), "{:?}", data["pgpass"]);
            assert!(data["uri"].0.is_ascii());
            let published = secret(data, Some(owner("1").labels()));
            assert!(facts().is_published_in(&owner("1"), &published, &password));
        }
    }

    #[test]
    fn a_secret_is_ours_by_mark_inherited_by_content_and_else_foreign() {
        let data = facts().data(&Password::new("x"));
        let marked = secret(data.clone(), Some(owner("1").labels()));
        assert_eq!(facts().recognise(&owner("1"), &marked), Recognised::Ours);
        assert_eq!(facts().recognise(&owner("2"), &secret(data.clone(), None)), Recognised::Inherited);
        assert_eq!(facts().recognise(&owner("2"), &marked), Recognised::Inherited);
        let mut other_host = data;
        other_host.insert("host".to_owned(), ByteString(b"elsewhere".to_vec()));
        assert_eq!(facts().recognise(&owner("2"), &secret(other_host.clone(), None)), Recognised::Foreign);
        let marked_elsewhere = secret(other_host, Some(owner("1").labels()));
        assert_eq!(facts().recognise(&owner("2"), &marked_elsewhere), Recognised::Foreign);
    }

    #[test]
    fn a_long_name_that_the_original_wrote_down_whole_is_the_one_that_postgresql_cut() {
        let (whole, cut) = ("n".repeat(70), "n".repeat(63));
        let found = |username: &str| {
            let found = ConnectionFacts { username: username.to_owned(), dbname: whole.clone(), ..facts() };
            secret(found.data(&Password::new("x")), None)
        };
        let ours = ConnectionFacts { username: cut.clone(), dbname: cut.clone(), ..facts() };
        assert_eq!(ours.recognise(&owner("1"), &found(&whole)), Recognised::Inherited);
        assert_eq!(ours.recognise(&owner("1"), &found(&"n".repeat(62))), Recognised::Foreign);
        let at_server = ConnectionFacts { username: format!("{cut}@server"), ..ours.clone() };
        assert_eq!(
            at_server.recognise(&owner("1"), &found(&format!("{whole}@server"))),
            Recognised::Inherited
        );
        assert_eq!(at_server.recognise(&owner("1"), &found(&format!("{whole}@other"))), Recognised::Foreign);
        let short = ConnectionFacts { username: "app".to_owned(), ..ours };
        assert_eq!(short.recognise(&owner("1"), &found("app-2")), Recognised::Foreign);
    }

    #[test]
    fn nothing_is_inherited_from_an_object_of_another_name_namespace_or_kind() {
        let data = facts().data(&Password::new("x"));
        let strangers = [
            SecretOwner { name: "other".to_owned(), ..owner("1") },
            SecretOwner { namespace: "other".to_owned(), ..owner("1") },
            SecretOwner { kind: "PostgreSQLServer", ..owner("1") },
        ];
        for stranger in strangers {
            let marked = secret(data.clone(), Some(stranger.labels()));
            assert_eq!(facts().recognise(&owner("2"), &marked), Recognised::Foreign, "{stranger:?}");
        }
    }

    #[test]
    fn a_foreign_key_in_the_secret_does_not_make_it_out_of_date_but_another_port_does() {
        let password = Password::new("x");
        let mut data = facts().data(&password);
        data.insert("added-by-hand".to_owned(), ByteString(b"y".to_vec()));
        let found = secret(data, Some(owner("1").labels()));
        assert!(facts().is_published_in(&owner("1"), &found, &password));
        let moved = ConnectionFacts { port: 1, ..facts() };
        assert!(!moved.is_published_in(&owner("1"), &found, &password));
    }
}
