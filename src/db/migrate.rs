//! Brings a database up to date with the migrations that are built into the program.

use super::{Conn, Manager, Which};
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const ACCOUNTS_SQLITE: EmbeddedMigrations = embed_migrations!("migrations/accounts/sqlite");
const ACCOUNTS_POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/accounts/postgres");
const MESSAGES_SQLITE: EmbeddedMigrations = embed_migrations!("migrations/messages/sqlite");
const MESSAGES_POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/messages/postgres");

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens the write connection; on Postgres it first makes the schema that the connection's search path names.
pub fn open(manager: &Manager) -> diesel::ConnectionResult<Conn> {
    let mut conn = manager.open()?;
    if let Conn::Postgres(pg) = &mut conn {
        // Asked for before it is made: a role that may use the schema but not create one in the database is enough.
        let name = manager.which.name();
        pg.batch_execute(&format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = '{name}') THEN CREATE SCHEMA {name}; END IF; END $$"
        ))
        .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    }
    Ok(conn)
}

/// What is said of a database that a newer program has changed, behind its name.
pub const FUTURE: &str =
    concat!("a newer version of Hubbub than this one (", env!("CARGO_PKG_VERSION"), ") has changed it");

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// A database's migrations beside those that are built into the program: their versions, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Have run; none in a database that was never made.
    pub applied: Vec<String>,
    /// Have run, and this program doesn't know them.
    pub unknown: Vec<String>,
    /// Are still to run.
    pub pending: Vec<String>,
}

impl Standing {
    fn new(mut applied: Vec<String>, mut known: Vec<String>) -> Self {
        applied.sort_unstable();
        known.sort_unstable();
        let pending = known.iter().filter(|version| !applied.contains(version)).cloned().collect();
        let unknown = applied.iter().filter(|version| !known.contains(version)).cloned().collect();
        Self { applied, unknown, pending }
    }

    /// Exactly those have run that are built into the program.
    pub fn is_current(&self) -> bool {
        self.unknown.is_empty() && self.pending.is_empty()
    }
}

/// How a database stands. Changes nothing, which Diesel's own question does: it makes the table that it asks.
///
/// # Errors
/// What the database says.
pub fn standing(conn: &mut Conn, which: Which) -> Result<Standing, BoxError> {
    let asked = match conn {
        Conn::Sqlite(_) => {
            "SELECT COUNT(*) AS many FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
        }
        Conn::Postgres(_) => {
            "SELECT COUNT(*) AS many FROM pg_tables \
             WHERE schemaname = current_schema() AND tablename = '__diesel_schema_migrations'"
        }
    };
    let Made { many } = diesel::sql_query(asked).get_result(conn)?;
    let rows: Vec<Applied> = if many == 0 {
        Vec::new()
    } else {
        diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(conn)?
    };
    let known = known(matches!(conn, Conn::Sqlite(_)), which)?;
    Ok(Standing::new(rows.into_iter().map(|Applied { version }| version).collect(), known))
}

/// The same of a list of versions, for a database on SQLite or on Postgres.
///
/// # Errors
/// Never in a program that was built well.
pub fn standing_of(applied: &[String], on_sqlite: bool, which: Which) -> Result<Standing, BoxError> {
    Ok(Standing::new(applied.to_vec(), known(on_sqlite, which)?))
}

fn known(on_sqlite: bool, which: Which) -> Result<Vec<String>, BoxError> {
    match (on_sqlite, which) {
        (true, Which::Accounts) => versions::<Sqlite>(&ACCOUNTS_SQLITE),
        (true, Which::Messages) => versions::<Sqlite>(&MESSAGES_SQLITE),
        (false, Which::Accounts) => versions::<Pg>(&ACCOUNTS_POSTGRES),
        (false, Which::Messages) => versions::<Pg>(&MESSAGES_POSTGRES),
    }
}

fn versions<DB: Backend>(source: &impl MigrationSource<DB>) -> Result<Vec<String>, BoxError> {
    Ok(source.migrations()?.iter().map(|one| one.name().version().to_string()).collect())
}

/// Runs these and no others, in their order, on a database that is empty.
///
/// # Errors
/// What the database says.
pub fn run_these(conn: &mut Conn, which: Which, wanted: &[String]) -> Result<(), BoxError> {
    match (conn, which) {
        (Conn::Sqlite(c), Which::Accounts) => run_some(c, &ACCOUNTS_SQLITE, wanted),
        (Conn::Sqlite(c), Which::Messages) => run_some(c, &MESSAGES_SQLITE, wanted),
        (Conn::Postgres(c), Which::Accounts) => run_some(c, &ACCOUNTS_POSTGRES, wanted),
        (Conn::Postgres(c), Which::Messages) => run_some(c, &MESSAGES_POSTGRES, wanted),
    }
}

fn run_some<DB: Backend>(
    conn: &mut impl MigrationHarness<DB>,
    source: &impl MigrationSource<DB>,
    wanted: &[String],
) -> Result<(), BoxError> {
    // Asking makes the table that each writes itself down in.
    conn.applied_migrations()?;
    let mut migrations = source.migrations()?;
    migrations.sort_by_key(|one| one.name().version().to_string());
    for one in migrations.iter().filter(|one| wanted.contains(&one.name().version().to_string())) {
        conn.run_migration(one)?;
    }
    Ok(())
}

/// Runs what is pending. Two nodes that start at once take turns on Postgres.
///
/// # Errors
/// What the database says; and when it was changed by a newer program, whose tables this one might damage.
pub fn run(conn: &mut Conn, which: Which) -> Result<(), BoxError> {
    if !standing(conn, which)?.unknown.is_empty() {
        return Err(FUTURE.into());
    }
    match conn {
        Conn::Sqlite(c) => {
            let source = if which == Which::Accounts { ACCOUNTS_SQLITE } else { MESSAGES_SQLITE };
            c.run_pending_migrations(source)?;
        }
        Conn::Postgres(c) => {
            let source = if which == Which::Accounts { ACCOUNTS_POSTGRES } else { MESSAGES_POSTGRES };
            c.batch_execute("SELECT pg_advisory_lock(4859872)")?;
            let ran = c.run_pending_migrations(source).map(drop);
            c.batch_execute("SELECT pg_advisory_unlock(4859872)")?;
            ran?;
        }
    }
    Ok(())
}
