//! Nothing half done, no machine's own paths, every module introduces itself.

use crate::tree;

/// What has no place in a finished file. Put together here, so that this file doesn't contain it.
fn unfinished() -> Vec<String> {
    [("TO", "DO"), ("FIX", "ME"), ("todo", "!("), ("unimpl", "emented!("), ("db", "g!(")]
        .map(|(a, b)| format!("{a}{b}"))
        .to_vec()
}

/// The home folders of whoever built it.
fn machine_paths() -> Vec<String> {
    [("/ro", "ot/"), ("/wo", "rk/")].map(|(a, b)| format!("{a}{b}")).to_vec()
}

fn find(words: &[String], files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

fn everything() -> Vec<(String, String)> {
    let mut files = tree::files("src", &[".rs"]);
    files.extend(tree::files("tests", &[".rs", ".mjs", ".js"]));
    files.extend(tree::files("templates", &[".html"]));
    files.extend(tree::files("static", &[".js", ".css"]));
    files.extend(tree::files("migrations", &[".sql", ".toml"]));
    files.extend(
        ["Cargo.toml", "README.md", "CHANGELOG.md", "test", ".ci/run"].map(|p| (p.to_owned(), tree::read(p))),
    );
    files.retain(|(path, _)| !path.contains("node_modules"));
    files
}

#[test]
fn nothing_is_left_half_done() {
    let found = find(&unfinished(), &everything());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn no_file_names_a_folder_of_the_machine_it_was_written_on() {
    let found = find(&machine_paths(), &everything());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_module_opens_with_what_it_is() {
    let mut files = tree::files("src", &[".rs"]);
    files.extend(tree::files("tests", &[".rs"]));
    // Printed by Diesel's command line tool.
    files.retain(|(path, _)| !path.starts_with("src/db/schema/") || path.ends_with("mod.rs"));
    let silent: Vec<_> =
        files.iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn a_half_done_line_would_be_found() {
    let line = format!("// {}: later", unfinished()[0]);
    let files = [("a.rs".to_owned(), format!("fine\n{line}"))];
    assert_eq!(find(&unfinished(), &files), [format!("a.rs:2: {line}")]);
}
