//! Who asks: extractors that a handler names in its arguments, and thereby its condition.

use super::cookie::{self, Bearer};
use super::state::Accounts;
use super::user::Person;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids::{Credential, SessionId};
use crate::site::answer::{self, Looker, Looking};
use crate::site::limit::Address;
use crate::site::page::{Stamp, Viewer};
use actix_session::SessionExt as _;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use futures_core::future::LocalBoxFuture;
use std::sync::Arc;

/// A session is renewed at most this often, ms. Its row says then when the person was last here.
const RENEWED_EVERY: i64 = 24 * 3600 * 1000;

/// Somebody who is signed in. Without one, a page leads to `/login?next=…`, and an API call gets 401.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub person: Arc<Person>,
    /// By what the request says who asks.
    pub credential: Credential,
    /// Where the request comes from.
    pub address: Address,
}

impl Visitor {
    /// The person as the shell of a page shows them.
    pub fn viewer(&self) -> Viewer {
        self.person.viewer()
    }

    /// The browser's session; nothing for a program with a token.
    pub fn session(&self) -> Option<SessionId> {
        match self.credential {
            Credential::Session(id) => Some(id),
            Credential::Token(_) => None,
        }
    }
}

impl Looker for Person {
    fn viewer(&self) -> Viewer {
        Viewer {
            id: self.id.0,
            username: self.username.clone(),
            display_name: self.display_name.clone(),
            guest: self.is_guest(),
            staff: self.is_staff(),
            silenced: self.silenced().map(Stamp),
            hue: self.hue,
        }
    }
}

/// Somebody who may read what is public: a visitor, or anybody at all when `public_reading` is on.
#[derive(Clone, Debug)]
pub struct Reader {
    pub visitor: Option<Visitor>,
}

impl Reader {
    /// The person as the shell of a page shows them; nobody when signed out.
    pub fn viewer(&self) -> Option<Viewer> {
        self.visitor.as_ref().map(Visitor::viewer)
    }
}

impl FromRequest for Visitor {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { identify(&req).await?.ok_or(Error::SignInFirst) })
    }
}

impl FromRequest for Reader {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let visitor = identify(&req).await?;
            let public = accounts(&req)?.config.public_reading;
            if visitor.is_none() && !public { Err(Error::SignInFirst) } else { Ok(Self { visitor }) }
        })
    }
}

/// A visitor who may say something: 403 in a time-out, with the moment in which it ends.
#[derive(Clone, Debug)]
pub struct Speaker(pub Visitor);

impl FromRequest for Speaker {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let visitor = identify(&req).await?.ok_or(Error::SignInFirst)?;
            visitor.person.may_speak()?;
            Ok(Self(visitor))
        })
    }
}

fn accounts(req: &HttpRequest) -> Result<&Accounts> {
    req.app_data::<web::Data<Accounts>>()
        .map(actix_web::web::Data::get_ref)
        .ok_or_else(|| Error::internal("the application has no Accounts"))
}

/// Whoever the request's token or session belongs to. Asks the database only for what memory doesn't know.
async fn identify(req: &HttpRequest) -> Result<Option<Visitor>> {
    let accounts = accounts(req)?;
    let (user, credential, seen_at) = match answer::bearer_token(req) {
        // A token decides alone: were a wrong one overlooked for a cookie, a program would act as somebody else.
        Some(token) => match accounts.tokens.find(token).await? {
            Some(shown) => (shown.user, Credential::Token(shown.id), None),
            None => return Ok(None),
        },
        None => match cookie::bearer(&req.get_session()) {
            Bearer::Person { user, session, seen_at } => (user, Credential::Session(session), Some(seen_at)),
            Bearer::Nobody => return Ok(None),
            Bearer::Unknown => {
                return Err(crate::db::AWAY);
            }
        },
    };
    let person = accounts.directory.get(user).await?;
    let Some(person) = person.filter(|p| !p.disabled) else { return Ok(None) };
    let now = now_ms();
    if seen_at.is_some_and(|at| now - at > RENEWED_EVERY) {
        cookie::keep(&req.get_session(), now);
    }
    req.extensions_mut().insert(Looking(person.clone()));
    let address = Address::of(req, &accounts.config.trusted_proxies);
    Ok(Some(Visitor { person, credential, address }))
}
