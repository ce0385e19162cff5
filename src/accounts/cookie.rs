//! The session cookie, and the session rows as `actix-session` wants to see them.

use super::handover::Claim;
use super::log_in::HalfIn;
use super::session::{LIFE, NewSession, Sessions};
use crate::clock::now_ms;
use crate::ids::{SessionId, UserId};
use crate::site::origin;
use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::body::MessageBody;
use actix_web::cookie::{Key, SameSite, time::Duration};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use futures_core::future::LocalBoxFuture;
use std::collections::HashMap;
use std::rc::Rc;
use std::task::{Context, Poll};

/// How long a right password waits for its code, ms.
const HALF_LIFE: i64 = 5 * 60 * 1000;

// Kept in the row's state, in sessions that are nobody's yet.
const HALF: &str = "half";
const CLAIM: &str = "claim";

// Entries of a request's session. These come from columns of the row, never from its stored state.
const USER: &str = "user";
const SESSION: &str = "session";
const SEEN: &str = "seen";
const DEVICE: &str = "device";
/// The database did not answer: the request is neither signed in nor signed out.
const UNKNOWN: &str = "unknown";

/// Whose session a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    Nobody,
    Person { user: UserId, session: SessionId, seen_at: i64 },
    Unknown,
}

pub(super) fn bearer(session: &Session) -> Bearer {
    let number = |name: &str| session.get::<i64>(name).ok().flatten();
    if session.contains_key(UNKNOWN) {
        return Bearer::Unknown;
    }
    match (number(USER), number(SESSION), number(SEEN)) {
        (Some(user), Some(id), Some(seen_at)) => {
            Bearer::Person { user: UserId(user), session: SessionId(id), seen_at }
        }
        _ => Bearer::Nobody,
    }
}

/// Has the session kept for another 30 days; the answer carries the cookie again.
pub(super) fn keep(session: &Session, now: i64) {
    // Numbers always become JSON.
    let _ = session.insert(SEEN, now);
}

/// Begins a new session under a new key; the one that the request came with is deleted.
pub(super) fn begin(session: &Session, user: UserId, device: &str) {
    session.renew();
    session.clear();
    let _ = session.insert(USER, user);
    let _ = session.insert(DEVICE, device);
}

/// Begins a new session that remembers a right password and is worth nothing else.
pub(super) fn begin_half(session: &Session, half: &HalfIn) {
    session.renew();
    session.clear();
    let _ = session.insert(HALF, half);
}

/// Whose password was right a moment ago.
pub(super) fn half(session: &Session) -> Option<HalfIn> {
    let half = session.get::<HalfIn>(HALF).ok().flatten()?;
    let fresh = (0..HALF_LIFE).contains(&(now_ms() - half.at));
    (fresh && !session.contains_key(USER)).then_some(half)
}

/// Remembers that this browser has brought a code from another device.
pub(super) fn keep_claim(session: &Session, claim: &Claim) {
    let _ = session.insert(CLAIM, claim);
}

/// The claim of this browser.
pub(super) fn claim(session: &Session) -> Option<Claim> {
    session.get(CLAIM).ok().flatten()
}

/// The middleware that reads and writes the cookie. Browsers keep cookies by host, not by port, and let plain HTTP neither
/// see nor replace a `Secure` one: so each scheme has a cookie of its own, and one server can speak both.
pub struct Cookies {
    plain: SessionMiddleware<Sessions>,
    secure: SessionMiddleware<Sessions>,
}

impl Cookies {
    pub(super) fn new(sessions: Sessions, key: Key) -> Self {
        Self {
            plain: middleware(sessions.clone(), key.clone(), "hubbub_session", false),
            secure: middleware(sessions, key, "__Host-hubbub_session", true),
        }
    }
}

fn middleware(sessions: Sessions, key: Key, name: &str, https: bool) -> SessionMiddleware<Sessions> {
    SessionMiddleware::builder(sessions, key)
        .cookie_name(name.to_owned())
        .cookie_secure(https)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .cookie_content_security(CookieContentSecurity::Signed)
        .session_lifecycle(PersistentSession::default().session_ttl(Duration::milliseconds(LIFE)))
        .build()
}

/// One of the two for each request, around the same service.
pub struct ByScheme<T> {
    plain: T,
    secure: T,
}

impl<S, B> Transform<S, ServiceRequest> for Cookies
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Transform = ByScheme<<SessionMiddleware<Sessions> as Transform<Rc<S>, ServiceRequest>>::Transform>;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let service = Rc::new(service);
        let (plain, secure) = (self.plain.new_transform(service.clone()), self.secure.new_transform(service));
        Box::pin(async move { Ok(ByScheme { plain: plain.await?, secure: secure.await? }) })
    }
}

impl<T: Service<ServiceRequest>> Service<ServiceRequest> for ByScheme<T> {
    type Response = T::Response;
    type Error = T::Error;
    type Future = T::Future;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.plain.poll_ready(cx)
    }

    fn call(&self, req: ServiceRequest) -> Self::Future {
        if origin::is_https(req.request()) { self.secure.call(req) } else { self.plain.call(req) }
    }
}

type State = HashMap<String, String>;

/// What is left for the column `state` when the entries with columns of their own are taken out.
fn stored(mut state: State) -> (Option<UserId>, String, String) {
    let mut take = |name: &str| state.remove(name).unwrap_or_default();
    let user = serde_json::from_str(&take(USER)).ok();
    let device = serde_json::from_str(&take(DEVICE)).unwrap_or_default();
    take(SESSION);
    take(SEEN);
    take(UNKNOWN);
    (user, device, serde_json::to_string(&state).unwrap_or_else(|_| "{}".to_owned()))
}

impl SessionStore for Sessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let live = match self.find(key.as_ref()).await {
            Ok(Some(live)) => live,
            Ok(None) => return Ok(None),
            Err(error) => {
                tracing::warn!(reason = %error, "a session could not be looked up");
                return Ok(Some(State::from([(UNKNOWN.to_owned(), "true".to_owned())])));
            }
        };
        let mut state: State = serde_json::from_str(&live.state).unwrap_or_default();
        if let Some(user) = live.user {
            state.insert(USER.to_owned(), user.to_string());
        }
        state.insert(SESSION.to_owned(), live.id.to_string());
        state.insert(SEEN.to_owned(), live.seen_at.to_string());
        Ok(Some(state))
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let (user, device, state) = stored(state);
        let key = self.create(NewSession { user, device, state }).await;
        let key = key.map_err(|e| SaveError::Other(e.into()))?;
        SessionKey::try_from(key).map_err(|e| SaveError::Other(e.into()))
    }

    async fn update(&self, key: SessionKey, state: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        let (_, _, state) = stored(state);
        // Only the expiry moves: failing the whole request for it would be worse than trying again with the next.
        if let Err(error) = self.renew(key.as_ref(), state).await {
            tracing::warn!(reason = %error, "a session could not be renewed");
        }
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        Ok(Self::delete(self, key.as_ref()).await?)
    }
}
