//! The statements in PostgreSQL's log, without what stands in quotes.

/// Every statement of a log that was written with `log_statement = all`.
pub fn statements(log: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for line in log.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if inside && let Some(statement) = found.last_mut() {
                statement.push('\n');
                statement.push_str(more);
            }
            continue;
        }
        let begins = ["LOG:  statement: ", "STATEMENT:  "].into_iter().find_map(|word| line.split_once(word));
        let executed = line.split_once("LOG:  execute ").and_then(|(_, rest)| rest.split_once(": "));
        inside = begins.is_some() || executed.is_some();
        found.extend(begins.or(executed).map(|(_, statement)| statement.to_owned()));
    }
    found
}

/// What is left of a statement when quoted names and strings are taken out.
pub fn unquoted(statement: &str) -> String {
    let mut rest = String::new();
    let mut characters = statement.chars().peekable();
    let mut escapes = false;
    while let Some(character) = characters.next() {
        if character != '\'' && character != '"' {
            escapes = matches!(character, 'E' | 'e');
            rest.push(character);
            continue;
        }
        while let Some(inner) = characters.next() {
            if inner == '\\' && escapes && character == '\'' {
                characters.next();
            } else if inner == character && characters.next_if_eq(&character).is_none() {
                break;
            }
        }
        escapes = false;
    }
    rest
}

#[test]
fn what_leaves_its_quotes_is_seen() {
    assert_eq!(
        unquoted("CREATE DATABASE \"a\"\"b\" ENCODING  E'x\\'y' C 'a''b\\'"),
        "CREATE DATABASE  ENCODING  E C "
    );
    assert!(unquoted("COMMENT ON ROLE a IS 'x'; DROP ROLE b; --'").contains("DROP ROLE b"));
    let log = "1 LOG:  statement: SELECT 1\n\tFROM a\n2 LOG:  execute <unnamed>: SELECT $1\n3 DETAIL:  x\n\ty\n\
        4 ERROR:  no\n5 STATEMENT:  z\n";
    assert_eq!(statements(log), ["SELECT 1\nFROM a", "SELECT $1", "z"]);
}
