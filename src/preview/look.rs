//! A look at one page: fetched, read, its picture drawn anew. It knows no message.

use super::card::Card;
use super::letters;
use crate::fetch::{Bound, Fetched, Outward, Refused, Url, Wanted};
use crate::picture;
use crate::rooms::Preview;
use crate::rooms::preview::Picture;
use crate::rooms::upload::Prepared;
use std::sync::Arc;

/// Bytes of a page in which its head has to lie.
const PAGE: usize = 512 * 1024;
/// Bytes of its picture.
const PICTURE: usize = 4 * 1024 * 1024;
/// Millions of pixels of its picture, 4 bytes each while it is made smaller.
const MEGAPIXELS: u64 = 25;

const A_PAGE: Wanted = Wanted { accept: "text/html, application/xhtml+xml, image/*;q=0.9", bound: page };
const A_PICTURE: Wanted = Wanted { accept: "image/jpeg, image/png, image/webp, image/gif", bound: shown };

fn page(mime: &str) -> Option<Bound> {
    match mime {
        "text/html" | "application/xhtml+xml" => Some(Bound::Head(PAGE)),
        _ => shown(mime),
    }
}

fn shown(mime: &str) -> Option<Bound> {
    matches!(mime, "image/jpeg" | "image/png" | "image/webp" | "image/gif").then_some(Bound::Whole(PICTURE))
}

/// What is shown of a page, for whichever message leads there.
#[derive(Clone)]
pub struct Seen {
    pub preview: Preview,
    pub picture: Option<Arc<Prepared>>,
}

impl Seen {
    /// Bytes that it takes in memory, roughly.
    pub fn weight(&self) -> usize {
        let words = self.preview.title.len() + self.preview.description.len() + self.preview.url.len();
        words + self.picture.as_ref().map_or(0, |picture| picture.content.len())
    }
}

/// Looks at the page that `link` leads to.
///
/// # Errors
/// When it can't be fetched, or doesn't say what it is called.
pub async fn look(outward: &Outward, link: &str) -> Result<Seen, Refused> {
    let url: Url = link.parse().map_err(|_| Refused::Address)?;
    let fetched = outward.get(&url, &A_PAGE).await?;
    let (card, picture) = if fetched.mime.starts_with("image/") {
        (Card::of_picture(&url), Some(fetched.body))
    } else {
        let card = read(fetched).await?;
        let picture = match &card.picture {
            Some(place) => outward.get(place, &A_PICTURE).await.map(|fetched| fetched.body).ok(),
            None => None,
        };
        (card, picture)
    };
    let drawn = match picture {
        Some(bytes) => on_a_thread(move || draw(&bytes)).await?,
        None => None,
    };
    let (picture, prepared) = match drawn {
        Some((picture, prepared)) => {
            (Some(Picture { description: card.seen, ..picture }), Some(Arc::new(prepared)))
        }
        None => (None, None),
    };
    let Card { title, description, site, .. } = card;
    let preview = Preview { url: link.to_owned(), title, description, site, picture };
    Ok(Seen { preview, picture: prepared })
}

async fn read(fetched: Fetched) -> Result<Card, Refused> {
    let Fetched { url, body, charset, .. } = fetched;
    on_a_thread(move || Card::read(&letters::read(&body, charset.as_deref()), &url))
        .await?
        .ok_or(Refused::Kind)
}

/// The picture as pixels alone, small; nothing of what isn't one.
fn draw(bytes: &[u8]) -> Option<(Picture, Prepared)> {
    if picture::megapixels(bytes) > MEGAPIXELS {
        return None;
    }
    let drawn = picture::redraw(bytes).ok()??;
    let (width, height) = (i32::try_from(drawn.width).ok()?, i32::try_from(drawn.height).ok()?);
    let prepared = Prepared::drawn(drawn.mime, (width, height), drawn.content);
    Some((Picture { width, height, ..Picture::default() }, prepared))
}

/// What takes a core for a while; a page or picture that makes it panic fails alone.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Refused::Broken(error.to_string()))
}
