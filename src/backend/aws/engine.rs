//! The two kinds of PostgreSQL that AWS has. Pure.

/// What runs on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// PostgreSQL on an instance of RDS.
    Rds,
    /// Aurora with PostgreSQL's protocol, in a cluster.
    Aurora,
}

impl Engine {
    /// In the service's requests.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rds => "postgres",
            Self::Aurora => "aurora-postgresql",
        }
    }

    /// For people.
    pub(super) fn product(self) -> &'static str {
        match self {
            Self::Rds => "RDS",
            Self::Aurora => "Aurora",
        }
    }

    /// What a server is, for people.
    pub(super) fn server(self) -> &'static str {
        match self {
            Self::Rds => "RDS instance",
            Self::Aurora => "Aurora cluster",
        }
    }

    /// The same in one word.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Rds => "instance",
            Self::Aurora => "cluster",
        }
    }

    /// The family of the parameter groups of a major version.
    pub(super) fn family(self, major: u32) -> String {
        format!("{}{major}", self.name())
    }
}
