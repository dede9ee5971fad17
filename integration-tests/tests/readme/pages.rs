//! Taking Markdown apart, as far as these pages use it.

use std::fs;
use std::path::{Path, PathBuf};

use integration_tests::operator::project_file;

/// A page of the documentation.
pub struct Page {
    /// Its path below the project's folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// The word behind the fence.
    pub language: String,
    /// What stands in it.
    pub text: String,
}

/// One page.
pub fn page(path: &str) -> Page {
    let text = fs::read_to_string(project_file(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Page { path: path.to_owned(), text }
}

/// README, CONTRIBUTING and everything in `docs/`.
pub fn pages() -> Vec<Page> {
    let mut found = vec![page("README.md"), page("CONTRIBUTING.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(project_file("").join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if project_file("").join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(page(path.to_str().unwrap()));
            }
        }
    }
    found
}

impl Page {
    /// Its fenced blocks, also those that are indented in a list.
    pub fn blocks(&self) -> Vec<Block> {
        self.split().1
    }

    /// What stands outside the fences.
    pub fn prose(&self) -> String {
        self.split().0
    }

    fn split(&self) -> (String, Vec<Block>) {
        let (mut prose, mut blocks) = (String::new(), Vec::new());
        let mut open: Option<Block> = None;
        for line in self.text.lines() {
            match (line.trim_start().strip_prefix("```"), open.take()) {
                (Some(language), None) => {
                    open = Some(Block { language: language.trim().to_owned(), text: String::new() });
                }
                (Some(_), Some(block)) => blocks.push(block),
                (None, Some(mut block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => {
                    prose.push_str(line);
                    prose.push('\n');
                }
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", self.path);
        (prose, blocks)
    }

    /// What stands between backticks in the prose.
    pub fn spans(&self) -> Vec<String> {
        self.prose().split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// The targets of links that lead to these pages and files, and not into the web.
    pub fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let targets = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        targets.filter(|target| !target.contains("://")).map(str::to_owned).collect()
    }

    /// The anchors of headings, as they are made of them.
    pub fn anchors(&self) -> Vec<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let text = line.trim_start_matches('#').trim().to_lowercase();
                text.chars()
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                    .map(|c| if c == ' ' { '-' } else { c })
                    .collect()
            })
            .collect()
    }

    /// The cells of the first table below a heading, without the table's head.
    pub fn table(&self, heading: &str) -> Vec<Vec<String>> {
        let (_, below) = self
            .text
            .split_once(&format!("\n{heading}\n"))
            .unwrap_or_else(|| panic!("{} has no heading {heading:?}", self.path));
        let rows =
            below.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        rows.skip(2)
            .map(|row| {
                let cells = row.trim_matches('|').split('|');
                cells.map(|cell| cell.trim().to_owned()).collect()
            })
            .collect()
    }

    /// The first column of that table, without backticks.
    pub fn first_column(&self, heading: &str) -> Vec<String> {
        self.table(heading).iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
    }

    /// A path as this page means it.
    pub fn resolve(&self, relative: &str) -> PathBuf {
        let page = project_file(&self.path);
        page.parent().unwrap_or(Path::new("")).join(relative)
    }
}
