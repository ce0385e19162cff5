//! The library as recordings of live streams know it.

use crate::error::Result;
use crate::ids::{MediaId, UserId};
use crate::live::recording::{Film, Shelf};
use crate::media::{Audience, Brought, Reception};
use futures_core::future::BoxFuture;

/// Where films land.
pub struct Library {
    pub reception: Reception,
    /// The library's items for everybody are for strangers too.
    pub public_reading: bool,
}

impl Shelf for Library {
    fn room(&self, user: UserId) -> BoxFuture<'static, Result<u64>> {
        let reception = self.reception.clone();
        Box::pin(async move { reception.room(user).await })
    }

    fn land(&self, film: Film) -> BoxFuture<'static, Result<MediaId>> {
        let Film { id, user, title, public, file } = film;
        // Who had to sign in to watch it has to do so here. Where strangers read, nothing between them and its
        // uploader alone says that; whoever that is gives it to more people.
        let audience = if public || !self.public_reading { Audience::All } else { Audience::Own };
        let name = format!("{}.mp4", title.replace(['/', '\\'], "-"));
        let (reception, brought) = (self.reception.clone(), Brought { id, user, name, audience, file });
        Box::pin(async move { reception.adopt(brought).await })
    }

    fn seen(&self, who: Option<UserId>, ids: Vec<MediaId>) -> BoxFuture<'static, Result<Vec<MediaId>>> {
        let reception = self.reception.clone();
        Box::pin(async move { reception.seen(who, ids).await })
    }
}
