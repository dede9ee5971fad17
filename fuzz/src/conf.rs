//! PostgreSQL's rules for postgresql.conf (`guc-file.l`), written independently of the operator.

use std::collections::BTreeMap;

/// The settings of a file, or the line that PostgreSQL would call a syntax error.
pub fn settings(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut settings = BTreeMap::new();
    for line in text.split('\n').filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = setting(line).ok_or_else(|| line.to_owned())?;
        settings.insert(name, value);
    }
    Ok(settings)
}

fn setting(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(" = ")?;
    let identifier = |part: &str| {
        let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
        part.starts_with(letter) && part.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '$')
    };
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() > 2 || !parts.iter().all(|part| identifier(part)) {
        return None;
    }
    let mut characters = value.strip_prefix('\'')?.chars().peekable();
    let mut content = String::new();
    while let Some(character) = characters.next() {
        match character {
            '\'' if characters.peek() == Some(&'\'') => {
                characters.next();
                content.push('\'');
            }
            // The end of the string, and nothing after it.
            '\'' => return characters.peek().is_none().then(|| (name.to_owned(), content)),
            '\\' => match characters.next()? {
                'b' => content.push('\u{8}'),
                'f' => content.push('\u{c}'),
                'n' => content.push('\n'),
                'r' => content.push('\r'),
                't' => content.push('\t'),
                '0'..='7' => content.push('\u{fffd}'),
                other => content.push(other),
            },
            other => content.push(other),
        }
    }
    None
}
