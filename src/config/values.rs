//! The values of settings, read from text.

use super::{LogFormat, Registration, Right};
use std::path::PathBuf;

pub fn parse<T: std::str::FromStr>(text: &str) -> Result<T, ()> {
    text.parse().map_err(drop)
}

pub fn some<T: std::str::FromStr>(text: &str) -> Result<Option<T>, ()> {
    parse(text).map(Some)
}

pub fn unless_off<T: std::str::FromStr>(text: &str) -> Result<Option<T>, ()> {
    if text == "off" { Ok(None) } else { some(text) }
}

pub fn between<T: std::str::FromStr + PartialOrd + Copy>(text: &str, low: T, high: T) -> Result<T, ()> {
    parse(text).and_then(|n| if n < low || n > high { Err(()) } else { Ok(n) })
}

pub fn switch(text: &str) -> Result<bool, ()> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(()),
    }
}

pub fn path(text: &str) -> Result<PathBuf, ()> {
    if text.is_empty() { Err(()) } else { Ok(text.into()) }
}

pub fn file(text: &str) -> Result<Option<PathBuf>, ()> {
    path(text).map(Some)
}

pub fn list<T: std::str::FromStr>(text: &str) -> Result<Vec<T>, ()> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(parse).collect()
}

pub fn some_text(text: &str) -> Result<String, ()> {
    if text.is_empty() { Err(()) } else { Ok(text.to_owned()) }
}

/// Names that a public certificate can be for.
pub fn domains(text: &str) -> Result<Vec<String>, ()> {
    let name = |name: &str| {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let label =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let letters =
            name.rsplit('.').next().is_some_and(|last| last.bytes().any(|b| b.is_ascii_alphabetic()));
        if name.contains('.') && letters && name.split('.').all(label) { Ok(name) } else { Err(()) }
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(name).collect()
}

/// An origin in the form in which browsers send it.
pub fn origin(text: &str) -> Result<String, ()> {
    let text = text.trim_end_matches('/');
    match text.split_once("://") {
        Some(("http" | "https", host)) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err(()),
    }
}

pub fn url(text: &str) -> Result<Option<String>, ()> {
    origin(text).map(Some)
}

pub fn urls(text: &str) -> Result<Vec<String>, ()> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(origin).collect()
}

pub fn registration(text: &str) -> Result<Registration, ()> {
    match text {
        "open" => Ok(Registration::Open),
        "invite" => Ok(Registration::Invite),
        "closed" => Ok(Registration::Closed),
        _ => Err(()),
    }
}

pub fn rights(text: &str) -> Result<Vec<Right>, ()> {
    if text == "none" {
        return Ok(Vec::new());
    }
    let right = |name| match name {
        "channels" => Ok(Right::Channels),
        "direct" => Ok(Right::Direct),
        "key" => Ok(Right::Key),
        "groups" => Ok(Right::Groups),
        "files" => Ok(Right::Files),
        _ => Err(()),
    };
    text.split(',').map(|name| right(name.trim())).collect()
}

pub fn log_format(text: &str) -> Result<LogFormat, ()> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(()),
    }
}

pub fn filter(text: &str) -> Result<String, ()> {
    text.parse::<tracing_subscriber::EnvFilter>().map(|_| text.to_owned()).map_err(drop)
}
