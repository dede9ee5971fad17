//! How the names of logins are spelled. Pure.

/// How a role logs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logins {
    /// Under its own name.
    #[default]
    AsRole,
    /// As `role@host`, with the host that the server is reached at. PostgreSQL itself knows nothing of the host.
    AtHost,
}

impl Logins {
    /// What a role logs in as.
    pub fn of(self, role: &str, host: &str) -> String {
        match self {
            Self::AsRole => role.to_owned(),
            Self::AtHost => format!("{role}@{host}"),
        }
    }

    /// The role that logs in like this.
    pub fn role(self, login: &str) -> &str {
        match self {
            Self::AsRole => login,
            Self::AtHost => login.rsplit_once('@').map_or(login, |(role, _)| role),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_names_the_host_only_where_the_service_wants_it() {
        assert_eq!(Logins::AsRole.of("app", "db.example"), "app");
        assert_eq!(Logins::AtHost.of("app", "db.example"), "app@db.example");
    }

    #[test]
    fn the_role_of_a_login_is_what_postgresql_knows() {
        assert_eq!(Logins::AsRole.role("app@db"), "app@db");
        assert_eq!(Logins::AtHost.role("app@db"), "app");
        assert_eq!(Logins::AtHost.role("a@b@db"), "a@b");
        assert_eq!(Logins::AtHost.role("app"), "app");
    }
}
