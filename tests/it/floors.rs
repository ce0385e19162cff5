//! Imports go downwards only, and every module stands on a floor.

use crate::tree;
use std::collections::BTreeSet;

/// A floor's modules. Those of floor 0 and of the top are one thing each and may use each other; features may not.
const FLOORS: [(&[&str], bool); 6] = [
    (
        &[
            "bus", "clock", "config", "db", "error", "events", "fetch", "ids", "jobs", "picture", "site",
            "text",
        ],
        true,
    ),
    (&["accounts"], true),
    (&["rooms"], true),
    (&["board", "chat", "live", "media", "preview"], false),
    (&["admin", "home", "webhooks"], false),
    (&["app", "backup", "cli", "fuzz", "lib", "main", "routes"], true),
];

/// Macros are exported at the crate's root, wherever they are written.
const MACROS: [(&str, &str); 1] = [("on_conn", "db")];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|(modules, _)| modules.contains(&module))
}

/// The module that a file belongs to: `chat` for `src/chat/shard.rs`, `clock` for `src/clock.rs`.
fn module(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// The source without comments; what stands in them imports nothing.
fn code(text: &str) -> String {
    text.lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first word behind `crate::`, or the first words of its braces.
fn heads(rest: &str) -> Vec<&str> {
    let word = |text: &'_ str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let Some(group) = rest.strip_prefix('{') else {
        return vec![&rest[..word(rest)]];
    };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    names.into_iter().map(str::trim).map(|name| &name[..word(name)]).filter(|name| !name.is_empty()).collect()
}

/// The top-level modules that a source names.
fn named(text: &str) -> BTreeSet<String> {
    let code = code(text);
    code.match_indices("crate::")
        .chain(code.match_indices("hubbub::"))
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .flat_map(|(at, prefix)| heads(&code[at + prefix.len()..]))
        .map(|name| MACROS.iter().find(|(name_of, _)| *name_of == name).map_or(name, |(_, home)| home))
        .map(str::to_owned)
        .collect()
}

/// What is wrong with one file's place or imports.
fn complaints(path: &str, text: &str) -> Vec<String> {
    let own = module(path);
    let Some(here) = floor(own) else {
        return vec![format!("{path}: `{own}` stands on no floor; give it one in tests/it/floors.rs")];
    };
    let wrong = |name: &str| match floor(name) {
        None => Some(format!("{path} names crate::{name}, which stands on no floor")),
        Some(there) if there > here => {
            Some(format!("{path} (floor {here}) reaches up to {name} (floor {there})"))
        }
        Some(there) if there == here && name != own && !FLOORS[here].1 => Some(format!(
            "{path} reaches sideways to {name}; say it by an event, and let app.rs connect the two"
        )),
        Some(_) => None,
    };
    named(text).iter().filter_map(|name| wrong(name)).collect()
}

#[test]
fn imports_go_downwards_only() {
    let complaints: Vec<String> =
        tree::files("src", &[".rs"]).iter().flat_map(|(path, text)| complaints(path, text)).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn a_bad_import_and_a_homeless_module_would_be_found() {
    for (path, text) in [
        ("src/rooms/post.rs", "use crate::chat::Chat;"),
        ("src/site/page.rs", "fn f() { crate::accounts::who(); }"),
        ("src/chat/api.rs", "use crate::{error::{Error, Result}, board::Front};"),
        ("src/accounts/user.rs", "use crate::error::Error;\npub(in crate::app) fn f() {}"),
        ("src/home/pages.rs", "use crate::admin::Admin;"),
        ("src/helpers.rs", ""),
        ("src/chat/api.rs", "use crate::helpers::help;"),
    ] {
        assert_eq!(complaints(path, text).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        (
            "src/chat/api.rs",
            "use crate::{error::{Error, Result}, rooms::Rooms};\n// crate::board is told by events",
        ),
        ("src/db/writer.rs", "use crate::error::Error; crate::on_conn!(c => f(c))"),
        ("src/main.rs", "hubbub::cli::run()"),
    ] {
        assert_eq!(complaints(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}
