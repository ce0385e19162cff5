//! Every dependency may be used and passed on under a permissive licence.

use crate::tree;
use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};
use std::process::Command;

/// Licences that ask for no more than that their text be kept.
const PERMISSIVE: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "PostgreSQL",
    "Unicode-3.0",
    "Zlib",
];

/// What must never come in, by any way.
const BANNED: [(&str, &str); 3] = [
    ("actix-governor", "it is GPL-3.0"),
    ("aws-lc-sys", "it takes minutes to build, and ring is here already"),
    ("openssl-sys", "it needs a system library"),
];

/// What cargo knows of all packages, those of other platforms included unless the network is away.
fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(&cargo);
        command.current_dir(tree::root()).args(["metadata", "--format-version", "1"]).args(arguments);
        command.output().unwrap()
    };
    let mut output = ask(&["--locked"]);
    if !output.status.success() {
        let host = Command::new(&cargo).arg("-vV").output().unwrap();
        let host = String::from_utf8_lossy(&host.stdout).into_owned();
        let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        output = ask(&["--locked", "--offline", "--filter-platform", host]);
    }
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["packages"].as_array().unwrap().clone()
}

/// Why a package with this name and licence can't be used; `None` when it can.
fn objection(name: &str, licence: Option<&str>) -> Option<String> {
    if let Some((_, reason)) = BANNED.iter().find(|(banned, _)| *banned == name) {
        return Some(format!("{name} is banned: {reason}"));
    }
    let Some(licence) = licence else { return Some(format!("{name} names no licence")) };
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
        return Some(format!("{name}: “{licence}” is no SPDX expression"));
    };
    let allowed =
        |requirement: &LicenseReq| requirement.license.id().is_some_and(|id| PERMISSIVE.contains(&id.name));
    (!expression.evaluate(allowed)).then(|| format!("{name} is under {licence}"))
}

#[test]
fn every_dependency_is_under_a_permissive_licence() {
    let packages = packages();
    assert!(packages.len() > 100, "only {} packages are known to cargo", packages.len());
    let objections: Vec<String> = packages
        .iter()
        .filter_map(|package| objection(package["name"].as_str().unwrap(), package["license"].as_str()))
        .collect();
    assert!(objections.is_empty(), "\n{}", objections.join("\n"));
}

#[test]
fn a_copyleft_or_missing_licence_would_be_found() {
    for licence in ["GPL-3.0-or-later", "MIT AND LGPL-2.1", "AGPL-3.0", "Something of my own"] {
        assert!(objection("x", Some(licence)).is_some(), "{licence}");
    }
    assert!(objection("x", None).is_some());
    assert!(objection("actix-governor", Some("MIT")).is_some());
    for licence in ["MIT/Apache-2.0", "GPL-2.0 OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert_eq!(objection("x", Some(licence)), None, "{licence}");
    }
}

/// Packages of which no line of code speaks, and why they are there.
const SILENT: [(&str, &str); 2] = [
    ("libsqlite3-sys", "has SQLite built along for Diesel"),
    ("pq-sys", "has PostgreSQL's library built along for Diesel"),
];

/// Names of the packages in a section of a manifest.
fn dependencies(manifest: &str) -> Vec<&str> {
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.trim());
    names.filter(|name| !name.starts_with('#')).collect()
}

#[test]
fn every_dependency_is_used() {
    let manifest = tree::read("Cargo.toml");
    let source: String = tree::files("src", &[".rs"]).into_iter().map(|(_, text)| text).collect();
    let all = dependencies(&manifest);
    assert!(all.len() > 40, "{all:?}");
    let is_used = |name: &str| {
        let name = name.replace('-', "_");
        [format!("{name}::"), format!("use {name};")].iter().any(|words| source.contains(words))
    };
    let is_silent = |name: &str| SILENT.iter().any(|(silent, _)| *silent == name);
    let idle: Vec<&str> = all.into_iter().filter(|name| !is_used(name) && !is_silent(name)).collect();
    assert!(idle.is_empty(), "nothing uses {idle:?}");
    assert!(!is_used("left-pad"), "one that isn't used would be seen");
}
