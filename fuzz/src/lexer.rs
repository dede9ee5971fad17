//! PostgreSQL's lexical rules, as far as statements of the operator could ever need them: written from the manual
//! (section 4.1), and of nothing that the operator uses.

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A key word, an unquoted name or a number.
    Word(String),
    /// A quoted identifier, by its content.
    Identifier(String),
    /// A string, by its content.
    Text(String),
    /// Any other character.
    Symbol(char),
    /// A comment; a statement of ours has none.
    Comment,
    /// A quote or comment that does not end.
    Unterminated,
}

/// The tokens of a text. `standard` is `standard_conforming_strings`.
pub fn tokens(sql: &str, standard: bool) -> Vec<Token> {
    let mut lexer = Lexer { rest: sql, standard };
    std::iter::from_fn(|| lexer.next()).collect()
}

struct Lexer<'a> {
    rest: &'a str,
    standard: bool,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<Token> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
        let first = self.rest.chars().next()?;
        let lower = self.rest.get(..3).unwrap_or_default().to_ascii_lowercase();
        Some(match first {
            '"' => self.identifier(1),
            '\'' => self.text(1, !self.standard),
            'e' | 'E' if self.rest[1..].starts_with('\'') => self.text(2, true),
            'b' | 'B' | 'x' | 'X' | 'n' | 'N' if self.rest[1..].starts_with('\'') => self.text(2, false),
            'u' | 'U' if lower == "u&\"" => self.identifier(3),
            'u' | 'U' if lower == "u&'" => self.text(3, false),
            '-' if self.rest.starts_with("--") => self.until("\n", 0),
            '/' if self.rest.starts_with("/*") => self.until("*/", 2),
            '$' => self.dollar(),
            first if is_word(first) => {
                let end = self.rest.find(|c| !is_word(c) && c != '$').unwrap_or(self.rest.len());
                let word = self.rest[..end].to_owned();
                self.rest = &self.rest[end..];
                Token::Word(word)
            }
            first => {
                self.rest = &self.rest[first.len_utf8()..];
                Token::Symbol(first)
            }
        })
    }

    fn identifier(&mut self, opening: usize) -> Token {
        self.quoted(opening, '"', false).map_or(Token::Unterminated, Token::Identifier)
    }

    fn text(&mut self, opening: usize, escapes: bool) -> Token {
        self.quoted(opening, '\'', escapes).map_or(Token::Unterminated, Token::Text)
    }

    fn quoted(&mut self, opening: usize, quote: char, escapes: bool) -> Option<String> {
        let mut content = String::new();
        let mut characters = self.rest[opening..].char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                if characters.peek().is_some_and(|(_, next)| *next == quote) {
                    characters.next();
                    content.push(quote);
                    continue;
                }
                self.rest = &self.rest[opening + at + 1..];
                return Some(content);
            }
            if escapes && character == '\\' {
                let Some((_, escaped)) = characters.next() else { break };
                match escaped {
                    'b' => content.push('\u{8}'),
                    'f' => content.push('\u{c}'),
                    'n' => content.push('\n'),
                    'r' => content.push('\r'),
                    't' => content.push('\t'),
                    // Codes: nothing of ours writes them, so they need not be understood, only seen.
                    'u' | 'U' | 'x' | '0'..='7' => content.push('\u{fffd}'),
                    other => content.push(other),
                }
                continue;
            }
            content.push(character);
        }
        self.rest = "";
        None
    }

    fn until(&mut self, end: &str, skip: usize) -> Token {
        let found = self.rest[skip..].find(end);
        self.rest = found.map_or("", |at| &self.rest[skip + at + end.len()..]);
        if found.is_none() && skip > 0 { Token::Unterminated } else { Token::Comment }
    }

    fn dollar(&mut self) -> Token {
        let tag_end = self.rest[1..].find(|c| !is_word(c)).map(|at| at + 1);
        let tag = match tag_end {
            Some(end) if self.rest[end..].starts_with('$') => self.rest[..=end].to_owned(),
            _ => {
                self.rest = &self.rest[1..];
                return Token::Symbol('$');
            }
        };
        let body = &self.rest[tag.len()..];
        match body.find(&tag) {
            Some(end) => {
                let text = body[..end].to_owned();
                self.rest = &body[end + tag.len()..];
                Token::Text(text)
            }
            None => {
                self.rest = "";
                Token::Unterminated
            }
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii()
}

/// Checks the lexer itself: a judge that sees nothing would acquit everybody.
pub fn check() {
    use Token::{Comment, Identifier, Symbol, Text, Unterminated, Word};
    let is =
        |sql: &str, standard: bool, expected: &[Token]| assert_eq!(tokens(sql, standard), expected, "{sql}");
    let word = |text: &str| Word(text.to_owned());
    let text = |text: &str| Text(text.to_owned());
    let identifier = |text: &str| Identifier(text.to_owned());
    is(r#"DROP "a""b""#, true, &[word("DROP"), identifier("a\"b")]);
    is(r#""a"; DROP x"#, true, &[identifier("a"), Symbol(';'), word("DROP"), word("x")]);
    is(r"'a''b\'", true, &[text(r"a'b\")]);
    is(r"'a\'; --'", false, &[text("a'; --")]);
    is(r" E'a\\\'b'", true, &[text(r"a\'b")]);
    is("'a' -- b", true, &[text("a"), Comment]);
    is("/* 'a", true, &[Unterminated]);
    is("$x$'$x$ 'a", true, &[text("'"), Unterminated]);
}
