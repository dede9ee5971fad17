//! What nobody with good intentions writes.

/// Stands in every value that could become SQL, so that it can be looked for.
pub const MARK: &str = "hcpghostile";

/// A file that nobody must make; from anywhere below the operator's folder, or by a shell.
pub const FILE: &str = "hcpghostile-file";

/// All of them, with a name for people.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("a quote", format!("x'; DROP DATABASE canary; DROP ROLE canary; --{MARK}")),
        ("a double quote", format!("x\"; DROP DATABASE canary; --{MARK}")),
        ("a backslash", format!("\\'; DROP DATABASE canary; --{MARK}\\")),
        ("a dollar quote", format!("$$; DROP DATABASE canary; --{MARK}")),
        ("a line break", format!("1\nlisten_addresses = '*' # {MARK}\n\\! touch /tmp/{FILE}\n")),
        ("NUL", format!("a\0{MARK}")),
        ("a way up", format!("../../{FILE}")),
        ("another file", "/etc/passwd".to_owned()),
        ("a shell", format!("$(touch /tmp/{FILE}) `touch /tmp/{FILE}`")),
        ("a format", format!("%s%n%x{{}}{MARK}")),
        ("endless", format!("{MARK}{}", "a".repeat(10_000))),
        ("right to left", format!("\u{202e}{MARK}\u{202c} \u{5d0}\u{5d1}")),
        ("combining", format!("e\u{301}\u{301}\u{301}{MARK}\u{fe0f}\u{200d}")),
        ("nothing", String::new()),
        ("a dash", format!("-{MARK}")),
        ("an option", format!("--config_file=/tmp/{FILE}")),
    ]
}
