//! Names and passwords with everything odd in them that PostgreSQL allows.

/// A login that has to work in every format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The role.
    pub username: String,
    /// The database.
    pub dbname: String,
    /// The role's password.
    pub password: String,
}

impl Case {
    fn new(username: impl Into<String>, dbname: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), dbname: dbname.into(), password: password.into() }
    }

    /// One text as user, database and password.
    fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(text.clone(), text.clone(), text)
    }
}

/// SASLprep makes a blank of U+200B for PostgreSQL and libpq, and nothing for pgjdbc: RFC 3454 has it in both tables
/// (B.1 and C.1.2). So pgjdbc does not log in with such a password, however it gets it.
pub const ZERO_WIDTH_SPACE: &str = "zero\u{200b}width";

/// Passwords that are odd, though names like them cannot be had or say nothing new.
const PASSWORDS: &[&str] = &[
    // What SASLprep (RFC 4013) maps to something else, or refuses: then the bytes count as they are.
    "no\u{a0}break",
    "soft\u{ad}hyphen",
    "decomposed n\u{303} A\u{30a}",
    "ligature ﬁ, Ⅸ, ª",
    "wide Ａｂ１",
    "\u{feff}mark",
    "zero width\u{200d}joiner",
    ZERO_WIDTH_SPACE,
    "both ways א1",
    "אבג",
    "unassigned \u{378}",
    "private \u{e000}",
    "lines\u{2028}and\u{85}such",
    "tab\tand bell\u{7} and delete\u{7f}",
    "\u{1}",
    "\t",
    " ",
    "   ",
    // These have no pgpass.
    "of a file\n",
    "windows\r\n",
    "*:*:*:*\n*:*:*:*:other",
];

/// Texts that mean something to others: as users and passwords.
const STRANGE: &[&str] = &[
    "$HOME ${HOME} $(id) `id`",
    "'; DROP ROLE \"x\"; --",
    "\"quoted\"",
    "'quoted'",
    "$$a$$",
    "{\"a\": [1]}",
    "<!-- & &amp; -->",
    "../../etc/passwd",
    "/tmp",
    "Ελληνικά Кириллица",
    "العربية",
];

/// Texts that mean something to one of the parsers, and what is not ASCII: as users, passwords and databases.
const MEANINGFUL: &[&str] = &[
    "%41%2F%00%zz%",
    "100%",
    "a+b c",
    "*",
    "#comment",
    "\\",
    "\\:\\\\::",
    "\\n\\x41\\u0041",
    "a=b",
    "user=x password=y",
    "x?sslmode=disable&user=y#z",
    "x&sslmode=disable",
    "u:p@h:1/d",
    "@/x:@[::1]:5432/",
    "postgresql://u:p@h/d?sslmode=disable",
    "jdbc:postgresql://h/d?user=x",
    " leading",
    "trailing ",
    "  both  ",
    "Größe, naïve, Łódź",
    "日本語のパスワード",
    "emoji 😀 👩\u{200d}💻",
    "not composed e\u{301}",
];

/// The database of those whose database is of no interest: to make one takes longer than all logins of a case.
const SHARED: &str = "plain";

/// All logins, each with a role of its own; some share a database. The first is the plain one.
pub fn all() -> Vec<Case> {
    let printable = || ' '..='~';
    let everything: String = printable().collect();
    // A name has 63 bytes at most.
    let (half, other_half) = everything.split_at(48);
    let mut cases = vec![
        Case::new("plain", SHARED, "plain"),
        Case::new(half, other_half, everything.clone()),
        Case::new(other_half, half, everything.chars().rev().collect::<String>()),
        Case::new("u".repeat(63), "d".repeat(63), "long: \\ ".repeat(120)),
        Case::new("ü".repeat(31), "ß".repeat(31), "€".repeat(100)),
    ];
    // Each where it cannot hide behind another: at the start, in between and at the end.
    let signs = signs();
    for pair in signs.chunks(2) {
        let (one, other) = (pair[0], pair[pair.len() - 1]);
        let dbname = format!("{one}database{other}{one}{other}of{other}");
        cases.extend(pair.iter().map(|sign| {
            let around = |text: &str| format!("{sign}{text}{sign}{sign}of{sign}");
            Case::new(around("user"), dbname.clone(), around("password"))
        }));
    }
    cases.extend(MEANINGFUL.iter().copied().map(Case::of));
    cases.extend(STRANGE.iter().map(|text| Case::new(*text, SHARED, *text)));
    let numbered = PASSWORDS.iter().enumerate();
    cases.extend(numbered.map(|(at, password)| Case::new(format!("user{at}"), SHARED, *password)));
    cases
}

/// Printable ASCII that is neither letter nor digit, the blank included.
fn signs() -> Vec<char> {
    (' '..='~').filter(|sign| !sign.is_ascii_alphanumeric()).collect()
}

#[test]
fn every_sign_stands_at_both_ends_of_a_user_and_a_password_and_at_one_of_a_database() {
    let cases = all();
    for sign in signs() {
        let starts = |text: &str| text.len() > 2 && text.starts_with(sign);
        let ends = |text: &str| text.len() > 2 && text.ends_with(sign);
        let around = |text: &str| starts(text) && ends(text);
        let found = cases.iter().any(|case| {
            around(&case.username) && around(&case.password) && (starts(&case.dbname) || ends(&case.dbname))
        });
        assert!(found, "{sign:?}");
    }
}
