//! Where a test's two databases are: SQLite files of its own, or a Postgres database of its own.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use hubbub::db::{Database, Task, Which};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A temporary folder, and with `HUBBUB_TEST_POSTGRES` (the address of a server, without a database's name) a
/// database on it that holds both of Hubbub's.
pub struct Store {
    folder: TempDir,
    postgres: Option<Postgres>,
}

struct Postgres {
    server: String,
    database: String,
}

/// The server that the environment names.
pub fn postgres_server() -> Option<String> {
    std::env::var("HUBBUB_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

impl Store {
    /// Where a server begins.
    pub fn new() -> Self {
        Self::made_by(|server, database| copy(server, migrated(server), database))
    }

    /// Where nothing ever was, as a restore wants it.
    pub fn empty() -> Self {
        Self::made_by(|server, database| run(server, &format!("CREATE DATABASE {database}")))
    }

    fn made_by(make: impl FnOnce(&str, &str)) -> Self {
        let postgres = postgres_server().map(|server| {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let database = format!("it_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            make(&server, &database);
            Postgres { server: server.trim_end_matches('/').to_owned(), database }
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        Self { folder, postgres }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// As the settings `accounts_url` and `messages_url` want it.
    pub fn url(&self, which: Which) -> String {
        match &self.postgres {
            Some(postgres) => format!("{}/{}", postgres.server, postgres.database),
            None => format!(
                "sqlite://{}",
                self.folder().join("data").join(format!("{}.db", which.name())).display()
            ),
        }
    }

    /// Runs a statement on the messages database behind the server's back: for what would take days to come about.
    pub fn messages(&self, statement: &str) {
        self.run(Which::Messages, statement);
    }

    /// The same on the accounts database.
    pub fn accounts(&self, statement: &str) {
        self.run(Which::Accounts, statement);
    }

    fn run(&self, which: Which, statement: &str) {
        let said = |error| panic!("{statement}: {error}");
        match self.url(which).strip_prefix("sqlite://") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 20000").unwrap();
                conn.batch_execute(statement).unwrap_or_else(said);
            }
            None => {
                let mut conn = PgConnection::establish(&self.url(which)).unwrap();
                conn.batch_execute(&format!("SET search_path TO {}", which.name())).unwrap();
                conn.batch_execute(statement).unwrap_or_else(said);
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(postgres) = &self.postgres {
            run(&postgres.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", postgres.database));
        }
    }
}

/// A database in which all migrations have run: a copy of it is there in a fraction of the time that they take.
fn migrated(server: &str) -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("it_{}_template", std::process::id());
        run(server, &format!("CREATE DATABASE {name}"));
        let url = format!("{}/{name}", server.trim_end_matches('/')).parse().unwrap();
        for which in [Which::Accounts, Which::Messages] {
            Database::<Task>::open(which, &url, |_, _| ()).unwrap().close();
        }
        name
    })
}

/// Copies a database that nobody uses; the last connections to it take a moment to end.
fn copy(server: &str, template: &str, database: &str) {
    let mut conn = connect(server);
    let statement = format!("CREATE DATABASE {database} TEMPLATE {template} STRATEGY file_copy");
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = conn.batch_execute(&statement) {
        assert!(Instant::now() < deadline, "{statement}: {error}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn connect(server: &str) -> PgConnection {
    PgConnection::establish(&format!("{}/postgres", server.trim_end_matches('/')))
        .unwrap_or_else(|error| panic!("HUBBUB_TEST_POSTGRES: {error}"))
}

fn run(server: &str, statement: &str) {
    connect(server).batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
}
