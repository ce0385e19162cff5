//! The two databases: a pool that only reads, and one door through which every write goes.

mod checkpoint;
mod conn;
pub mod integrity;
mod migrate;
pub mod schema;
mod writer;

pub use conn::{Access, Conn, Manager, Url, Which};
pub use migrate::{FUTURE, Standing, open as open_to_migrate, run_these, standing, standing_of};
pub use writer::{Failed, Run, Task, Work, Writer, raise, savepoint};

use crate::error::{Error, Result};
use diesel::RunQueryDsl;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Readers of one database that may run at once. More would only wait for the same cores.
const READERS: u32 = 8;

/// What is said while a database doesn't answer.
pub const AWAY: Error =
    Error::Busy("This place can't reach its data just now. Nothing was lost. Try again in a moment.");

/// What is said while the disk takes nothing more. Reading goes on, and so does writing as soon as there is room.
pub const FULL: Error = Error::Busy(
    "The disk of this place is full, so nothing can be stored just now. What is here can be read.",
);

/// One database: any number of readers, and the writer whose units of work are `W`.
pub struct Database<W: Work> {
    pool: r2d2::Pool<Manager>,
    // Taken before a thread is: a thousand sign-ins at once wait here, not in a thousand blocked threads.
    permits: Arc<Semaphore>,
    writer: Writer<W>,
}

impl<W: Work> Clone for Database<W> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), permits: self.permits.clone(), writer: self.writer.clone() }
    }
}

impl<W: Work> Database<W> {
    /// Connects, migrates and starts the writer thread. `settle` is called on that thread with every batch
    /// after its commit, or with the reason why there was none.
    ///
    /// # Errors
    /// A sentence that names the database and what it said.
    pub fn open(
        which: Which,
        url: &Url,
        settle: impl FnMut(Vec<W>, std::result::Result<(), Failed>) + Send + 'static,
    ) -> std::result::Result<Self, String> {
        let name = which.name();
        let cannot = |what: &dyn std::fmt::Display| {
            // Postgres answers in several lines; this is one sentence.
            let words = what.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            format!("The {name} database at {url} does not answer: {words}")
        };
        let manager = |access| Manager { url: url.clone(), which, access };
        let mut conn = migrate::open(&manager(Access::Write)).map_err(|e| cannot(&e))?;
        migrate::run(&mut conn, which)
            .map_err(|e| format!("The {name} database at {url} could not be brought up to date: {e}"))?;
        let pool = r2d2::Pool::builder()
            .max_size(READERS)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(5))
            .test_on_check_out(matches!(url, Url::Postgres(_)))
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build(manager(Access::Read))
            .map_err(|e| cannot(&e))?;
        let writer = Writer::start(conn, manager(Access::Write), settle).map_err(|e| cannot(&e))?;
        Ok(Self { pool, permits: Arc::new(Semaphore::new(READERS as usize)), writer })
    }

    /// Runs queries on the blocking pool.
    pub async fn read<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        let _permit = self.permits.acquire().await.map_err(Error::internal)?;
        let db = self.clone();
        tokio::task::spawn_blocking(move || db.read_blocking(query)).await.map_err(Error::internal)?
    }

    /// Like [`read`](Self::read), with every query seeing the database as of one moment.
    pub async fn snapshot<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        self.read(|conn| snapshot(conn, query)).await
    }

    /// [`read`](Self::read) on the caller's own thread, which must be one that may block.
    pub fn read_blocking<T>(&self, query: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut conn = self.pool.get().map_err(|_| AWAY)?;
        query(&mut conn)
    }

    /// Puts a unit of work into the writer's queue; its outcome goes to whom the unit names.
    ///
    /// # Errors
    /// `Busy` when the queue is full; the unit was not accepted then.
    pub fn submit(&self, unit: W) -> Result<()> {
        self.writer.submit(unit)
    }

    /// Runs `change` in the writer's next transaction and answers after its commit. An error from `change` undoes
    /// its own doings alone. It may run more than once, when the database asks for a repetition.
    pub async fn write<T, F>(&self, change: F) -> Result<T>
    where
        W: From<Task>,
        T: Send + 'static,
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
    {
        let (task, answer) = Task::new(change);
        self.submit(task.into())?;
        answer.await.map_err(|_| Error::Busy("The server is stopping. Nothing was stored."))?
    }

    /// [`write`](Self::write) from a thread that may block.
    pub fn write_blocking<T, F>(&self, change: F) -> Result<T>
    where
        W: From<Task>,
        T: Send + 'static,
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
    {
        let (task, answer) = Task::new(change);
        self.submit(task.into())?;
        answer.blocking_recv().map_err(|_| Error::Busy("The server is stopping. Nothing was stored."))?
    }

    /// Finishes what was accepted, then lets the writer thread end. Later submissions are refused.
    pub fn close(&self) {
        self.writer.close();
    }
}

/// Runs `query` in one read transaction, so that all its queries see the same moment.
pub fn snapshot<T>(conn: &mut Conn, query: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    begin(conn, "BEGIN", "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let answer = query(conn);
    // Nothing was written; rolling back is the cheaper end on both engines.
    rollback(conn)?;
    answer
}

fn begin(conn: &mut Conn, sqlite: &str, postgres: &str) -> diesel::QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, sqlite),
        Conn::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, postgres),
    }
}

fn commit(conn: &mut Conn) -> diesel::QueryResult<()> {
    crate::on_conn!(conn, c => AnsiTransactionManager::commit_transaction(c))
}

fn rollback(conn: &mut Conn) -> diesel::QueryResult<()> {
    crate::on_conn!(conn, c => AnsiTransactionManager::rollback_transaction(c))
}

/// Whether the database answers with something that is stored in it: one small row.
pub fn answers(conn: &mut Conn) -> Result<()> {
    if let Conn::Sqlite(sqlite) = conn {
        // What this connection remembers would still be right over a file that is damaged by now.
        sqlite.batch_execute("PRAGMA shrink_memory")?;
    }
    let row = diesel::sql_query("SELECT version FROM __diesel_schema_migrations LIMIT 1");
    Ok(row.execute(conn).map(drop)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom, Write};

    #[test]
    fn a_database_that_was_written_over_does_not_answer()
    -> std::result::Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("messages.db");
        let manager = |access| Manager { url: Url::Sqlite(path.clone()), which: Which::Messages, access };
        let mut writer = migrate::open(&manager(Access::Write))?;
        migrate::run(&mut writer, Which::Messages).map_err(|error| error.to_string())?;
        let mut reader = manager(Access::Read).open()?;
        answers(&mut reader)?;
        for name in ["messages.db", "messages.db-wal"] {
            let mut file = std::fs::OpenOptions::new().write(true).open(folder.path().join(name))?;
            let rest = usize::try_from(file.metadata()?.len())?.saturating_sub(100);
            file.seek(SeekFrom::Start(100))?;
            file.write_all(&vec![0xA5; rest])?;
        }
        assert_eq!(answers(&mut reader).map_err(|error| error.code()), Err("damaged"));
        Ok(())
    }
}
