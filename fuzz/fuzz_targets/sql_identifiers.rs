//! Hostile names and values in every statement: each is one identifier or one string, and nothing else changes.
#![no_main]

use std::sync::Once;

use hcpg::postgres::{DatabaseNames, SqlError, statements};
use hcpg_fuzz::lexer::{self, Token, tokens};
use libfuzzer_sys::fuzz_target;

/// What is put into statements.
struct Words {
    names: DatabaseNames,
    owner_uid: String,
    password: String,
    charset: String,
    collation: String,
    extension: String,
}

impl Words {
    /// None for what never gets as far as a statement: PostgreSQL's protocol ends a text at NUL, and so does
    /// `hcpg_fuzz::parts`.
    fn read(data: &[u8]) -> Self {
        let mut parts = hcpg_fuzz::parts(data);
        let mut next = || parts.next().unwrap_or_default();
        Self {
            names: DatabaseNames { database: next(), role: next() },
            owner_uid: next(),
            password: next(),
            charset: next(),
            collation: next(),
            extension: next(),
        }
    }

    fn harmless() -> Self {
        let word = |text: &str| format!("harmless_{text}");
        Self {
            names: DatabaseNames { database: word("database"), role: word("role") },
            owner_uid: word("uid"),
            password: word("password"),
            charset: word("charset"),
            collation: word("collation"),
            extension: word("extension"),
        }
    }

    fn statements(&self) -> Vec<(&'static str, Result<String, SqlError>)> {
        let Self { names, owner_uid, password, charset, collation, extension } = self;
        let (database, role) = (names.database.as_str(), names.role.as_str());
        let (charset, collation) = (charset.as_str(), collation.as_str());
        vec![
            ("create, defaults", statements::create_database(names, None, None)),
            ("create, charset", statements::create_database(names, Some(charset), None)),
            ("create, collation", statements::create_database(names, None, Some(collation))),
            ("create, both", statements::create_database(names, Some(charset), Some(collation))),
            ("drop", Ok(statements::drop_database(database, false))),
            ("drop, forced", Ok(statements::drop_database(database, true))),
            ("close", Ok(statements::allow_connections(database, false))),
            ("open", Ok(statements::allow_connections(database, true))),
            ("own", Ok(statements::own_database(names))),
            ("revoke", Ok(statements::revoke_public(database))),
            ("grant", Ok(statements::grant_database(names))),
            ("grant schema", Ok(statements::grant_schema(role))),
            ("extension", Ok(statements::create_extension(extension))),
            ("mark role", Ok(statements::comment_on_role(role, owner_uid))),
            ("mark database", Ok(statements::comment_on_database(database, owner_uid))),
            ("login", Ok(statements::login(role, true))),
            ("no login", Ok(statements::login(role, false))),
            ("membership", Ok(statements::grant_role(role, "WITH ADMIN OPTION"))),
            ("release", Ok(statements::release(role))),
            ("drop role", Ok(statements::drop_role(role))),
            ("create role", Ok(statements::write_role("CREATE ROLE", role, password, owner_uid))),
            ("password", Ok(statements::set_password(role, password))),
            ("administrator", Ok(statements::administrator("ALTER ROLE", role, password, database))),
        ]
    }

    /// What a harmless word must have become.
    fn in_place_of(&self, harmless: &str) -> String {
        let mark = statements::MARK_PREFIX;
        if let Some("harmless_uid") = harmless.strip_prefix(mark) {
            return format!("{mark}{}", self.owner_uid);
        }
        match harmless {
            "harmless_database" => &self.names.database,
            "harmless_role" => &self.names.role,
            "harmless_password" => &self.password,
            "harmless_charset" => &self.charset,
            "harmless_collation" => &self.collation,
            "harmless_extension" => &self.extension,
            other => panic!("{other:?} is no word of ours"),
        }
        .clone()
    }
}

static CHECKED: Once = Once::new();

fuzz_target!(|data: &[u8]| {
    CHECKED.call_once(lexer::check);
    let hostile = Words::read(data);
    for ((what, sql), (_, model)) in hostile.statements().into_iter().zip(Words::harmless().statements()) {
        let Ok(sql) = sql else {
            let odd = |text: &str| text.is_empty() || text.len() > 100 || text.chars().any(char::is_control);
            assert!(odd(&hostile.charset) || odd(&hostile.collation), "{what} is refused without need");
            continue;
        };
        let model = tokens(&model.unwrap(), true);
        let expected: Vec<Token> = model
            .into_iter()
            .map(|token| match token {
                Token::Identifier(text) => Token::Identifier(hostile.in_place_of(&text)),
                Token::Text(text) => Token::Text(hostile.in_place_of(&text)),
                other => other,
            })
            .collect();
        // Whatever the server, or a user by its parameters, makes of backslashes.
        for standard in [true, false] {
            assert_eq!(tokens(&sql, standard), expected, "{what} (standard: {standard}): {sql}");
        }
    }
});
