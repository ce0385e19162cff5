//! What the player is told of an item: its forms, where it goes on, chapters, peaks and small pictures.

use super::item::Item;
use super::position::{Position, read_moment};
use super::prepared::{SPRITE, Sprite, WAVE, product};
use crate::site::words::{size_in_words, t};
use crate::text::clock;

/// One item as its player needs it.
#[derive(Debug, Clone, Default)]
pub struct Playing {
    /// What every browser plays, the best first; one of them is chosen by whoever watches.
    pub forms: Vec<Form>,
    /// Where it begins, seconds; empty for the beginning.
    pub start: String,
    /// It begins where the person was.
    pub remembered: bool,
    /// Seconds; empty while nobody knows.
    pub length: String,
    pub chapters: Vec<Part>,
    /// The address of the peaks of the sound; empty without any.
    pub wave: String,
    pub sprite: Option<Tiles>,
    /// Where the file is as it came.
    pub original: String,
}

/// A form in which it can be played.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    pub src: String,
    /// For example `720p`.
    pub label: String,
    /// As shown, for example `41 MB`.
    pub size: String,
    /// What is played unless somebody chose another one.
    pub usual: bool,
}

/// A chapter.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// `1:23`
    pub clock: String,
    /// Seconds.
    pub start: String,
    /// `/media/3?t=83`
    pub href: String,
    pub title: String,
}

/// Small pictures of the film in one.
#[derive(Debug, Clone)]
pub struct Tiles {
    pub src: String,
    pub shape: Sprite,
}

impl Playing {
    /// `asked` is what the page's address says of the moment, `kept` where the person was.
    pub fn new(item: &Item, asked: Option<&str>, kept: Option<Position>) -> Self {
        let moment = asked.and_then(read_moment);
        let remembered = kept.filter(|_| moment.is_none()).and_then(|kept| kept.go_on(item)).map(seconds);
        let made = item.prepared();
        let sprite = made.as_ref().and_then(|made| {
            let shape = made.sprite?;
            Some(Tiles { src: product(item, &made.set, SPRITE), shape })
        });
        let wave = made.as_ref().filter(|made| made.wave).map(|made| product(item, &made.set, WAVE));
        let chapters = item.chapters().into_iter().map(|chapter| Part {
            clock: clock(chapter.start),
            start: seconds(chapter.start),
            href: format!("/media/{}?t={}", item.id, chapter.start / 1000),
            title: chapter.title,
        });
        Self {
            forms: forms(item),
            remembered: remembered.is_some(),
            start: moment
                .filter(|moment| *moment > 0.0)
                .map(|moment| moment.to_string())
                .or(remembered)
                .unwrap_or_default(),
            length: item.duration.map(seconds).unwrap_or_default(),
            chapters: chapters.collect(),
            wave: wave.unwrap_or_default(),
            sprite,
            original: format!("/api/v1/media/{}/original?download", item.id),
        }
    }

    /// What the browser's own player begins at, as a part of an address (Media Fragments 4.2.1).
    pub fn fragment(&self) -> String {
        if self.start.is_empty() { String::new() } else { format!("#t={}", self.start) }
    }

    /// There is more than one form to choose from.
    pub fn is_choice(&self) -> bool {
        self.forms.len() > 1
    }

    /// Its smaller forms, as shown beside the size of the file: `720p 41 MB`.
    pub fn others(&self) -> Vec<String> {
        let original = t("Original");
        let made = self.forms.iter().filter(|form| form.label != original);
        made.map(|form| format!("{} {}", form.label, form.size)).collect()
    }
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn forms(item: &Item) -> Vec<Form> {
    let made = item.prepared();
    let usual = item.source();
    let mut forms = Vec::new();
    if made.as_ref().is_none_or(|made| made.plays) {
        forms.push(Form {
            src: format!("/media/{}/file?v={}", item.id, item.version()),
            label: t("Original").to_owned(),
            size: size_in_words(item.size),
            usual: false,
        });
    }
    forms.extend(made.iter().flat_map(|made| {
        made.renditions.iter().map(|one| Form {
            src: product(item, &made.set, &one.name),
            label: one.label.clone(),
            size: size_in_words(i64::try_from(one.size).unwrap_or(i64::MAX)),
            usual: false,
        })
    }));
    for form in &mut forms {
        form.usual = form.src == usual;
    }
    forms
}
