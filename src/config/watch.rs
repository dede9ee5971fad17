//! The configuration file while the operator runs: what is new in it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use super::load::{LoadError, Loaded};
use super::model::Config;

/// What a file holds, or why it cannot be read.
type Content = Result<String, io::ErrorKind>;

/// Notices that the file holds something else than before.
///
/// Contents are compared, not times or inodes: Kubernetes changes a mounted ConfigMap by turning a symbolic link to
/// another folder, editors write in place or rename, and each way shows in the content alike.
pub struct FileWatch {
    path: PathBuf,
    variables: Vec<(String, String)>,
    told: Content,
    /// Seen once; half a file may look like a whole one.
    candidate: Option<Content>,
}

impl FileWatch {
    /// Reads the configuration as [`Config::load`] does, and remembers what the file held. `variables` are laid over
    /// it, now and later: a process keeps the environment that it was started with.
    ///
    /// # Errors
    /// When the file cannot be read, or what it holds cannot be used.
    pub fn open(
        path: &Path,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(Self, Loaded), LoadError> {
        let variables: Vec<(String, String)> = variables.collect();
        let text = std::fs::read_to_string(path)
            .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
        let loaded = Config::parse(&text, path, variables.iter().cloned())?;
        Ok((Self { path: path.to_owned(), variables, told: Ok(text), candidate: None }, loaded))
    }

    /// Reads the file. The answer is what has become of it, once for each content, and only when two looks in a row saw
    /// the same: a file that is being written is not taken for a shorter one.
    pub fn look(&mut self) -> Option<Result<Loaded, LoadError>> {
        let content = self.read();
        if content == self.told {
            self.candidate = None;
            return None;
        }
        if self.candidate.as_ref() != Some(&content) {
            self.candidate = Some(content);
            return None;
        }
        self.candidate = None;
        self.told = content;
        Some(self.parse())
    }

    /// Whether the last look saw something that it did not tell of yet.
    pub fn is_in_doubt(&self) -> bool {
        self.candidate.is_some()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Stands for what the file held when it was told of last.
    pub fn mark(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.told.as_ref().ok().hash(&mut hasher);
        hasher.finish()
    }

    fn read(&self) -> Content {
        std::fs::read_to_string(&self.path).map_err(|error| error.kind())
    }

    fn parse(&self) -> Result<Loaded, LoadError> {
        match &self.told {
            Ok(text) => Config::parse(text, &self.path, self.variables.iter().cloned()),
            Err(kind) => Err(LoadError::Unreadable { path: self.path.clone(), source: (*kind).into() }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    const GOOD: &str = "backend: local\nbackends:\n  local:\n    data_dir: /tmp/servers\n";

    fn with_length(length: usize) -> String {
        format!("{GOOD}security:\n  password_length: {length}\n")
    }

    fn open(path: &Path) -> FileWatch {
        FileWatch::open(path, std::iter::empty()).unwrap().0
    }

    /// Looks twice, as is needed.
    fn seen(watch: &mut FileWatch) -> Option<Result<usize, String>> {
        let once = watch.look();
        assert!(once.is_none(), "told after one look");
        watch
            .look()
            .map(|news| news.map(|news| news.config.security.password_length).map_err(|e| e.to_string()))
    }

    #[test]
    fn a_turned_link_is_news_as_in_a_mounted_config_map() {
        let folder = TempDir::new().unwrap();
        for (version, length) in [("..1", 20), ("..2", 30)] {
            fs::create_dir(folder.path().join(version)).unwrap();
            fs::write(folder.path().join(version).join("config.yaml"), with_length(length)).unwrap();
        }
        symlink("..1", folder.path().join("..data")).unwrap();
        symlink("..data/config.yaml", folder.path().join("config.yaml")).unwrap();
        let mut watch = open(&folder.path().join("config.yaml"));
        assert!(seen(&mut watch).is_none());

        symlink("..2", folder.path().join("..tmp")).unwrap();
        fs::rename(folder.path().join("..tmp"), folder.path().join("..data")).unwrap();
        assert_eq!(seen(&mut watch), Some(Ok(30)));
        assert!(seen(&mut watch).is_none(), "told twice");
    }

    #[test]
    fn a_file_that_is_being_written_is_waited_for_and_half_a_file_that_stays_is_told() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("config.yaml");
        fs::write(&path, with_length(20)).unwrap();
        let mut watch = open(&path);
        // Could be used, and means something else than the whole.
        fs::write(&path, GOOD).unwrap();
        assert!(watch.look().is_none() && watch.is_in_doubt());
        fs::write(&path, with_length(40)).unwrap();
        assert!(watch.look().is_none() && watch.is_in_doubt());
        assert_eq!(watch.look().unwrap().unwrap().config.security.password_length, 40);
        assert!(!watch.is_in_doubt());

        fs::write(&path, "backend: local\nbackends:\n  lo").unwrap();
        let error = seen(&mut watch).unwrap().unwrap_err();
        assert!(error.contains("config.yaml:"), "{error}");
        assert!(seen(&mut watch).is_none(), "told twice");
        fs::write(&path, with_length(40)).unwrap();
        assert_eq!(seen(&mut watch), Some(Ok(40)), "what was in force before is news after a bad one");
    }

    #[test]
    fn the_same_content_is_no_news_however_it_was_written() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("config.yaml");
        fs::write(&path, with_length(20)).unwrap();
        let mut watch = open(&path);
        fs::write(folder.path().join("new"), with_length(20)).unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert!(seen(&mut watch).is_none());
        // Gone for a moment, between two looks of which none saw the other's.
        fs::remove_file(&path).unwrap();
        assert!(watch.look().is_none());
        fs::write(&path, with_length(20)).unwrap();
        assert!(seen(&mut watch).is_none());
    }

    #[test]
    fn a_file_that_is_gone_is_told_once_and_the_environment_still_counts_when_it_is_back() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("config.yaml");
        fs::write(&path, GOOD).unwrap();
        let variable = ("HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH".to_owned(), "50".to_owned());
        let (mut watch, loaded) = FileWatch::open(&path, std::iter::once(variable)).unwrap();
        assert_eq!(loaded.config.security.password_length, 50);
        let before = watch.mark();
        fs::remove_file(&path).unwrap();
        let error = seen(&mut watch).unwrap().unwrap_err();
        assert!(error.contains("cannot read the configuration file"), "{error}");
        assert_ne!(watch.mark(), before);
        assert!(seen(&mut watch).is_none(), "told twice");
        fs::write(&path, with_length(30)).unwrap();
        assert_eq!(seen(&mut watch), Some(Ok(50)));
    }
}
