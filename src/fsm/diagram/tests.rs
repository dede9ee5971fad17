use super::*;

#[test]
#[ignore = "writes the files; the `generate` binary does it"]
fn write() {
    for (path, content) in files() {
        std::fs::create_dir_all("state-diagrams").unwrap();
        std::fs::write(path, content).unwrap();
    }
}
