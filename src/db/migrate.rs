//! Brings a database up to date with the migrations that are built into the program.

use super::{Conn, Manager, Which};
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Text;
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

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Whether exactly the migrations have run that are built into the program. Changes nothing, which Diesel's own
/// question does: it makes the table that it asks.
///
/// # Errors
/// What the database says when it was never made.
pub fn is_current(conn: &mut Conn, which: Which) -> Result<bool, BoxError> {
    let mut applied: Vec<String> = diesel::sql_query("SELECT version FROM __diesel_schema_migrations")
        .load(conn)?
        .into_iter()
        .map(|Applied { version }| version)
        .collect();
    let mut wanted = match (conn, which) {
        (Conn::Sqlite(_), Which::Accounts) => versions::<Sqlite>(&ACCOUNTS_SQLITE)?,
        (Conn::Sqlite(_), Which::Messages) => versions::<Sqlite>(&MESSAGES_SQLITE)?,
        (Conn::Postgres(_), Which::Accounts) => versions::<Pg>(&ACCOUNTS_POSTGRES)?,
        (Conn::Postgres(_), Which::Messages) => versions::<Pg>(&MESSAGES_POSTGRES)?,
    };
    applied.sort_unstable();
    wanted.sort_unstable();
    Ok(applied == wanted)
}

fn versions<DB: Backend>(source: &impl MigrationSource<DB>) -> Result<Vec<String>, BoxError> {
    Ok(source.migrations()?.iter().map(|one| one.name().version().to_string()).collect())
}

/// Runs what is pending. Two nodes that start at once take turns on Postgres.
pub fn run(conn: &mut Conn, which: Which) -> Result<(), BoxError> {
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
