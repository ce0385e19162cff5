//! The accounts floor as the features above reach it: the database, the caches in front, and what people do with
//! their own account.

use super::cookie::Cookies;
use super::directory::Directory;
use super::faces::Faces;
use super::handover;
use super::invite;
use super::key;
use super::log_in::{CODES_OF_STRANGERS, OF_A_BROWSER, PASSWORDS_OF_STRANGERS};
use super::names::{DisplayName, Username};
use super::password::{Hasher, Password};
use super::private_key::{self, KeySecret, PrivateKey};
use super::reset;
use super::seal::Seal;
use super::session::{self, Sessions};
use super::token::{self, Tokens};
use super::user::{self, Person, Profile};
use crate::config::Config;
use crate::db::{Conn, Database, Task, Which};
use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::ids::UserId;
use crate::site::guess::{Guesses, Tries};
use crate::site::limit::Address;
use actix_web::cookie::Key;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// People whose leaving is written in one go: other writes wait that long.
const LEFT_AT_ONCE: usize = 200;

/// The accounts database.
pub type Db = Database<Task>;

/// Everything about people that a handler may reach. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub db: Db,
    pub directory: Directory,
    pub faces: Faces,
    pub sessions: Sessions,
    pub tokens: Tokens,
    pub hasher: Hasher,
    pub config: Arc<Config>,
    pub events: Events,
    pub(super) key: Key,
    pub(super) seal: Seal,
    secret: KeySecret,
    guesses: Guesses,
    /// At one's own password, by whoever sits at a browser that is signed in.
    pub(super) proofs: Guesses,
    pub(super) passwords: Tries,
    pub(super) codes: Tries,
    ownership: Arc<Ownership>,
}

/// Whether the place has its first account yet, and what it takes to make it.
struct Ownership {
    taken: AtomicBool,
    /// Asked of the first account where strangers can reach the server; printed at start.
    code: Option<String>,
}

/// Somebody who registers, with everything but the password's hash.
pub struct Newcomer {
    pub username: Username,
    pub display_name: DisplayName,
    pub password: Password,
    /// What was typed as an invite's code, or as the owner's.
    pub invite: String,
    /// The guest who becomes a full account.
    pub guest: Option<UserId>,
}

impl Accounts {
    /// Opens the accounts database and the files of its secrets. Blocks.
    ///
    /// # Errors
    /// A sentence that names the database or the file.
    pub fn open(config: Arc<Config>, events: Events) -> Result<Self, String> {
        let data = &config.data;
        crate::site::disk::make_private(data)
            .map_err(|e| format!("The data folder {} can't be made: {e}", data.display()))?;
        let db = open_database(&config)?;
        let key = key::session_key(data)?;
        let secret = KeySecret::open(data)?;
        let taken = db.read_blocking(user::anybody_registered).map_err(|e| e.detail())?;
        let code = if taken || !config.is_public() {
            None
        } else {
            Some(key::random_word().map_err(|e| e.detail())?)
        };
        Ok(Self {
            directory: Directory::new(db.clone()),
            faces: Faces::new(db.clone()),
            sessions: Sessions::new(db.clone(), events.clone()),
            tokens: Tokens::new(db.clone(), events.clone()),
            hasher: Hasher::new(config.bcrypt_cost),
            ownership: Arc::new(Ownership { taken: AtomicBool::new(taken), code }),
            key,
            seal: Seal::open(data)?,
            secret,
            guesses: Guesses::default(),
            proofs: Guesses::default(),
            passwords: Tries::new(PASSWORDS_OF_STRANGERS, OF_A_BROWSER),
            codes: Tries::new(CODES_OF_STRANGERS, OF_A_BROWSER),
            db,
            config,
            events,
        })
    }

    /// Reads and writes the session cookie; to be wrapped around all routes.
    pub fn session_middleware(&self) -> Cookies {
        Cookies::new(self.sessions.clone(), self.key.clone())
    }

    /// The one-time code that the first account needs, as long as there is no account.
    pub fn owner_code(&self) -> Option<&str> {
        self.ownership.code.as_deref().filter(|_| !self.ownership.taken.load(Ordering::Relaxed))
    }

    /// Whether the next account becomes the owner.
    pub async fn awaits_owner(&self) -> Result<bool> {
        if self.ownership.taken.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let taken = self.db.read(user::anybody_registered).await?;
        self.ownership.taken.store(taken, Ordering::Relaxed);
        Ok(!taken)
    }

    /// Makes a full account, or a guest into one. The first becomes the owner.
    ///
    /// # Errors
    /// `Invalid` for `username` when it is taken, for `invite` when the owner's code or an invite is missing.
    pub async fn register(&self, new: Newcomer) -> Result<Arc<Person>> {
        let knows_code = self.ownership.code.as_deref().is_none_or(|code| code == new.invite.trim());
        let refused = || {
            Error::field(
                "invite",
                "The first account needs the code that the server printed when it started.",
            )
        };
        if !self.awaits_owner().await? {
            self.admits(&new.invite).await?;
        } else if !knows_code {
            return Err(refused());
        }
        // Asked before the costly hash; the row itself decides in the end.
        if self.directory.by_username(new.username.as_str()).await?.is_some() {
            return Err(Error::field("username", "That user name is taken. Choose another one."));
        }
        let hash = self.hasher.hash(new.password).await?;
        let (username, name, guest, code) = (new.username, new.display_name, new.guest, new.invite);
        let registration = self.config.registration;
        let person = self
            .db
            .write(move |conn| {
                let first = !user::anybody_registered(conn)?;
                if first && !knows_code {
                    return Err(refused());
                }
                let invite = if first { None } else { invite::take(conn, registration, &code)? };
                let person = match guest {
                    Some(id) => user::promote_guest(conn, id, &username, &name, &hash),
                    None => user::create(conn, &username, &name, &hash),
                }?;
                invite.map(|invite| invite::note(conn, invite, person.id)).transpose()?;
                Ok(person)
            })
            .await?;
        self.ownership.taken.store(true, Ordering::Relaxed);
        let person = self.directory.put(person);
        if guest.is_some() {
            self.events.publish(&Event::ProfileChanged(person.id));
        }
        Ok(person)
    }

    /// Makes a guest.
    pub async fn enter_as_guest(&self, name: DisplayName) -> Result<Arc<Person>> {
        let person = self.db.write(move |conn| user::create_guest(conn, &name)).await?;
        Ok(self.directory.put(person))
    }

    /// Changes what somebody shows of themselves, and tells the others.
    pub async fn change_profile(&self, id: UserId, profile: Profile) -> Result<Arc<Person>> {
        let (shows, speaks) = (profile.shows(), profile.status.is_some());
        self.may_show(id, &profile).await?;
        let person = self.db.write(move |conn| user::set_profile(conn, id, &profile)).await?;
        let person = self.directory.put(person);
        if shows {
            self.events.publish(&Event::ProfileChanged(id));
        }
        if speaks {
            self.events.publish(&Event::StatusChanged(id));
        }
        Ok(person)
    }

    /// A name and a status are words that others read.
    async fn may_show(&self, id: UserId, profile: &Profile) -> Result<()> {
        let Some(person) = self.directory.get(id).await? else { return Ok(()) };
        let renamed = profile.display_name.as_ref().is_some_and(|name| name.as_str() != person.display_name);
        let says = profile.status.as_ref().is_some_and(|status| !status.text.is_empty());
        if renamed || says { person.may_speak() } else { Ok(()) }
    }

    /// Whose private key this is; for whoever knows it, instead of a user name.
    ///
    /// # Errors
    /// `NotFound` when nobody has it, `TooMany` after too many wrong ones of this person or from this address.
    pub async fn person_by_key(&self, asker: UserId, from: Address, key: &str) -> Result<Arc<Person>> {
        let guess = self.guesses.begin(asker, from)?;
        let hash = self.secret.hash(&PrivateKey::typed(key));
        let found = self.db.read(move |conn| private_key::find(conn, &hash)).await?;
        let person = found.ok_or(Error::NotFound("Nobody has that private key. Check it and try again."))?;
        guess.was_right();
        Ok(Arc::new(person))
    }

    /// Sets a person's private key, or takes it away. Setting one counts as a guess, since it would tell whether
    /// somebody else has it.
    ///
    /// # Errors
    /// `Invalid` for `private_key` when somebody else has it, in the words for one that is too easy; `TooMany`.
    pub async fn set_private_key(
        &self,
        id: UserId,
        from: Address,
        key: Option<PrivateKey>,
    ) -> Result<Arc<Person>> {
        if key.is_some() {
            drop(self.guesses.begin(id, from)?);
        }
        let hash = key.map(|key| self.secret.hash(&key));
        let change = move |conn: &mut Conn| {
            private_key::set(conn, id, hash.as_deref())?;
            user::find(conn, id)
        };
        Ok(self.directory.put(self.db.write(change).await?))
    }

    /// Remembers the page to bring the person back to. Writes only when it is another one than before.
    pub async fn remember_place(&self, person: &Person, path: &str) -> Result<()> {
        if person.last_place == path {
            return Ok(());
        }
        let (id, kept) = (person.id, path.to_owned());
        let person = self
            .db
            .write(move |conn| {
                user::set_last_place(conn, id, &kept)?;
                user::find(conn, id)
            })
            .await?;
        self.directory.put(person);
        Ok(())
    }

    /// Writes down when people's last connections ended, exact to a minute: nobody's day is anybody's business.
    pub async fn note_left(&self, left: Vec<(UserId, i64)>) -> Result<()> {
        for some in left.chunks(LEFT_AT_ONCE) {
            let rows = some.to_vec();
            self.db.write(move |conn| user::set_last_seen(conn, &rows)).await?;
            for (id, _) in some {
                self.directory.forget(*id);
            }
        }
        Ok(())
    }

    /// Looks for what other processes have changed; `app` calls it every 3 s.
    pub async fn sweep(&self) -> Result<()> {
        for user in self.sessions.sweep().await? {
            self.directory.forget(user);
        }
        self.tokens.sweep().await
    }

    /// Finishes what was accepted; later changes are refused.
    pub fn close(&self) {
        self.db.close();
    }
}

/// Ends all sessions and tokens of a person, and what was on its way in.
pub(crate) fn end_everything(conn: &mut Conn, id: UserId) -> Result<()> {
    handover::end(conn, id)?;
    reset::end(conn, id)?;
    session::revoke(conn, id, |_| true)?;
    token::revoke(conn, id, None)?;
    Ok(())
}

/// Opens the accounts database as the server and the command line do.
pub(crate) fn open_database(config: &Config) -> Result<Db, String> {
    Database::open(Which::Accounts, &config.accounts_url(), |batch: Vec<Task>, outcome| {
        for task in batch {
            task.settle(&outcome);
        }
    })
}
