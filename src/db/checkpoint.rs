//! Moves SQLite's write-ahead log into the database file, and keeps the log short.

use super::{Conn, Manager, Url};
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, QueryableByName, RunQueryDsl};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// How often it happens.
const EVERY: Duration = Duration::from_secs(1);
/// Pages in the log from which on it is begun anew, 16 MiB: under a steady load it would only ever grow, and the longer it
/// is, the longer every look into it takes.
const LOG_PAGES: i64 = 4096;

/// The thread that does it, off the writer's path; ends when this is dropped.
pub struct Checkpoints {
    is_long: Arc<AtomicBool>,
    _stop: mpsc::Sender<()>,
}

impl Checkpoints {
    /// Starts the thread where the database is SQLite.
    pub fn start(manager: &Manager) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let is_long = Arc::new(AtomicBool::new(false));
        let checkpoints = Self { is_long: is_long.clone(), _stop: stop };
        if matches!(manager.url, Url::Postgres(_)) {
            return Ok(checkpoints);
        }
        let manager = manager.clone();
        std::thread::Builder::new().name(format!("{}-checkpoint", manager.which.name())).spawn(
            move || {
                let Ok(mut conn) = manager.open() else { return };
                // The first at once: what a crash left in the log would otherwise be read again after the next crash.
                loop {
                    match checkpoint(&mut conn) {
                        Ok(is) => is_long.store(is, Ordering::Relaxed),
                        Err(error) => tracing::warn!(%error, "a checkpoint failed; the next one tries again"),
                    }
                    if !matches!(stopped.recv_timeout(EVERY), Err(mpsc::RecvTimeoutError::Timeout)) {
                        break;
                    }
                }
            },
        )?;
        Ok(checkpoints)
    }

    /// Begins the log anew if it has become long: the next transaction writes at its beginning again. To be called by the
    /// writer between two transactions, since only then nobody is in the way but readers.
    pub fn shorten(&self, conn: &mut Conn) {
        if self.is_long.swap(false, Ordering::Relaxed)
            && let Err(error) = begin_anew(conn)
        {
            tracing::warn!(%error, "the write-ahead log could not be begun anew; that is tried again");
        }
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = BigInt)]
    log: i64,
}

/// Answers with whether the log is long. Waits for nobody, so under load the newest pages stay in the log alone.
fn checkpoint(conn: &mut Conn) -> QueryResult<bool> {
    let Conn::Sqlite(conn) = conn else { return Ok(false) };
    let done: Checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(PASSIVE)").get_result(conn)?;
    Ok(done.log > LOG_PAGES)
}

/// Moves what has come since the last checkpoint. For readers of older pages it hardly waits: a second later they are gone.
fn begin_anew(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute(
        "PRAGMA busy_timeout = 20; PRAGMA wal_checkpoint(RESTART); PRAGMA busy_timeout = 10000",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Access, Which};

    #[test]
    fn a_long_log_is_begun_anew_and_keeps_what_was_in_it() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("messages.db");
        let open = |access| Manager { url: Url::Sqlite(path.clone()), which: Which::Messages, access }.open();
        let (mut writer, mut other) = (open(Access::Write)?, open(Access::Write)?);
        writer.batch_execute("CREATE TABLE rows (content BLOB)")?;
        assert!(!checkpoint(&mut other)?);
        for _ in 0..20 {
            writer.batch_execute("INSERT INTO rows VALUES (zeroblob(1048576))")?;
        }
        assert!(checkpoint(&mut other)?);
        begin_anew(&mut writer)?;
        writer.batch_execute("INSERT INTO rows VALUES ('one more')")?;
        assert!(!checkpoint(&mut other)?, "the log goes on where it was");
        let rows = diesel::dsl::sql::<BigInt>("SELECT count(*) FROM rows").get_result::<i64>(&mut other)?;
        assert_eq!(rows, 21);
        Ok(())
    }
}
