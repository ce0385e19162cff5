//! One connection to one of the two databases, SQLite or Postgres, and how it is opened.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::{fmt, path::PathBuf, str::FromStr};

/// An open connection. Ordinary queries run on the enum itself; what Diesel can't build for it
/// (many-row insert, upsert, row locks) goes through [`on_conn!`](crate::on_conn).
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Compiles one expression for each concrete connection. Worth it for a query that runs very often, too: the enum has its
/// SQL written anew each time to find the prepared statement, where a concrete connection knows it by its type.
#[macro_export]
macro_rules! on_conn {
    ($conn:expr, $concrete:ident => $body:expr) => {
        match $conn {
            $crate::db::Conn::Sqlite($concrete) => $body,
            $crate::db::Conn::Postgres($concrete) => $body,
        }
    };
}

/// Which of the two databases: people and sessions, or everything they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Accounts,
    Messages,
}

impl Which {
    /// Also the Postgres schema, so that both may live in one Postgres database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Messages => "messages",
        }
    }
}

/// Where a database is: `sqlite://PATH` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum Url {
    Sqlite(PathBuf),
    Postgres(String),
}

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => {
                Ok(Self::Postgres(text.to_owned()))
            }
            _ => Err("sqlite://PATH or postgres://USER@HOST/NAME"),
        }
    }
}

/// Without the password that a Postgres address may carry.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                write!(f, "postgres://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
            }
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The pool: refused by the database itself when it tries to write.
    Read,
    /// The write door's one connection.
    Write,
    /// One look: no database is made or changed. (SQLite may leave an empty log and its index beside one.)
    Look,
}

/// Opens connections for the pool and for the writer. An own manager, because Diesel's hides why a connection failed.
#[derive(Debug, Clone)]
pub struct Manager {
    pub url: Url,
    pub which: Which,
    pub access: Access,
}

// WAL with FULL: an acknowledged commit survives a power cut (NORMAL was measured to lose commits silently).
// `mode=rwc` creates the file; the writer's automatic checkpoints are off, a thread of their own does them.
const SQLITE_COMMON: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
const SQLITE_READ: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -4000;";
const SQLITE_LOOK: &str = "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;";
/// What would end the path in a `file:` address (https://www.sqlite.org/uri.html).
const URI: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');
const SQLITE_WRITE: &str =
    "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000;";

impl Manager {
    /// Opens one connection; the error says what the database said.
    pub fn open(&self) -> diesel::ConnectionResult<Conn> {
        let set = |e: diesel::result::Error| diesel::ConnectionError::CouldntSetupConfiguration(e);
        match &self.url {
            Url::Sqlite(path) if self.access == Access::Look => {
                let name = utf8_percent_encode(&path.to_string_lossy(), URI).to_string();
                let mut conn = SqliteConnection::establish(&format!("file:{name}?mode=ro"))?;
                conn.batch_execute(SQLITE_LOOK).map_err(set)?;
                Ok(Conn::Sqlite(conn))
            }
            Url::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
                conn.batch_execute(SQLITE_COMMON).map_err(set)?;
                conn.batch_execute(if self.access == Access::Read { SQLITE_READ } else { SQLITE_WRITE })
                    .map_err(set)?;
                Ok(Conn::Sqlite(conn))
            }
            Url::Postgres(url) => {
                let mut conn = PgConnection::establish(url)?;
                let read_only = if self.access == Access::Write { "off" } else { "on" };
                let schema = self.which.name();
                conn.batch_execute(&format!(
                    "SET client_min_messages = warning; SET search_path TO {schema}; SET default_transaction_read_only = {read_only};"
                ))
                .map_err(set)?;
                Ok(Conn::Postgres(conn))
            }
        }
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::ConnectionError;

    fn connect(&self) -> Result<Conn, Self::Error> {
        self.open()
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        diesel::sql_query("SELECT 1")
            .execute(conn)
            .map(drop)
            .map_err(diesel::ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, _: &mut Conn) -> bool {
        std::thread::panicking()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_plans_a_statement_once() -> diesel::QueryResult<()> {
        use diesel::sql_types::Bool;
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let is_so = diesel::dsl::sql::<Bool>("SELECT sqlite_compileoption_used('ENABLE_QPSG')");
        assert!(is_so.get_result::<bool>(&mut conn)?, ".cargo/config.toml was not heeded");
        Ok(())
    }

    #[test]
    fn a_database_url_without_a_scheme_is_refused() {
        assert!("data/messages.db".parse::<Url>().is_err());
        assert!("mysql://x/y".parse::<Url>().is_err());
        assert_eq!("sqlite://a/b.db".parse::<Url>(), Ok(Url::Sqlite("a/b.db".into())));
    }

    #[test]
    fn a_postgres_url_is_shown_without_its_password() {
        let url: Url = "postgres://me:secret@db.example/hub".parse().unwrap_or(Url::Sqlite(PathBuf::new()));
        assert_eq!(url.to_string(), "postgres://db.example/hub");
    }
}
