//! What a page says of itself in its head: Open Graph (ogp.me), Twitter's names for the same, or plain HTML.

use crate::text::{is_blank, is_unruly};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::collections::HashMap;
use url::Url;

/// Characters of each part. A card is a few lines high.
const TITLE: usize = 160;
const DESCRIPTION: usize = 300;
const SITE: usize = 60;

/// A page in a few words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    pub title: String,
    pub description: String,
    /// What the whole site is called; its server's name when it doesn't say.
    pub site: String,
    /// Where its picture is.
    pub picture: Option<Url>,
    /// What is to be seen there.
    pub seen: String,
}

impl Card {
    /// Reads the page that was found at `url`; nothing when it doesn't say what it is called.
    pub fn read(page: &str, url: &Url) -> Option<Self> {
        let head = Head::read(page);
        let title = head.first(&["og:title", "twitter:title", "<title>"], TITLE);
        if title.is_empty() {
            return None;
        }
        let site = head.first(&["og:site_name"], SITE);
        let pictures =
            ["og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"];
        let picture = head.get(&pictures).and_then(|place| url.join(place.trim()).ok());
        Some(Self {
            title,
            description: head.first(&["og:description", "twitter:description", "description"], DESCRIPTION),
            site: if site.is_empty() { server(url) } else { site },
            picture: picture.filter(|url| matches!(url.scheme(), "http" | "https")),
            seen: head.first(&["og:image:alt", "twitter:image:alt"], DESCRIPTION),
        })
    }

    /// A picture that was linked to by itself.
    pub fn of_picture(url: &Url) -> Self {
        let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
        let name = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
        let name = line(&name, TITLE);
        let site = server(url);
        let title = if name.is_empty() { site.clone() } else { name };
        Self { title, site, ..Self::default() }
    }
}

/// A server's name as people know it.
fn server(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    line(host.strip_prefix("www.").unwrap_or(host), SITE)
}

/// Text on one line, without what can't be seen or turns what stands around it, cut at so many characters.
fn line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let visible: String = words.join(" ").chars().filter(|c| !is_unruly(*c)).collect();
    if is_blank(&visible) {
        return String::new();
    }
    if visible.chars().count() <= most {
        return visible;
    }
    let kept: String = visible.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

/// The first value of each name that a head gives to something.
#[derive(Default)]
struct Head {
    values: HashMap<String, String>,
    /// The title is being read.
    in_title: bool,
    /// What follows is the page itself.
    is_over: bool,
}

impl Head {
    fn read(page: &str) -> Self {
        let mut tokenizer = Tokenizer::new(Self::default(), TokenizerOpts::default());
        let mut input = BufferQueue::default();
        input.push_back(StrTendril::from_slice(page));
        let _ = tokenizer.feed(&mut input);
        tokenizer.end();
        tokenizer.sink
    }

    fn get(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.values.get(*name)).map(String::as_str)
    }

    /// The first of these that says something.
    fn first(&self, names: &[&str], most: usize) -> String {
        let all = names.iter().filter_map(|name| self.values.get(*name));
        all.map(|value| line(value, most)).find(|value| !value.is_empty()).unwrap_or_default()
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        match &*tag.name {
            "body" => self.is_over = true,
            "meta" => self.meta(tag),
            "title" => {
                self.in_title = !self.values.contains_key("<title>");
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
            "style" | "iframe" | "noembed" | "noframes" | "xmp" => {
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn meta(&mut self, tag: &Tag) {
        let get = |wanted: &[&str]| {
            let found = tag.attrs.iter().find(|attribute| wanted.contains(&&*attribute.name.local));
            found.map(|attribute| attribute.value.trim())
        };
        if let (Some(name), Some(content)) = (get(&["property", "name"]), get(&["content"]))
            && !content.is_empty()
        {
            self.values.entry(name.to_lowercase()).or_insert_with(|| content.to_owned());
        }
    }
}

impl TokenSink for Head {
    type Handle = ();

    fn process_token(&mut self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if self.is_over {
            return TokenSinkResult::Continue;
        }
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return self.start(&tag),
            Token::TagToken(tag) => {
                self.in_title = false;
                self.is_over = &*tag.name == "head";
            }
            Token::CharacterTokens(text) if self.in_title => {
                *self.values.entry("<title>".to_owned()).or_default() += &text;
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(page: &str) -> Option<Card> {
        Card::read(page, &"https://www.a.org/news/one?x=1".parse().unwrap())
    }

    #[test]
    fn open_graph_counts_before_other_names() {
        let page = r#"<!DOCTYPE html><html><head><title>Plain</title>
            <meta name="description" content="Plain words">
            <meta property="og:title" content="A &amp; B &lt;i&gt;"><meta property="og:title" content="second">
            <META PROPERTY='OG:Description' CONTENT='Two
               lines'>
            <meta property="og:site_name" content="A"><meta property="og:image" content="/p.png?a=1&amp;b=2">
            <meta property="og:image:alt" content="A view"></head><body>
            <meta property="og:title" content="in the page"></body>"#;
        let found = card(page).unwrap();
        assert_eq!((found.title.as_str(), found.description.as_str()), ("A & B <i>", "Two lines"));
        assert_eq!((found.site.as_str(), found.seen.as_str()), ("A", "A view"));
        assert_eq!(found.picture.unwrap().as_str(), "https://www.a.org/p.png?a=1&b=2");
    }

    #[test]
    fn a_page_without_open_graph_has_its_title_and_its_server() {
        let found =
            card("<title>\n Caf&eacute; &#x4e2d; </title><meta name=description content='x'>").unwrap();
        assert_eq!((found.title.as_str(), found.description.as_str()), ("Café 中", "x"));
        assert_eq!((found.site.as_str(), found.picture), ("a.org", None));
        assert_eq!(card("<p>no head at all"), None);
        assert_eq!(card("<title> \u{200B}\u{202E} </title>"), None);
        assert_eq!(card(""), None);
    }

    #[test]
    fn what_stands_in_scripts_comments_and_the_page_is_not_believed() {
        for page in [
            "<script>var a = '<title>evil</title>'</script>",
            "<style><title>evil</title></style>",
            "<!-- <title>evil</title> -->",
            "<body><title>evil</title>",
            "</head><title>evil</title>",
            "<textarea><title>evil</title></textarea>",
        ] {
            assert_eq!(card(page), None, "{page}");
        }
        let both = card("<title>a</title><svg><title>evil</title></svg>").unwrap();
        assert_eq!(both.title, "a");
    }

    #[test]
    fn parts_are_short_and_turn_nothing_around() {
        let long = card(&format!("<title>{}</title>", "字".repeat(1000))).unwrap();
        assert_eq!(long.title.chars().count(), TITLE);
        assert!(long.title.ends_with('…'));
        assert_eq!(card("<title>a\u{202E}b&#x2066;c</title>").unwrap().title, "abc");
        let evil = "<title>a</title><meta property=og:image content='javascript:alert(1)'>";
        assert_eq!(card(evil).unwrap().picture, None);
    }

    #[test]
    fn a_picture_is_called_as_its_file() {
        let of = |address: &str| Card::of_picture(&address.parse().unwrap()).title;
        assert_eq!(of("https://a.org/b/a%20cat.png?x"), "a cat.png");
        assert_eq!(of("https://a.org/"), "a.org");
    }
}
